//! Values over more than one line or within brackets: derived `Debug` output, arrays, YAML blocks.

use super::{
    bytes::{is_alnum, is_space, run, run_within},
    harmless::{Style, is_new, is_spared},
    key::Kind,
    value::{Name, quoted},
};

/// How far into a bracket is looked to see whether there is something secret in it.
const NEAR: usize = 96;

/// How deep `Some(Secret("x"))` goes.
const DEEPEST: usize = 4;

/// What stands within brackets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    open: u8,
    /// Behind the opening bracket.
    inside: usize,
    /// Whether a function is called: an expression, no value.
    call: bool,
}

/// Returns the group that starts at `at`: `(..)`, `[..]`, `{..}`, with a type's name before or without.
pub(super) fn group(bytes: &[u8], at: usize) -> Option<Group> {
    let at = at + usize::from(bytes.get(at) == Some(&b'&'));
    let name = run_within(bytes, at, 64, |b| {
        is_alnum(b) || matches!(b, b'_' | b':' | b'<' | b'>')
    });
    let spaced = name + usize::from(name > at && bytes.get(name) == Some(&b' '));
    let open = *bytes.get(spaced)?;
    let type_name =
        bytes.get(at).is_some_and(u8::is_ascii_uppercase) || bytes.get(at..name)?.contains(&b':');
    match open {
        b'{' if name == at || type_name => {}
        b'(' | b'[' if spaced == name => {}
        _ => return None,
    }
    Some(Group {
        open,
        inside: spaced + 1,
        call: name > at && !type_name,
    })
}

impl Group {
    /// Returns the range of all that is within, when what comes first in it is secret.
    pub(super) fn secret_in(self, bytes: &[u8], name: Name) -> Option<(usize, usize)> {
        let pair = name.kind == Kind::Loose && self.is_pair(bytes);
        if self.call || !(pair || self.is_secret(bytes, name)) {
            return None;
        }
        let (start, end) = (self.inside, close(bytes, self.inside, self.open));
        (end > start).then_some((start, end))
    }

    /// `("bob", "x")`: a user and a password.
    fn is_pair(self, bytes: &[u8]) -> bool {
        let near = bytes.len().min(self.inside + NEAR);
        let text = bytes.get(self.inside..near).unwrap_or_default();
        let second = quoted(text, 0).and_then(|(_, end)| {
            let comma = run_within(text, end + 1, 3, |b| matches!(b, b',' | b' '));
            (comma > end + 1).then(|| quoted(text, comma))?
        });
        self.open != b'{' && second.is_some_and(|(_, end)| end < text.len())
    }

    fn is_secret(self, bytes: &[u8], name: Name) -> bool {
        let mut group = self;
        for _ in 0..DEEPEST {
            let at = leaf(bytes, group.inside, group.open);
            let near = bytes.len().min(at + NEAR);
            let Some(text) = bytes.get(at..near) else {
                return false;
            };
            let spared = |value: &[u8], style| is_spared(value, name.kind, name.many, style);
            if text.starts_with(b"[redacted") {
                return false;
            }
            if let Some((start, end)) = quoted(text, 0) {
                let value = text.get(start..end).unwrap_or_default();
                return !spared(value, Style::Quoted);
            }
            if let Some(inner) = self::group(bytes, at).filter(|inner| inner.inside < near) {
                group = inner;
                continue;
            }
            let end = run(text, 0, |b| {
                !b.is_ascii_whitespace() && !matches!(b, b',' | b')' | b']' | b'}')
            });
            let value = text.get(..end).unwrap_or_default();
            let letters = value
                .iter()
                .all(|b| b.is_ascii_alphabetic() || b"_:.<>&".contains(b));
            let counts = group.open == b'{' || name.many || name.kind == Kind::Token;
            // A list of numbers under a name in the singular is a list of bytes.
            let number = value.iter().all(u8::is_ascii_digit);
            let counted = number && counts;
            return !(letters || counted || spared(value, Style::Said));
        }
        false
    }
}

/// Returns where the first value within a bracket starts: behind its name, in a `{..}`.
fn leaf(bytes: &[u8], inside: usize, open: u8) -> usize {
    let blank = |b: u8| b.is_ascii_whitespace();
    let at = run_within(bytes, inside, NEAR, blank);
    if open != b'{' {
        return at;
    }
    let near = bytes.len().min(at + NEAR);
    let colon = run_within(bytes, at, near - at.min(near), |b| {
        !matches!(b, b':' | b'=' | b'}')
    });
    if matches!(bytes.get(colon), Some(b':' | b'=')) {
        run_within(bytes, colon + 1, NEAR, blank)
    } else {
        at
    }
}

/// Returns where the bracket closes that is open before `from`; quoted ones do not count.
fn close(bytes: &[u8], from: usize, open: u8) -> usize {
    let shut = match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    };
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (i, byte) in bytes.iter().copied().enumerate().skip(from) {
        super::steps::add(1);
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, byte) {
            (_, b'\\') => escaped = true,
            (Some(q), _) if q == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"') => quote = Some(byte),
            (None, _) if byte == open => depth += 1,
            (None, _) if byte == shut => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return i,
            },
            _ => {}
        }
    }
    bytes.len()
}

/// Returns the lines of a YAML block (`|`, `>-`) that starts at `at`, of a name at `name`.
pub(super) fn yaml_block(bytes: &[u8], at: usize, name: usize) -> Option<(usize, usize)> {
    if !matches!(bytes.get(at), Some(b'|' | b'>')) {
        return None;
    }
    let header = run_within(bytes, at + 1, 3, |b| {
        b.is_ascii_digit() || matches!(b, b'+' | b'-')
    });
    let line = run_within(bytes, header, 8, |b| is_space(b) || b == b'\r');
    (bytes.get(line) == Some(&b'\n')).then_some(())?;
    indented(bytes, line + 1, column(bytes, name))
}

/// Returns the lines `- x` below a name, or the one deeper line.
pub(super) fn yaml_items(bytes: &[u8], at: usize, name: Name) -> Option<(usize, usize)> {
    let line = run_within(bytes, at, 2, |b| matches!(b, b'\r' | b'\n'));
    let first = run_within(bytes, line, 64, is_space);
    let column = column(bytes, name.start);
    let item =
        bytes.get(first) == Some(&b'-') && bytes.get(first + 1).is_some_and(|b| is_space(*b));
    let deep = first - line;
    let value = first + if item { 2 } else { 0 };
    let end = run_within(bytes, value, NEAR, |b| !matches!(b, b'\n' | b'\r'));
    let text = bytes.get(value..end)?;
    // A map below it has names of its own.
    let map = text.windows(2).any(|w| w == b": ") || text.ends_with(b":");
    let text = text.trim_ascii();
    let text = quoted(text, 0)
        .and_then(|(a, b)| text.get(a..b))
        .unwrap_or(text);
    let fits = if item { deep >= column } else { deep > column };
    if !fits
        || map
        || name.kind == Kind::Token
        || is_spared(text, name.kind, name.many, Style::Quoted)
    {
        return None;
    }
    let letters = |b: &u8| b.is_ascii_lowercase() || matches!(b, b'_' | b'-');
    // Names of secrets, as in a Compose file.
    if item && text.iter().all(letters) && name.many {
        return None;
    }
    indented(
        bytes,
        line,
        if item { deep.saturating_sub(1) } else { column },
    )
    .map(|(_, end)| (value, end))
}

fn column(bytes: &[u8], at: usize) -> usize {
    let start = super::bytes::back(bytes, at.saturating_sub(128), at, |b| b != b'\n');
    run_within(bytes, start, 128, is_space) - start
}

/// Returns the range of the lines from `from` on that are deeper than `column`, or empty.
fn indented(bytes: &[u8], from: usize, column: usize) -> Option<(usize, usize)> {
    let start = run_within(bytes, from, 64, is_space);
    let (mut at, mut end) = (from, from);
    while at < bytes.len() {
        let text = run(bytes, at, is_space);
        let stop = run(bytes, text, |b| b != b'\n');
        if text < stop {
            if text - at <= column {
                break;
            }
            end = stop;
        }
        at = stop + 1;
    }
    is_new(bytes, (start, end)).then_some((start, end))
}
