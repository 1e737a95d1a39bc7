//! Shows a text as who reads it would: without percent-encoding, escapes, entities, escape codes of
//! terminals, characters without width, and fullwidth letters. What is found in that view is cut from
//! the text itself.

/// How often a part may be encoded: a redirect to a redirect to a URL.
const DEEPEST: usize = 3;

/// How long an escape code or an entity may be.
const LONGEST: usize = 24;

/// A text as it is shown, and where each of its bytes comes from.
pub(super) struct View {
    pub(super) text: String,
    /// One more than the text has bytes: the last is the source's length.
    pub(super) origin: Vec<u32>,
}

/// Returns the view of a text; `None` where it is the text itself.
pub(super) fn view(text: &str) -> Option<View> {
    let mut view = shown(text)?;
    for _ in 1..DEEPEST {
        let Some(inner) = shown(&view.text) else {
            break;
        };
        let outer = |at: &u32| {
            usize::try_from(*at)
                .ok()
                .and_then(|at| view.origin.get(at))
                .copied()
                .unwrap_or_default()
        };
        let origin = inner.origin.iter().map(outer).collect();
        view = View {
            text: inner.text,
            origin,
        };
    }
    Some(view)
}

/// Undoes one level of encoding.
fn shown(source: &str) -> Option<View> {
    if u32::try_from(source.len()).is_err() {
        return None;
    }
    let mut at = next_odd(source, 0)?;
    let mut view: Option<View> = None;
    let mut copied = 0;
    while let Some((shown, len)) = source.get(at..).and_then(disguised_or_next) {
        super::steps::add(1);
        if let Shown::Same = shown {
            at = next_odd(source, at + len).unwrap_or(source.len());
            continue;
        }
        let view = view.get_or_insert_with(|| View {
            text: String::with_capacity(source.len()),
            origin: Vec::with_capacity(source.len() + 1),
        });
        view.copy(source, copied, at);
        if let Shown::As(c) = shown {
            view.push(c, at);
        }
        at += len;
        copied = at;
        at = next_odd(source, at).unwrap_or(source.len());
    }
    let mut view = view?;
    view.copy(source, copied, source.len());
    view.origin.push(u32::try_from(source.len()).ok()?);
    Some(view)
}

/// Returns where the next byte is that may start something in disguise.
fn next_odd(source: &str, from: usize) -> Option<usize> {
    let odd = |b: &u8| matches!(*b, b'%' | b'\\' | b'&' | 0x00..=0x08 | 0x0b..=0x0c | 0x0e..=0x1f | 0x7f | 0xc2 | 0xe2 | 0xe3 | 0xef | 0xd8);
    let found = source.as_bytes().get(from..)?.iter().position(odd);
    super::steps::add(found.unwrap_or(source.len() - from));
    found.map(|at| from + at)
}

impl View {
    fn copy(&mut self, source: &str, from: usize, to: usize) {
        let piece = source.get(from..to).unwrap_or_default();
        self.text.push_str(piece);
        let end = from + piece.len();
        self.origin
            .extend((from..end).filter_map(|at| u32::try_from(at).ok()));
    }

    fn push(&mut self, c: char, from: usize) {
        self.text.push(c);
        let from = u32::try_from(from).unwrap_or_default();
        self.origin.extend(std::iter::repeat_n(from, c.len_utf8()));
    }
}

/// What something is shown as.
enum Shown {
    Same,
    As(char),
    Nothing,
}

/// Returns what the start of the text is shown as, and how many bytes of it.
fn disguised_or_next(text: &str) -> Option<(Shown, usize)> {
    let bytes = text.as_bytes();
    let found = match bytes.first()? {
        b'%' => percent(bytes),
        b'\\' => escape(bytes),
        b'&' => entity(text),
        0x1b => Some((Shown::Nothing, code_len(bytes))),
        b'\t' | b'\n' | b'\r' => None,
        byte if byte.is_ascii_control() => Some((Shown::Nothing, 1)),
        byte if byte.is_ascii() => None,
        _ => wide(text),
    };
    Some(found.unwrap_or((Shown::Same, text.chars().next()?.len_utf8())))
}

fn percent(bytes: &[u8]) -> Option<(Shown, usize)> {
    let code = hex(bytes.get(1..3)?)?;
    let c = char::from_u32(code).filter(|c| matches!(c, ' '..='~' | '\n'))?;
    Some((Shown::As(c), 3))
}

/// `\u0041`, `\u{41}`, `\x41`, `\e`, `\033`
fn escape(bytes: &[u8]) -> Option<(Shown, usize)> {
    let (code, len) = match bytes.get(1)? {
        b'u' if bytes.get(2) == Some(&b'{') => {
            let digits = bytes
                .get(3..)?
                .iter()
                .take(6)
                .take_while(|b| **b != b'}')
                .count();
            (bytes.get(3 + digits) == Some(&b'}')).then_some(())?;
            (hex(bytes.get(3..3 + digits)?)?, digits + 4)
        }
        b'u' => (hex(bytes.get(2..6)?)?, 6),
        b'x' => (hex(bytes.get(2..4)?)?, 4),
        b'e' if bytes.get(2) == Some(&b'[') => (0x1b, 2),
        b'0' if bytes.starts_with(b"\\033[") => (0x1b, 4),
        _ => return None,
    };
    let c = char::from_u32(code)?;
    match plain(c) {
        Some(shown) => Some((shown, len)),
        None if c.is_ascii() => Some((Shown::As(c), len)),
        None => None,
    }
}

fn entity(text: &str) -> Option<(Shown, usize)> {
    let bytes = text.as_bytes();
    let inside = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'#';
    let end = 1 + bytes
        .iter()
        .skip(1)
        .take(LONGEST)
        .take_while(inside)
        .count();
    (bytes.get(end) == Some(&b';')).then_some(())?;
    let name = text.get(1..end)?;
    let c = match name {
        "quot" => '"',
        "apos" => '\'',
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "equals" => '=',
        "colon" => ':',
        "nbsp" => ' ',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => hex(digits.as_bytes())?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(char::is_ascii_graphic)?
        }
    };
    Some((Shown::As(c), end + 1))
}

/// Returns the length of an escape code: `ESC [`, parameters, a letter (ECMA-48, section 5.4).
fn code_len(bytes: &[u8]) -> usize {
    if bytes.get(1) != Some(&b'[') {
        return 1;
    }
    let rest = bytes.get(2..).unwrap_or_default();
    let parameters = rest
        .iter()
        .take(LONGEST)
        .take_while(|b| matches!(b, 0x20..=0x3f))
        .count();
    let last = rest
        .get(parameters)
        .is_some_and(|b| matches!(b, 0x40..=0x7e));
    2 + parameters + usize::from(last)
}

fn wide(text: &str) -> Option<(Shown, usize)> {
    let c = text.chars().next()?;
    plain(c).map(|shown| (shown, c.len_utf8()))
}

/// Returns what a character outside ASCII is shown as, where it is shown as one inside, or not at all.
fn plain(c: char) -> Option<Shown> {
    Some(match c {
        '\u{ff01}'..='\u{ff5e}' => Shown::As(char::from_u32(u32::from(c) - 0xfee0)?),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => Shown::As(' '),
        '\u{201c}'..='\u{201f}' => Shown::As('"'),
        '\u{2018}'..='\u{201b}' => Shown::As('\''),
        '\u{2010}'..='\u{2013}' => Shown::As('-'),
        _ if super::neutral::is_invisible(c) => Shown::Nothing,
        _ => return None,
    })
}

fn hex(digits: &[u8]) -> Option<u32> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| plain)?;
    u32::from_str_radix(digits, 16).ok()
}
