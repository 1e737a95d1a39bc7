//! A text that is one URL, or the value of one header: read by its own rules, where [`scan`] has to
//! guess. In a query nothing but `&` and `#` ends a value, and names and values may be encoded.
//!
//! [`scan`]: super::scan

use std::borrow::Cow;

use super::{
    MARK, Out, Redactor, URL_MARK,
    classes::is_word,
    credentials,
    harmless::{Style, is_spared},
    key::Kind,
};

/// How often a part may be encoded: a redirect to a redirect to a URL.
const DEEPEST: usize = 3;

impl Redactor {
    /// Replaces what only a reader of URLs can see.
    pub(super) fn parts<'a>(&self, url: &'a str) -> Cow<'a, str> {
        // Of most URLs there is nothing to see that is not in the text as well.
        if !url.bytes().any(is_difficult) {
            return Cow::Borrowed(url);
        }
        let mut out = Out::new(url, None);
        let end = url.find('#').unwrap_or(url.len());
        let query = url.find('?').filter(|query| *query < end).unwrap_or(end);
        for (from, to) in split(url, 0, query, '/') {
            if self.hides(part(url, from, to)) {
                out.cut(from, to, URL_MARK);
            }
        }
        for (from, to) in split(url, query + 1, end, '&') {
            let pair = part(url, from, to);
            let value = pair.find('=').map_or(from, |equals| from + equals + 1);
            let name = part(url, from, value.saturating_sub(1));
            if self.is_named(name, part(url, value, to)) || self.hides(pair) {
                out.cut(value, to, URL_MARK);
            }
        }
        out.finish()
    }

    /// Returns whether the name of a parameter says that its value is secret.
    fn is_named(&self, name: &str, value: &str) -> bool {
        let name = decoded(name);
        let words = name.as_bytes().split(|byte| !is_word(*byte));
        let mut kinds = words.filter_map(|word| {
            // `sort[key]` is no key.
            let in_query = word.len() == name.len();
            self.keys.kind(word, in_query)
        });
        kinds.any(|kind| {
            !value.is_empty() && !is_spared(value.as_bytes(), kind, false, Style::Assigned)
        })
    }

    /// Returns whether there is a secret in what is encoded there.
    fn hides(&self, part: &str) -> bool {
        let mut inner = Cow::Borrowed(part);
        for _ in 0..DEEPEST {
            if !inner.contains('%') {
                return false;
            }
            inner = Cow::Owned(decoded(&inner).replace('+', " "));
            if self.redact(&inner) != inner {
                return true;
            }
        }
        false
    }

    /// Returns the value of a header without its secrets: without all of it, where the header's name
    /// says that it is one.
    pub(crate) fn redact_header<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        match self.keys.kind(name.as_bytes(), false) {
            Some(kind) if is_spared(value.as_bytes(), kind, false, Style::Quoted) => {
                Cow::Borrowed(value)
            }
            Some(Kind::Scheme) => match credentials::scheme(value) {
                Some(scheme) => Cow::Owned(format!("{scheme} {MARK}")),
                None => Cow::Borrowed(MARK),
            },
            Some(_) => Cow::Borrowed(MARK),
            None => self.redact(value),
        }
    }
}

/// Returns whether the byte may hide something from who reads a URL as a text.
fn is_difficult(byte: u8) -> bool {
    matches!(
        byte,
        b'%' | b',' | b';' | b'[' | b']' | b'"' | b'\'' | b'<' | b'>' | b')' | b'}' | b'\\'
    )
}

fn part(url: &str, from: usize, to: usize) -> &str {
    url.get(from..to).unwrap_or_default()
}

/// Returns where the parts are that `at` separates between `from` and `to`.
fn split(url: &str, from: usize, to: usize, at: char) -> impl Iterator<Item = (usize, usize)> {
    let mut next = from;
    part(url, from, to).split(at).map(move |part| {
        let start = next;
        next = start + part.len() + at.len_utf8();
        (start, start + part.len())
    })
}

/// Decodes `%2F` and the like, once; what is no such triple stays.
pub(super) fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let pair = after.split_at_checked(2).filter(|_| *byte == b'%');
        let triple = pair.and_then(|(digits, after)| Some((two(digits)?, after)));
        let (byte, after) = triple.unwrap_or((*byte, after));
        out.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn two(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| plain)
}
