//! A JSON scanner that takes a body in chunks and extracts a few of its values.
//!
//! It follows brackets and strings only, byte by byte, so the boundaries of chunks do not matter.
//! Numbers and words pass unread. It keeps the names of the outermost containers, one key, and one
//! value at a time, each with a limit. In text that is not JSON it finds nothing.

/// A value that is extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseField {
    /// The object with the counts of tokens.
    Usage,
    Model,
    Id,
    FinishReason,
    /// Why a response of OpenAI is incomplete.
    IncompleteReason,
    ErrorCode,
    ErrorType,
}

impl ResponseField {
    /// Returns the most bytes that are kept. A longer value is dropped.
    const fn limit(self) -> usize {
        match self {
            ResponseField::Usage => 8 * 1024,
            _ => 256,
        }
    }

    /// Returns the byte that the value starts with.
    const fn opening(self) -> u8 {
        match self {
            ResponseField::Usage => b'{',
            _ => b'"',
        }
    }
}

/// The relevant names of keys and containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum KeyName {
    #[default]
    Other,
    /// An element of an array.
    Item,
    Usage,
    Model,
    Id,
    Message,
    Response,
    Choices,
    Delta,
    Groq,
    Error,
    Code,
    Type,
    FinishReason,
    StopReason,
    Status,
    IncompleteDetails,
    Reason,
}

impl KeyName {
    fn of(key: &[u8]) -> KeyName {
        match key {
            b"usage" => KeyName::Usage,
            b"model" => KeyName::Model,
            b"id" => KeyName::Id,
            b"message" => KeyName::Message,
            b"response" => KeyName::Response,
            b"choices" => KeyName::Choices,
            b"delta" => KeyName::Delta,
            b"x_groq" => KeyName::Groq,
            b"error" => KeyName::Error,
            b"code" => KeyName::Code,
            b"type" => KeyName::Type,
            b"finish_reason" => KeyName::FinishReason,
            b"stop_reason" => KeyName::StopReason,
            b"status" => KeyName::Status,
            b"incomplete_details" => KeyName::IncompleteDetails,
            b"reason" => KeyName::Reason,
            _ => KeyName::Other,
        }
    }
}

/// Returns the field that `key` is in the container at `path`.
fn field(path: &[KeyName], key: KeyName) -> Option<ResponseField> {
    match (path, key) {
        // In streams, Anthropic wraps the response in `message`, and OpenAI's responses API in
        // `response`.
        ([] | [KeyName::Message | KeyName::Response], key) => match key {
            KeyName::Usage => Some(ResponseField::Usage),
            KeyName::Model => Some(ResponseField::Model),
            KeyName::Id => Some(ResponseField::Id),
            KeyName::StopReason | KeyName::Status => Some(ResponseField::FinishReason),
            _ => None,
        },
        ([KeyName::Delta], KeyName::StopReason) => Some(ResponseField::FinishReason),
        ([KeyName::Choices, KeyName::Item], KeyName::FinishReason) => {
            Some(ResponseField::FinishReason)
        }
        (
            [KeyName::IncompleteDetails] | [KeyName::Response, KeyName::IncompleteDetails],
            KeyName::Reason,
        ) => Some(ResponseField::IncompleteReason),
        // Moonshot and Groq report the tokens of a stream here.
        ([KeyName::Choices, KeyName::Item] | [KeyName::Groq], KeyName::Usage) => {
            Some(ResponseField::Usage)
        }
        ([KeyName::Error] | [KeyName::Response, KeyName::Error], KeyName::Code) => {
            Some(ResponseField::ErrorCode)
        }
        ([KeyName::Error], KeyName::Type) => Some(ResponseField::ErrorType),
        _ => None,
    }
}

/// How deep containers are tracked by name. Deeper ones hold no relevant values.
const MAX_DEPTH: usize = 3;

/// The longest key that is compared.
const MAX_KEY: usize = 18;

/// How many bytes are tested at once.
const BLOCK: usize = 32;

/// Where in the text the scanner is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum ScanState {
    /// Outside of strings.
    #[default]
    Between,
    Key,
    String,
    /// After a backslash in a string.
    Escape,
    /// After a backslash in a key.
    KeyEscape,
}

/// Scans documents, one after the other.
#[derive(Default)]
pub(super) struct Scanner {
    state: ScanState,
    /// The number of open containers, including the document itself.
    depth: u32,
    /// The names of the open containers within the document.
    path: [KeyName; MAX_DEPTH],
    /// Whether each open container is an object, one bit each; the document is the lowest.
    objects: u8,
    /// Whether a string that starts now is a key.
    expects_key: bool,
    key: [u8; MAX_KEY],
    key_length: usize,
    /// The name of the last key, until its value begins.
    name: KeyName,
    capture: Option<FieldCapture>,
    /// The buffer of the last capture, reused by the next.
    buffer: Vec<u8>,
}

/// A value that is being extracted.
struct FieldCapture {
    field: ResponseField,
    /// The depth at which the value ends.
    depth: u32,
    bytes: Vec<u8>,
    too_long: bool,
}

impl Scanner {
    /// Reads the next bytes. `found` receives each complete value; `None` for one that is too long.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut found: impl FnMut(ResponseField, Option<&[u8]>),
    ) {
        let mut rest = chunk;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match self.state {
                ScanState::Between => {
                    self.between(byte, &mut found);
                    if self.state == ScanState::Between && self.capture.is_none() {
                        rest = self.skip_plain(after);
                    }
                }
                ScanState::String if self.capture.is_none() => {
                    rest = self.skip(byte, after);
                }
                ScanState::String => self.in_string(byte, &mut found),
                ScanState::Escape => {
                    self.keep(byte);
                    self.state = ScanState::String;
                }
                ScanState::Key => self.in_key(byte),
                ScanState::KeyEscape => {
                    self.keep(byte);
                    self.key_length = MAX_KEY + 1;
                    self.state = ScanState::Key;
                }
            }
        }
    }

    /// Starts a new document.
    pub(super) fn reset(&mut self) {
        let buffer = match self.capture.take() {
            Some(capture) => capture.bytes,
            None => std::mem::take(&mut self.buffer),
        };
        *self = Scanner {
            buffer,
            ..Scanner::default()
        };
    }

    fn between(&mut self, byte: u8, found: &mut impl FnMut(ResponseField, Option<&[u8]>)) {
        match byte {
            b'"' if self.expects_key => self.open_key(byte),
            b'"' => self.open_string(byte),
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(byte, found),
            b',' => {
                self.keep(byte);
                self.name = KeyName::Other;
                self.expects_key = self.is_in_object();
            }
            _ => self.keep(byte),
        }
    }

    /// Skips an irrelevant string up to its end, its next escape, or the end of the chunk.
    fn skip<'a>(&mut self, byte: u8, after: &'a [u8]) -> &'a [u8] {
        match byte {
            b'"' => self.state = ScanState::Between,
            b'\\' => self.state = ScanState::Escape,
            _ => {
                let end = memchr::memchr2(b'"', b'\\', after).unwrap_or(after.len());
                return after.get(end..).unwrap_or_default();
            }
        }
        after
    }

    /// Skips numbers, words, spaces, and commas that no key follows. Most of an embedding consists of
    /// these.
    fn skip_plain<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let commas = self.is_in_object();
        // `[` and `{` differ in one bit, and so do `]` and `}`.
        let matters = |byte: &u8| {
            let bracket = byte | 0x20;
            (*byte == b'"') | (bracket == b'{') | (bracket == b'}') | (commas & (*byte == b','))
        };
        // Whole blocks first, without a branch per byte.
        let plain = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | matters(byte));
        let blocks = bytes.chunks(BLOCK).take_while(plain).count();
        let rest = bytes.get(blocks * BLOCK..).unwrap_or_default();
        let at = rest.iter().position(matters);
        at.and_then(|at| rest.get(at..)).unwrap_or_default()
    }

    fn open_key(&mut self, byte: u8) {
        self.keep(byte);
        self.expects_key = false;
        self.key_length = 0;
        self.state = ScanState::Key;
    }

    fn in_key(&mut self, byte: u8) {
        self.keep(byte);
        match byte {
            b'"' => {
                let key = self.key.get(..self.key_length).unwrap_or_default();
                self.name = KeyName::of(key);
                self.state = ScanState::Between;
            }
            b'\\' => self.state = ScanState::KeyEscape,
            _ => {
                if let Some(slot) = self.key.get_mut(self.key_length) {
                    *slot = byte;
                }
                self.key_length = (self.key_length + 1).min(MAX_KEY + 1);
            }
        }
    }

    fn open_string(&mut self, byte: u8) {
        self.keep(byte);
        self.state = ScanState::String;
        self.begin_capture(byte);
    }

    fn in_string(&mut self, byte: u8, found: &mut impl FnMut(ResponseField, Option<&[u8]>)) {
        if byte == b'"' {
            self.state = ScanState::Between;
            let ends = |capture: &FieldCapture| capture.field.opening() == b'"';
            if self.capture.as_ref().is_some_and(ends) {
                return self.end_capture(found);
            }
        } else if byte == b'\\' {
            self.state = ScanState::Escape;
        }
        self.keep(byte);
    }

    fn open(&mut self, byte: u8) {
        self.begin_capture(byte);
        self.keep(byte);
        let in_array = self.depth > 0 && !self.is_in_object();
        let name = if in_array { KeyName::Item } else { self.name };
        let at = usize::try_from(self.depth).unwrap_or(usize::MAX);
        if let Some(slot) = at.checked_sub(1).and_then(|at| self.path.get_mut(at)) {
            *slot = name;
        }
        if at <= MAX_DEPTH {
            let bit = 1_u8 << at;
            self.objects = match byte {
                b'{' => self.objects | bit,
                _ => self.objects & !bit,
            };
        }
        self.depth = self.depth.saturating_add(1);
        self.name = KeyName::Other;
        self.expects_key = self.is_in_object();
    }

    fn close(&mut self, byte: u8, found: &mut impl FnMut(ResponseField, Option<&[u8]>)) {
        self.keep(byte);
        self.depth = self.depth.saturating_sub(1);
        self.name = KeyName::Other;
        self.expects_key = false;
        let ends = |capture: &FieldCapture| capture.depth == self.depth;
        if self.capture.as_ref().is_some_and(ends) {
            self.end_capture(found);
        }
    }

    /// Returns whether the innermost container is a tracked object.
    fn is_in_object(&self) -> bool {
        let innermost = usize::try_from(self.depth)
            .ok()
            .and_then(|d| d.checked_sub(1));
        innermost.is_some_and(|at| at <= MAX_DEPTH && self.objects & (1 << at) != 0)
    }

    /// Starts to capture the value that opens with `byte`, if it is a relevant field.
    fn begin_capture(&mut self, byte: u8) {
        if self.capture.is_some() || self.name == KeyName::Other || !self.is_in_object() {
            return;
        }
        let inside = usize::try_from(self.depth)
            .ok()
            .and_then(|d| d.checked_sub(1));
        let path = inside.and_then(|inside| self.path.get(..inside));
        let field = path.and_then(|path| field(path, self.name));
        if let Some(field) = field.filter(|field| field.opening() == byte) {
            let mut bytes = std::mem::take(&mut self.buffer);
            bytes.clear();
            self.capture = Some(FieldCapture {
                field,
                depth: self.depth,
                bytes,
                too_long: false,
            });
        }
    }

    fn keep(&mut self, byte: u8) {
        if let Some(capture) = &mut self.capture {
            if capture.bytes.len() < capture.field.limit() {
                capture.bytes.push(byte);
            } else {
                capture.too_long = true;
            }
        }
    }

    fn end_capture(&mut self, found: &mut impl FnMut(ResponseField, Option<&[u8]>)) {
        if let Some(capture) = self.capture.take() {
            found(capture.field, (!capture.too_long).then_some(&capture.bytes));
            self.buffer = capture.bytes;
        }
    }

    /// Returns the number of buffered bytes.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.buffer.capacity() + self.capture.as_ref().map_or(0, |c| c.bytes.capacity())
    }
}
