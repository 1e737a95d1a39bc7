//! The one pass over a text: finds its words and asks the other files about each.
//!
//! A word is a run of ASCII letters, digits, `_` and `-`. Secrets are words, or stand behind
//! words, so nothing is looked at twice but a bounded stretch behind a telling word.

use std::borrow::Cow;

use super::{MARK, Out, URL_MARK, card, key::Keys, shape, url, value};

const WORD: [bool; 256] = table();

const fn table() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        // A const context: an index that is out of bounds would not compile.
        #[allow(clippy::indexing_slicing)]
        {
            table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        }
        byte += 1;
    }
    table
}

/// Returns whether `byte` may be part of a word.
pub(super) fn is_word(byte: u8) -> bool {
    WORD.get(usize::from(byte)).copied().unwrap_or(false)
}

/// A word: where it starts and ends.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) bytes: &'a [u8],
}

pub(super) struct Scan<'a, 'k> {
    text: &'a str,
    bytes: &'a [u8],
    keys: &'k Keys,
    out: Out<'a>,
}

impl<'a, 'k> Scan<'a, 'k> {
    pub(super) fn new(text: &'a str, keys: &'k Keys) -> Scan<'a, 'k> {
        Scan {
            text,
            bytes: text.as_bytes(),
            keys,
            out: Out::new(text),
        }
    }

    pub(super) fn run(mut self) -> Cow<'a, str> {
        let mut at = 0;
        while let Some(word) = next_word(self.bytes, at) {
            // Every look is at or behind the word's end: the pass cannot stand still.
            at = self.look(word).max(word.end);
        }
        self.out.finish()
    }

    /// Cuts what is secret in or right behind `word`; returns where to go on.
    fn look(&mut self, word: Word<'a>) -> usize {
        if word.bytes.len() >= shape::SHORTEST
            && let Some((start, end)) = shape::find(self.bytes, word)
        {
            self.out.cut(start, end, MARK);
            return end;
        }
        let behind = self.byte(word.end);
        if matches!(behind, Some(b'=' | b':' | b'"' | b'\'' | b'\\' | b' '))
            && let Some(end) = self.behind_name(word)
        {
            return end;
        }
        match word.bytes.first() {
            Some(b'0'..=b'9') => self.card(word),
            Some(b'-') => self.private_key(word),
            Some(b'h') if behind == Some(b'.') => self.bare_webhook(word),
            _ => word.end,
        }
    }

    /// Cuts the value behind a name that says it is secret, or the credentials behind a scheme.
    fn behind_name(&mut self, word: Word<'a>) -> Option<usize> {
        if self.bytes.get(word.end..)?.starts_with(b"://") {
            return Some(self.url(word.end + 3));
        }
        if let Some((start, end)) = value::credentials(self.bytes, word) {
            self.out.cut(start, end, MARK);
            return Some(end);
        }
        // The separator first: most words have none, and it is the cheaper look.
        let from = value::separator(self.bytes, word)?;
        let in_query = self.in_query(word.start);
        let kind = self.keys.kind(word.bytes, in_query)?;
        let (start, end) = value::behind(self.bytes, from, kind)?;
        self.out
            .cut(start, end, if in_query { URL_MARK } else { MARK });
        Some(end)
    }

    fn in_query(&self, start: usize) -> bool {
        start
            .checked_sub(1)
            .and_then(|i| self.byte(i))
            .is_some_and(|b| matches!(b, b'?' | b'&'))
    }

    /// Cuts user, password and a secret path; the query is looked at as words of the text.
    fn url(&mut self, authority: usize) -> usize {
        let parts = url::parts(self.bytes, authority);
        if let Some(at) = parts.userinfo_end {
            let both = self
                .text
                .get(authority..at)
                .is_some_and(|user| user.contains(':'));
            self.out.cut(
                authority,
                at,
                if both { "REDACTED:REDACTED" } else { URL_MARK },
            );
        }
        self.webhook_path(parts.host, parts.host_end)
    }

    fn webhook_path(&mut self, host: usize, host_end: usize) -> usize {
        match url::secret_path(self.bytes, host, host_end) {
            Some((start, end)) => {
                self.out.cut(start, end, URL_MARK);
                end
            }
            None => host_end,
        }
    }

    /// `hooks.slack.com/services/...` without its `https://`.
    fn bare_webhook(&mut self, word: Word<'a>) -> usize {
        match url::bare_webhook(self.bytes, word.start) {
            Some(host_end) => self.webhook_path(word.start, host_end),
            None => word.end,
        }
    }

    fn card(&mut self, word: Word<'a>) -> usize {
        match card::find(self.bytes, word) {
            Some(end) => {
                self.out.cut(word.start, end, MARK);
                end
            }
            None => word.end,
        }
    }

    fn private_key(&mut self, word: Word<'a>) -> usize {
        match shape::private_key(self.text, word) {
            Some(end) => {
                self.out.cut(word.start, end, MARK);
                end
            }
            None => word.end,
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }
}

#[inline]
fn next_word(bytes: &[u8], from: usize) -> Option<Word<'_>> {
    let rest = bytes.get(from..)?;
    let skipped = rest.iter().position(|b| is_word(*b))?;
    let rest = rest.get(skipped..)?;
    let len = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
    let start = from + skipped;
    Some(Word {
        start,
        end: start + len,
        bytes: rest.get(..len)?,
    })
}
