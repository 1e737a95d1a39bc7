//! Server-sent events (WHATWG HTML, section 9.2): the data of each goes through a scanner as it
//! comes, so that no event is ever held in memory.

use super::json::{Scanner, Target};

/// The field that holds data.
const DATA: &[u8] = b"data";

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// At the start of a line.
    #[default]
    Start,
    /// In a field's name, which is that of data so far; this many bytes of it.
    Name(usize),
    /// Behind the colon, where one space is not part of the value.
    Colon,
    Data,
    /// In a line of no interest.
    Skip,
}

/// Reads a stream of events.
#[derive(Default)]
pub(super) struct Events {
    place: Place,
    /// Whether the last byte was a carriage return: a line feed then ends no line of its own.
    after_return: bool,
    /// How much of a byte order mark at the start of the stream was seen.
    mark: usize,
    begun: bool,
    /// Whether the current event has had a line of data.
    has_data: bool,
    scanner: Scanner,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Events {
    /// Reads the next bytes; `found` gets each value that is complete.
    pub(super) fn feed(&mut self, chunk: &[u8], mut found: impl FnMut(Target, Option<&[u8]>)) {
        let mut rest = self.skip_mark(chunk);
        while let Some((&byte, after)) = rest.split_first() {
            if self.place == Place::Data {
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
        self.begun
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

    fn in_line(&mut self, byte: u8, found: &mut impl FnMut(Target, Option<&[u8]>)) {
        self.place = match (self.place, byte) {
            (Place::Start, b'd') => Place::Name(1),
            (Place::Name(length), b':') if length == DATA.len() => self.begin_data(found),
            (Place::Name(length), byte) if DATA.get(length) == Some(&byte) => {
                Place::Name(length + 1)
            }
            (Place::Colon, b' ') => Place::Data,
            (Place::Colon, _) => {
                self.scanner.feed(&[byte], found);
                Place::Data
            }
            _ => Place::Skip,
        };
    }

    fn begin_data(&mut self, found: &mut impl FnMut(Target, Option<&[u8]>)) -> Place {
        self.begun = true;
        if std::mem::replace(&mut self.has_data, true) {
            self.scanner.feed(b"\n", found);
        }
        Place::Colon
    }

    /// Passes on the rest of a line of data, and returns what follows it.
    fn data<'a>(
        &mut self,
        bytes: &'a [u8],
        found: &mut impl FnMut(Target, Option<&[u8]>),
    ) -> &'a [u8] {
        let end = memchr::memchr2(b'\r', b'\n', bytes);
        let (line, rest) = bytes
            .split_at_checked(end.unwrap_or(bytes.len()))
            .unwrap_or_default();
        self.scanner.feed(line, found);
        match rest.split_first() {
            Some((&byte, after)) => {
                self.end_line(byte);
                after
            }
            None => rest,
        }
    }

    /// Ends a line; an empty one ends its event.
    fn end_line(&mut self, byte: u8) {
        if self.place == Place::Start {
            self.scanner.reset();
            self.has_data = false;
        }
        self.after_return = byte == b'\r';
        self.place = Place::Start;
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.scanner.held()
    }
}
