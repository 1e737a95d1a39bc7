//! Reads server-sent events (WHATWG HTML, section 9.2). The data of each event passes through a scanner
//! at once, so no event is held in memory.

use super::json::{ResponseField, Scanner};

/// The name of the field with an event's data.
const DATA: &[u8] = b"data";

/// The data of the event that ends a stream of OpenAI's API. Readers drop the body after it.
const DONE: &[u8] = b"[DONE]";

/// Where in a line the reader is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum LinePosition {
    /// At the start of a line.
    #[default]
    Start,
    /// In a field's name of which this many bytes match [`DATA`].
    Name(usize),
    /// After the colon, where one space is not part of the value.
    Colon,
    Data,
    /// In a line that is ignored.
    Skip,
}

/// The reader of a stream of events.
#[derive(Default)]
pub(super) struct EventStream {
    position: LinePosition,
    /// Whether the last byte was a carriage return. A line feed then belongs to the same line end.
    after_return: bool,
    /// How many bytes of a byte order mark at the start of the stream have passed.
    mark: usize,
    has_begun: bool,
    /// Whether the current event has had a line of data.
    has_data: bool,
    /// How many bytes of [`DONE`] the current line of data has; `None` if it is another one.
    done: Option<usize>,
    is_done: bool,
    scanner: Scanner,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl EventStream {
    /// Reads the next bytes. `found` receives each complete value.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut found: impl FnMut(ResponseField, Option<&[u8]>),
    ) {
        let mut rest = self.skip_mark(chunk);
        while let Some((&byte, after)) = rest.split_first() {
            if self.position == LinePosition::Data {
                rest = self.data(rest, &mut found);
                continue;
            }
            rest = after;
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\r' | b'\n' => self.end_line(byte),
                _ => {
                    self.after_return = false;
                    self.in_line(byte, &mut found);
                }
            }
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Returns whether the event that ends the stream has passed.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    fn skip_mark<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let mut rest = chunk;
        while let Some((byte, after)) = rest.split_first() {
            if BYTE_ORDER_MARK.get(self.mark) != Some(byte) {
                self.mark = BYTE_ORDER_MARK.len();
                return rest;
            }
            self.mark += 1;
            rest = after;
        }
        rest
    }

    fn in_line(&mut self, byte: u8, found: &mut impl FnMut(ResponseField, Option<&[u8]>)) {
        self.position = match (self.position, byte) {
            (LinePosition::Start, b'd') => LinePosition::Name(1),
            (LinePosition::Name(length), b':') if length == DATA.len() => self.begin_data(found),
            (LinePosition::Name(length), byte) if DATA.get(length) == Some(&byte) => {
                LinePosition::Name(length + 1)
            }
            (LinePosition::Colon, b' ') => LinePosition::Data,
            (LinePosition::Colon, _) => {
                self.scan(&[byte], found);
                LinePosition::Data
            }
            _ => LinePosition::Skip,
        };
    }

    fn begin_data(&mut self, found: &mut impl FnMut(ResponseField, Option<&[u8]>)) -> LinePosition {
        self.has_begun = true;
        if std::mem::replace(&mut self.has_data, true) {
            self.scanner.feed(b"\n", found);
        }
        self.done = Some(0);
        LinePosition::Colon
    }

    /// Scans the rest of a line of data, and returns the bytes after the line.
    fn data<'a>(
        &mut self,
        bytes: &'a [u8],
        found: &mut impl FnMut(ResponseField, Option<&[u8]>),
    ) -> &'a [u8] {
        let end = memchr::memchr2(b'\r', b'\n', bytes);
        let (line, rest) = bytes
            .split_at_checked(end.unwrap_or(bytes.len()))
            .unwrap_or_default();
        self.scan(line, found);
        match rest.split_first() {
            Some((&byte, after)) => {
                self.end_line(byte);
                after
            }
            None => rest,
        }
    }

    fn scan(&mut self, data: &[u8], found: &mut impl FnMut(ResponseField, Option<&[u8]>)) {
        self.done = self.done.and_then(|matched| {
            let left = DONE.get(matched..).unwrap_or_default();
            left.starts_with(data).then_some(matched + data.len())
        });
        self.scanner.feed(data, found);
    }

    /// Ends a line. An empty line ends its event.
    fn end_line(&mut self, byte: u8) {
        if self.position == LinePosition::Start {
            self.scanner.reset();
            self.has_data = false;
        }
        self.is_done |= self.done.take() == Some(DONE.len());
        self.after_return = byte == b'\r';
        self.position = LinePosition::Start;
    }

    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.scanner.buffered()
    }
}
