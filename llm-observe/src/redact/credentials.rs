//! Credentials of HTTP authentication (RFC 9110, section 11): a scheme, and what follows it.

use super::bytes::{is_alnum, is_one_of, run, run_within};

/// Returns the length of the scheme that credentials start with, and of the space behind it.
pub(super) fn scheme_len(value: &[u8]) -> usize {
    let name = run_within(value, 0, 32, |b| is_alnum(b) || b == b'-');
    let spaced = value.get(name) == Some(&b' ');
    if name > 0 && spaced && (is_scheme(value.get(..name).unwrap_or_default())) {
        name + 1
    } else if name == value.len() && is_scheme(value) {
        name
    } else {
        0
    }
}

/// Returns the scheme that the value of an `Authorization` header starts with.
pub(super) fn scheme(value: &str) -> Option<&str> {
    let (scheme, _) = value.split_once(' ')?;
    is_scheme(scheme.as_bytes()).then_some(scheme)
}

pub(super) fn is_scheme(word: &[u8]) -> bool {
    const SCHEMES: &[&str] = &[
        "bearer",
        "basic",
        "token",
        "digest",
        "negotiate",
        "apikey",
        "key",
        "ntlm",
        "hawk",
        "oauth",
        "ssws",
        "dpop",
    ];
    is_one_of(word, SCHEMES)
}

/// Returns the range of what follows the word `Bearer` or `Basic`, when it looks like
/// credentials and not like the next word of a sentence.
pub(super) fn find(bytes: &[u8], scheme: &[u8], end: usize) -> Option<(usize, usize)> {
    if bytes.get(end) != Some(&b' ') {
        return None;
    }
    let bearer = scheme.eq_ignore_ascii_case(b"bearer");
    if !bearer && !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let start = end + 1;
    let end = run(bytes, start, is_token68);
    let value = bytes.get(start..end)?;
    let secret = if bearer {
        is_bearer(value)
    } else {
        is_basic(value)
    };
    secret.then_some((start, end))
}

/// RFC 9110's `token68`: what credentials are made of.
fn is_token68(byte: u8) -> bool {
    is_alnum(byte) || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
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
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}
