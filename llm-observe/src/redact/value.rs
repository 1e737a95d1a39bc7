//! Where the value behind a name starts and ends, in whatever notation it is written.

use super::{
    bytes::{before, is_alnum, is_one_of, is_space, run, run_within, skip_spaces},
    credentials::{is_scheme, scheme_len},
    harmless::{self, LOOKED_AT, Style, is_spared},
    key::Kind,
    nested,
    phrases::{CONNECTING, STATES},
};

/// What is known of the name that a value stands behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) kind: Kind,
    /// Whether it is in the plural.
    pub(super) many: bool,
    /// Whether it stands between quotes, as in JSON.
    pub(super) quoted: bool,
    /// The quote that the name and its value are in, both: `'X-Key: abc'`.
    pub(super) within: Option<u8>,
    /// Whether it is a parameter in the query of a URL.
    pub(super) in_query: bool,
    /// Whether nothing but spaces is before it on its line.
    pub(super) first: bool,
    /// Where it starts.
    pub(super) start: usize,
}

/// Returns the range of the value behind the separator that ends at `at`; `None` when there is none,
/// or it is nothing secret.
pub(super) fn behind(bytes: &[u8], at: usize, name: Name, style: Style) -> Option<(usize, usize)> {
    let from = skip_spaces(bytes, at);
    if name.kind != Kind::Token
        && let Some(block) = nested::yaml_block(bytes, from, name.start)
    {
        return Some(block);
    }
    if style == Style::Said && matches!(bytes.get(from), Some(b'\n' | b'\r')) {
        return nested::yaml_items(bytes, from, name);
    }
    if let Some((start, end)) = quoted(bytes, from) {
        return judged(bytes, start, end, name, Style::Quoted);
    }
    if let Some(group) = nested::group(bytes, from) {
        return group.secret_in(bytes, name);
    }
    match name.kind {
        Kind::Line => line(bytes, from, name),
        Kind::Scheme => scheme_and_rest(bytes, from, name),
        _ => bare(bytes, from, name, style),
    }
}

/// Returns the range where it is something secret; of credentials without their scheme.
pub(super) fn judged(
    bytes: &[u8],
    start: usize,
    end: usize,
    name: Name,
    style: Style,
) -> Option<(usize, usize)> {
    let value = bytes.get(start..end)?;
    if is_spared(value, name.kind, name.many, style) {
        return None;
    }
    if name.kind == Kind::Token
        && style == Style::Quoted
        && value.first().is_some_and(u8::is_ascii_whitespace)
    {
        return None;
    }
    if name.kind != Kind::Scheme {
        return Some((start, end));
    }
    let scheme = scheme_len(value);
    let rest = value.get(scheme..)?;
    let cut = !rest.is_empty() && !is_spared(rest, Kind::Scheme, false, style);
    cut.then_some((start + scheme, end))
}

/// Reads up to the quote that closes the one at `at`, as deeply escaped as that one; `b`, `r` and the
/// like may stand before it.
pub(super) fn quoted(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let prefix = usize::from(matches!(
        bytes.get(at),
        Some(b'b' | b'r' | b'u' | b'f' | b'N' | b'@' | b'E')
    ));
    let at = match bytes.get(at + prefix) {
        Some(b'"' | b'\'' | b'\\' | b'`') => at + prefix,
        _ => at,
    };
    let depth = run(bytes, at, |b| b == b'\\') - at;
    let quote = *bytes.get(at + depth)?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let start = at + depth + 1;
    let mut escapes = 0;
    for (i, byte) in bytes.iter().enumerate().skip(start) {
        if *byte == quote && escapes <= depth {
            super::steps::add(i - start);
            return Some((start, i - escapes));
        }
        escapes = if *byte == b'\\' { escapes + 1 } else { 0 };
    }
    super::steps::add(bytes.len() - start.min(bytes.len()));
    Some((start, bytes.len()))
}

/// A header that is secret to the end of its line, or to the quote that it is in.
fn line(bytes: &[u8], from: usize, name: Name) -> Option<(usize, usize)> {
    let near = run_within(bytes, from, LOOKED_AT, |b| on_line(b, name));
    judged(bytes, from, near, name, Style::Said)?;
    Some((from, line_end(bytes, from, name)))
}

fn on_line(byte: u8, name: Name) -> bool {
    !matches!(byte, b'\n' | b'\r') && Some(byte) != name.within
}

fn line_end(bytes: &[u8], from: usize, name: Name) -> usize {
    run(bytes, from, |b| on_line(b, name))
}

/// `Bearer abc`, `Digest a="b", c="d"`, or credentials without a scheme.
fn scheme_and_rest(bytes: &[u8], from: usize, name: Name) -> Option<(usize, usize)> {
    let end = token_end(bytes, from, name);
    let word = bytes.get(from..end)?;
    let next = skip_spaces(bytes, end);
    let more = token_end(bytes, next, name);
    let rest = bytes.get(next..more)?;
    if rest.is_empty() || next == end {
        let (start, _) = judged(bytes, from, end, name, Style::Said)?;
        return Some((start, whole_token_end(bytes, from, end, name)));
    }
    let clause = bytes.get(from..clause_end(bytes, from, name))?;
    let pairs = rest.contains(&b'=') && (!rest.ends_with(b"=") || bytes.get(more) == Some(&b'"'));
    let parameters = pairs && !is_one_of(word, &["bearer", "basic", "negotiate", "ntlm"]);
    if parameters {
        return Some((next, line_end(bytes, next, name)));
    }
    if is_scheme(word) {
        let spared = STATES.has(rest) || is_one_of(rest, &["token", "auth", "credentials"]);
        return (!spared && !is_spared(rest, Kind::Scheme, false, Style::Said))
            .then(|| (next, whole_token_end(bytes, next, more, name)));
    }
    // An issuer's own scheme, or a sentence.
    let shown = !is_spared(clause, Kind::Scheme, false, Style::Said);
    let secret = |word: &[u8]| word.iter().any(u8::is_ascii_digit) || word.len() > 20;
    match (shown, secret(word), secret(rest)) {
        (true, _, true) => Some((next, whole_token_end(bytes, next, more, name))),
        (true, true, _) => Some((from, end)),
        _ => None,
    }
}

/// A value without quotes: a word, or the rest of what is said.
fn bare(bytes: &[u8], from: usize, name: Name, style: Style) -> Option<(usize, usize)> {
    if name.kind == Kind::Code {
        let digits = run_within(bytes, from, 32, |b| {
            b.is_ascii_digit() || matches!(b, b' ' | b'-')
        });
        let end = super::bytes::back(bytes, from, digits, |b| !b.is_ascii_digit());
        return judged(bytes, from, end, name, style);
    }
    let end = token_end(bytes, from, name);
    if end == from {
        return None;
    }
    // `password = $1 WHERE id`: what stands for a value ends it.
    if harmless::is_placeholder(bytes.get(from..end)?) {
        return None;
    }
    // `get_password(..)`: an expression.
    if bytes.get(end) == Some(&b'(')
        || bytes.get(from..end)?.contains(&b'(') && is_call(bytes.get(from..end)?)
    {
        return None;
    }
    let long = style == Style::Said || (name.first && !name.quoted);
    if !long || name.in_query {
        judged(bytes, from, end, name, style)?;
        return Some((from, whole_token_end(bytes, from, end, name)));
    }
    let clause = clause_end(bytes, from, name).max(end);
    judged(bytes, from, clause, name, style)?;
    let first = bytes.get(from..end)?;
    let only = next_word(bytes, end)
        .is_none_or(|next| harmless::is_password_like(first) && CONNECTING.has(next));
    if only {
        judged(bytes, from, end, name, style)?;
        return Some((from, whole_token_end(bytes, from, end, name)));
    }
    Some((from, whole_token_end(bytes, from, clause, name)))
}

fn is_call(value: &[u8]) -> bool {
    let name = run(value, 0, |b| b.is_ascii_alphabetic() || b"_.:".contains(&b));
    let path = value.get(..name).unwrap_or_default();
    let callee = path.contains(&b'.') || path.first().is_some_and(u8::is_ascii_lowercase);
    let arguments = value.get(name + 1..).unwrap_or_default();
    let closed = arguments.contains(&b')') || arguments.contains(&b'=') || arguments.is_empty();
    callee && value.get(name) == Some(&b'(') && closed
}

/// Returns the word behind a space at `at`.
fn next_word(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let start = run_within(bytes, at, 4, is_space);
    let end = run_within(bytes, start, 24, |b| is_alnum(b) || b == b'\'');
    (start > at && end > start).then(|| bytes.get(start..end))?
}

/// Returns where a value without quotes and spaces ends. A delimiter within a password is part of it
/// unless something starts behind it: a space, a quote, another `name=`.
pub(super) fn token_end(bytes: &[u8], from: usize, name: Name) -> usize {
    let near = bytes.len().min(from.saturating_add(LOOKED_AT));
    token_end_within(bytes.get(..near).unwrap_or(bytes), from, name)
}

/// As [`token_end`], however long the value is: of one that is cut.
pub(super) fn whole_token_end(bytes: &[u8], from: usize, near: usize, name: Name) -> usize {
    if near < from.saturating_add(LOOKED_AT) {
        return near;
    }
    token_end_within(bytes, from, name)
}

fn token_end_within(bytes: &[u8], from: usize, name: Name) -> usize {
    let mut at = from;
    loop {
        at = run(bytes, at, |b| !delimits(b));
        let Some(byte) = bytes.get(at).copied() else {
            return at;
        };
        let ends = match byte {
            // The parameters of a hash: `$argon2id$v=19$m=65536,t=3,p=4$...`
            b',' if bytes.get(from) == Some(&b'$') => false,
            b',' | b';' | b'&' | b'#' | b')' | b'}' | b']' | b'>' | b'|' => {
                name.in_query && matches!(byte, b'&' | b'#')
                    || name.quoted
                    || starts_anew(bytes, at + 1)
            }
            b'\\' => bytes.get(at + 1).is_none_or(|b| {
                matches!(b, b'n' | b'r' | b't' | b'"' | b'\'' | b'\\' | b'u' | b'x')
            }),
            _ => true,
        };
        if ends {
            return at;
        }
        at += 1;
    }
}

fn delimits(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b',' | b';'
                | b'&'
                | b'"'
                | b'\''
                | b'<'
                | b'>'
                | b')'
                | b'}'
                | b']'
                | b'\\'
                | b'#'
                | b'|'
                | b'`'
        )
}

/// Returns whether what is at `at` is no part of the value before it.
fn starts_anew(bytes: &[u8], at: usize) -> bool {
    let Some(byte) = bytes.get(at).copied() else {
        return true;
    };
    if delimits(byte) || matches!(byte, b'(' | b'[' | b'{' | b':' | b'=' | b'.') {
        return true;
    }
    let name = run_within(bytes, at, 32, |b| {
        is_alnum(b) || matches!(b, b'_' | b'-' | b'.')
    });
    name > at && matches!(bytes.get(name), Some(b'=' | b':' | b'%' | b'"'))
}

/// Returns where what is said behind a name ends: at the line's end, a quote, a closing bracket, or
/// before the next name; at most so far as is looked at.
fn clause_end(bytes: &[u8], from: usize, name: Name) -> usize {
    let most = bytes.len().min(from + LOOKED_AT);
    let mut at = from;
    while at < most {
        let end = token_end(bytes, at, name);
        let space = run_within(bytes, end, 3, is_space);
        let Some(next) = bytes.get(space).copied() else {
            return end;
        };
        // `, name: x`: another one.
        let comma = usize::from(matches!(bytes.get(end), Some(b',' | b';')));
        if comma == 0 && (space == end || matches!(next, b'\n' | b'\r')) {
            return end;
        }
        let word = run_within(bytes, end + comma, 3, is_space);
        let stop = run_within(bytes, word, 40, |b| {
            is_alnum(b) || matches!(b, b'_' | b'-' | b'.')
        });
        let named = matches!(bytes.get(stop), Some(b'=' | b':')) && stop > word;
        let dashes = matches!(
            bytes.get(word),
            Some(b'-' | b'|' | b'(' | b'[' | b'{' | b'"' | b'\'' | b'=')
        );
        let full_stop =
            before(bytes, end) == Some(b'.') && bytes.get(word).is_some_and(u8::is_ascii_uppercase);
        if named
            || dashes
            || full_stop
            || word == end + comma && comma == 0
            || comma == 1 && word == end + 1
        {
            return end;
        }
        at = word;
    }
    at.min(most).max(from)
}
