//! Where a value starts and ends: behind `name=`, `"name": "`, `--name `, `Bearer `.

use super::{key::Kind, scan::Word};

/// How many spaces may stand around `=` and `:`.
const MOST_SPACES: usize = 8;

/// Returns the range of the value that starts at `from`, or `None` when there is none, or it is
/// nothing secret (empty, `null`, already redacted, a number of tokens).
pub(super) fn behind(bytes: &[u8], from: usize, kind: Kind) -> Option<(usize, usize)> {
    let (start, end) = match kind {
        Kind::Line => (from, line_end(bytes, from)),
        Kind::Scheme => with_scheme(bytes, from)?,
        Kind::Value | Kind::Token => read(bytes, from)?,
    };
    let value = bytes.get(start..end)?;
    (!is_spared(value, kind)).then_some((start, end))
}

/// Returns whether a value is nothing secret, whatever its name.
pub(super) fn is_spared(value: &[u8], kind: Kind) -> bool {
    is_harmless(value) || (kind == Kind::Token && is_number(value))
}

/// Returns the scheme that the value of an `Authorization` header starts with.
pub(super) fn scheme(value: &str) -> Option<&str> {
    let (scheme, _) = value.split_once(' ')?;
    is_scheme(scheme.as_bytes()).then_some(scheme)
}

/// Returns the range of what follows the word `Bearer` or `Basic`, when it looks like
/// credentials and not like the next word of a sentence.
pub(super) fn credentials(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    if bytes.get(word.end) != Some(&b' ') {
        return None;
    }
    let bearer = word.bytes.eq_ignore_ascii_case(b"bearer");
    if !bearer && !word.bytes.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let start = word.end + 1;
    let end = start
        + bytes
            .get(start..)?
            .iter()
            .take_while(|b| is_token68(**b))
            .count();
    let value = bytes.get(start..end)?;
    let secret = if bearer {
        is_bearer(value)
    } else {
        is_basic(value)
    };
    secret.then_some((start, end))
}

/// Returns where the value of `name` starts: behind `=`, `:`, `=>`, or the space after `--name`.
pub(super) fn separator(bytes: &[u8], name: Word<'_>) -> Option<usize> {
    let mut at = name.end;
    while matches!(bytes.get(at), Some(b'\\')) {
        at += 1;
    }
    if matches!(bytes.get(at), Some(b'"' | b'\'')) {
        at += 1;
    } else if at != name.end {
        return None;
    }
    let spaced = skip_spaces(bytes, at);
    match bytes.get(spaced)? {
        b':' if matches!(bytes.get(spaced + 1), Some(b':')) => None,
        b'=' | b':' => {
            let arrow = matches!(bytes.get(spaced + 1), Some(b'>' | b'='));
            Some(skip_spaces(bytes, spaced + 1 + usize::from(arrow)))
        }
        _ if name.bytes.starts_with(b"--") && spaced > name.end => Some(spaced),
        _ => None,
    }
}

/// Reads a value: quoted, bare, or either within `Some(...)`.
fn read(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    // `Some(Secret("x"))` is the deepest that derived `Debug` output of options goes.
    for _ in 0..3 {
        if let Some(quoted) = quoted(bytes, at) {
            return Some(quoted);
        }
        match within(bytes, at) {
            Some(inner) => at = inner,
            None => break,
        }
    }
    let end = bare_end(bytes, at);
    (end > at).then_some((at, end))
}

/// Returns where the inside of `Name(` starts.
fn within(bytes: &[u8], at: usize) -> Option<usize> {
    let name = bytes
        .get(at..)?
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    (name > 0 && bytes.get(at + name) == Some(&b'(')).then_some(at + name + 1)
}

/// Reads up to the quote that closes the one at `at`, as deeply escaped as that one.
fn quoted(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let depth = bytes.get(at..)?.iter().take_while(|b| **b == b'\\').count();
    let quote = *bytes.get(at + depth)?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let start = at + depth + 1;
    let mut escapes = 0;
    for (i, byte) in bytes.iter().enumerate().skip(start) {
        if *byte == quote && escapes <= depth {
            return Some((start, i - escapes));
        }
        escapes = if *byte == b'\\' { escapes + 1 } else { 0 };
    }
    Some((start, bytes.len()))
}

fn bare_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| !ends_bare(**b)).count()
}

fn ends_bare(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b',' | b';' | b'&' | b'"' | b'\'' | b'<' | b'>' | b')' | b'}' | b'\\' | b'#'
        )
}

/// `Bearer abc`, `Basic abc`, or credentials without a scheme; quoted or not.
fn with_scheme(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let (start, end) = read(bytes, from)?;
    let word = bytes.get(start..end)?;
    if !is_scheme(word) {
        return Some((start, end));
    }
    let next = skip_spaces(bytes, end);
    let end = bare_end(bytes, next);
    (end > next).then_some((next, end))
}

fn is_scheme(word: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 6] = [
        b"bearer",
        b"basic",
        b"token",
        b"digest",
        b"negotiate",
        b"apikey",
    ];
    SCHEMES
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take_while(|b| !matches!(b, b'\n' | b'\r'))
        .count()
}

fn skip_spaces(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take(MOST_SPACES)
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count()
}

fn is_harmless(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"null", b"none", b"nil", b"true", b"false", b"undefined"];
    value.iter().all(|b| *b == b'*')
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
        || starts_ignoring_case(value, b"[redacted]")
        || starts_ignoring_case(value, b"redacted")
}

fn starts_ignoring_case(value: &[u8], start: &[u8]) -> bool {
    value
        .get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// A number, with a unit of time or a per cent sign or without.
fn is_number(value: &[u8]) -> bool {
    let digits = value
        .iter()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_'))
        .count();
    let unit = value.get(digits..).unwrap_or_default();
    digits > 0
        && matches!(
            unit,
            b"" | b"ns" | b"us" | b"ms" | b"s" | b"m" | b"h" | b"%" | b"\xc2\xb5s"
        )
}

/// RFC 9110's `token68`: what credentials are made of.
fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

fn is_bearer(value: &[u8]) -> bool {
    value.len() >= 24 || (value.len() >= 8 && value.iter().any(u8::is_ascii_digit))
}

/// Base64 of `user:password`, RFC 7617.
fn is_basic(value: &[u8]) -> bool {
    value.len() >= 4 && decoded(value).is_some_and(|bytes| bytes.contains(&b':'))
}

fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in value.iter().take_while(|b| **b != b'=') {
        bits = (bits << 6) | sextet(*byte)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
