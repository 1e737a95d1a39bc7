//! A scanner of JSON that is fed a body in chunks and hands out a few values of it.
//!
//! It follows brackets and strings only, a byte at a time, so that where a chunk ends changes
//! nothing; numbers and words pass unread. It keeps the names of the outermost containers, one
//! key, and one value at a time, each with a limit. What is no JSON finds nothing.

/// A value that is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An object: the tokens.
    Usage,
    Model,
    Id,
    FinishReason,
    ErrorCode,
    ErrorType,
}

impl Target {
    /// The most bytes of it that are kept; a longer one is given up.
    const fn limit(self) -> usize {
        match self {
            Target::Usage => 8 * 1024,
            _ => 256,
        }
    }

    /// What it opens with.
    const fn opening(self) -> u8 {
        match self {
            Target::Usage => b'{',
            _ => b'"',
        }
    }
}

/// The names that matter, of keys and of what was entered through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Name {
    #[default]
    Other,
    /// The element of an array.
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
}

impl Name {
    fn of(key: &[u8]) -> Name {
        match key {
            b"usage" => Name::Usage,
            b"model" => Name::Model,
            b"id" => Name::Id,
            b"message" => Name::Message,
            b"response" => Name::Response,
            b"choices" => Name::Choices,
            b"delta" => Name::Delta,
            b"x_groq" => Name::Groq,
            b"error" => Name::Error,
            b"code" => Name::Code,
            b"type" => Name::Type,
            b"finish_reason" => Name::FinishReason,
            b"stop_reason" => Name::StopReason,
            b"status" => Name::Status,
            _ => Name::Other,
        }
    }
}

/// Returns what stands under `key` in the container that `path` leads to.
fn target(path: &[Name], key: Name) -> Option<Target> {
    match (path, key) {
        // Anthropic wraps the answer in `message` when it streams, OpenAI's responses in
        // `response`.
        ([] | [Name::Message | Name::Response], key) => match key {
            Name::Usage => Some(Target::Usage),
            Name::Model => Some(Target::Model),
            Name::Id => Some(Target::Id),
            Name::StopReason | Name::Status => Some(Target::FinishReason),
            _ => None,
        },
        ([Name::Delta], Name::StopReason) => Some(Target::FinishReason),
        ([Name::Choices, Name::Item], Name::FinishReason) => Some(Target::FinishReason),
        // Moonshot and Groq put the tokens of a stream here.
        ([Name::Choices, Name::Item] | [Name::Groq], Name::Usage) => Some(Target::Usage),
        ([Name::Error] | [Name::Response, Name::Error], Name::Code) => Some(Target::ErrorCode),
        ([Name::Error], Name::Type) => Some(Target::ErrorType),
        _ => None,
    }
}

/// How many containers are known by name; what is deeper holds nothing of interest.
const DEEPEST: usize = 3;

/// The longest key that is compared.
const LONGEST_KEY: usize = 16;

/// How many bytes are looked at in one go.
const BLOCK: usize = 32;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Between,
    Key,
    String,
    /// Behind a backslash of a string.
    Escape,
    /// Behind a backslash of a key.
    KeyEscape,
}

/// The scanner of one document after the other.
#[derive(Default)]
pub(super) struct Scanner {
    place: Place,
    /// How many containers are open, the document's own included.
    depth: u32,
    /// The names of the containers in the document's own, as far as they are known.
    path: [Name; DEEPEST],
    /// Whether the containers, the document's own first, are objects: a bit each.
    objects: u8,
    /// Whether a string that starts now is a key.
    key_due: bool,
    key: [u8; LONGEST_KEY],
    key_length: usize,
    /// The name of the last key, until its value has begun.
    name: Name,
    capture: Option<Capture>,
    /// The memory of the last capture, for the next.
    spare: Vec<u8>,
}

struct Capture {
    target: Target,
    /// The depth at which it ends.
    depth: u32,
    bytes: Vec<u8>,
    too_long: bool,
}

impl Scanner {
    /// Reads the next bytes; `found` gets each value that is complete, `None` for one too long.
    pub(super) fn feed(&mut self, chunk: &[u8], mut found: impl FnMut(Target, Option<&[u8]>)) {
        let mut rest = chunk;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match self.place {
                Place::Between => {
                    self.between(byte, &mut found);
                    if self.place == Place::Between && self.capture.is_none() {
                        rest = self.skip_plain(after);
                    }
                }
                Place::String if self.capture.is_none() => {
                    rest = self.skip(byte, after);
                }
                Place::String => self.in_string(byte, &mut found),
                Place::Escape => {
                    self.keep(byte);
                    self.place = Place::String;
                }
                Place::Key => self.in_key(byte),
                Place::KeyEscape => {
                    self.keep(byte);
                    self.key_length = LONGEST_KEY + 1;
                    self.place = Place::Key;
                }
            }
        }
    }

    /// Forgets the document that was being read.
    pub(super) fn reset(&mut self) {
        let spare = match self.capture.take() {
            Some(capture) => capture.bytes,
            None => std::mem::take(&mut self.spare),
        };
        *self = Scanner {
            spare,
            ..Scanner::default()
        };
    }

    fn between(&mut self, byte: u8, found: &mut impl FnMut(Target, Option<&[u8]>)) {
        match byte {
            b'"' if self.key_due => self.open_key(byte),
            b'"' => self.open_string(byte),
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(byte, found),
            b',' => {
                self.keep(byte);
                self.name = Name::Other;
                self.key_due = self.is_in_object();
            }
            _ => self.keep(byte),
        }
    }

    /// Passes over a string that nobody wants: to its end, to its next escape, or all there is.
    fn skip<'a>(&mut self, byte: u8, after: &'a [u8]) -> &'a [u8] {
        match byte {
            b'"' => self.place = Place::Between,
            b'\\' => self.place = Place::Escape,
            _ => {
                let end = memchr::memchr2(b'"', b'\\', after).unwrap_or(after.len());
                return after.get(end..).unwrap_or_default();
            }
        }
        after
    }

    /// Passes over what changes nothing between strings: numbers, words, spaces, and commas but for
    /// those that a key follows. Most of an embedding is that.
    fn skip_plain<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let commas = self.is_in_object();
        // `[` and `{` differ in one bit, and so do `]` and `}`.
        let matters = |byte: &u8| {
            let bracket = byte | 0x20;
            (*byte == b'"') | (bracket == b'{') | (bracket == b'}') | (commas & (*byte == b','))
        };
        // Whole blocks first, without a branch for each byte.
        let plain = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | matters(byte));
        let blocks = bytes.chunks(BLOCK).take_while(plain).count();
        let rest = bytes.get(blocks * BLOCK..).unwrap_or_default();
        let at = rest.iter().position(matters);
        at.and_then(|at| rest.get(at..)).unwrap_or_default()
    }

    fn open_key(&mut self, byte: u8) {
        self.keep(byte);
        self.key_due = false;
        self.key_length = 0;
        self.place = Place::Key;
    }

    fn in_key(&mut self, byte: u8) {
        self.keep(byte);
        match byte {
            b'"' => {
                let key = self.key.get(..self.key_length).unwrap_or_default();
                self.name = Name::of(key);
                self.place = Place::Between;
            }
            b'\\' => self.place = Place::KeyEscape,
            _ => {
                if let Some(place) = self.key.get_mut(self.key_length) {
                    *place = byte;
                }
                self.key_length = (self.key_length + 1).min(LONGEST_KEY + 1);
            }
        }
    }

    fn open_string(&mut self, byte: u8) {
        self.keep(byte);
        self.place = Place::String;
        self.begin_capture(byte);
    }

    fn in_string(&mut self, byte: u8, found: &mut impl FnMut(Target, Option<&[u8]>)) {
        if byte == b'"' {
            self.place = Place::Between;
            let ends = |capture: &Capture| capture.target.opening() == b'"';
            if self.capture.as_ref().is_some_and(ends) {
                return self.end_capture(found);
            }
        } else if byte == b'\\' {
            self.place = Place::Escape;
        }
        self.keep(byte);
    }

    fn open(&mut self, byte: u8) {
        self.begin_capture(byte);
        self.keep(byte);
        let in_array = self.depth > 0 && !self.is_in_object();
        let name = if in_array { Name::Item } else { self.name };
        let at = usize::try_from(self.depth).unwrap_or(usize::MAX);
        if let Some(place) = at.checked_sub(1).and_then(|at| self.path.get_mut(at)) {
            *place = name;
        }
        if at <= DEEPEST {
            let bit = 1_u8 << at;
            self.objects = match byte {
                b'{' => self.objects | bit,
                _ => self.objects & !bit,
            };
        }
        self.depth = self.depth.saturating_add(1);
        self.name = Name::Other;
        self.key_due = self.is_in_object();
    }

    fn close(&mut self, byte: u8, found: &mut impl FnMut(Target, Option<&[u8]>)) {
        self.keep(byte);
        self.depth = self.depth.saturating_sub(1);
        self.name = Name::Other;
        self.key_due = false;
        let ends = |capture: &Capture| capture.depth == self.depth;
        if self.capture.as_ref().is_some_and(ends) {
            self.end_capture(found);
        }
    }

    /// Returns whether the innermost container is an object, as far as it is of interest.
    fn is_in_object(&self) -> bool {
        let innermost = usize::try_from(self.depth)
            .ok()
            .and_then(|d| d.checked_sub(1));
        innermost.is_some_and(|at| at <= DEEPEST && self.objects & (1 << at) != 0)
    }

    /// Starts to keep the value that opens with `byte`, if it is one of those wanted.
    fn begin_capture(&mut self, byte: u8) {
        if self.capture.is_some() || self.name == Name::Other || !self.is_in_object() {
            return;
        }
        let inside = usize::try_from(self.depth)
            .ok()
            .and_then(|d| d.checked_sub(1));
        let path = inside.and_then(|inside| self.path.get(..inside));
        let wanted = path.and_then(|path| target(path, self.name));
        if let Some(target) = wanted.filter(|target| target.opening() == byte) {
            let mut bytes = std::mem::take(&mut self.spare);
            bytes.clear();
            self.capture = Some(Capture {
                target,
                depth: self.depth,
                bytes,
                too_long: false,
            });
        }
    }

    fn keep(&mut self, byte: u8) {
        if let Some(capture) = &mut self.capture {
            if capture.bytes.len() < capture.target.limit() {
                capture.bytes.push(byte);
            } else {
                capture.too_long = true;
            }
        }
    }

    fn end_capture(&mut self, found: &mut impl FnMut(Target, Option<&[u8]>)) {
        if let Some(capture) = self.capture.take() {
            found(
                capture.target,
                (!capture.too_long).then_some(&capture.bytes),
            );
            self.spare = capture.bytes;
        }
    }

    /// Returns how many bytes it holds beyond itself.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.spare.capacity() + self.capture.as_ref().map_or(0, |c| c.bytes.capacity())
    }
}
