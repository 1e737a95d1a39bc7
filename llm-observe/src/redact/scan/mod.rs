//! The one pass over a text: sorts its bytes, and asks the other files where a word ends that may
//! matter, where a long word starts, and at marks as `=` and `:`.
//!
//! A word is a run of ASCII letters, digits, `_` and `-`. What is looked at ahead is cut, or of bounded
//! length, so that the pass takes time in proportion to the text.

mod named;

use super::{
    MARK, Out, URL_MARK,
    bytes::{back, before, run, skip_spaces, starts_with},
    card,
    classes::{self, Block, is_word},
    formats,
    key::Keys,
    said, shape, url, words,
};

/// A word: where it starts and ends.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) bytes: &'a [u8],
}

pub(super) struct Scan<'t, 'k, 'a, 'o> {
    text: &'t str,
    bytes: &'t [u8],
    keys: &'k Keys,
    out: Out<'a, 'o>,
    /// All before is dealt with.
    at: usize,
    odd: bool,
    /// How many telling names were looked at more closely.
    looked: usize,
    /// Where the next `@` is, as far as that is known.
    next_at: usize,
}

impl<'t, 'k, 'a, 'o> Scan<'t, 'k, 'a, 'o> {
    /// Returns a scan of `text` that puts what it finds into `out`.
    pub(super) fn new(text: &'t str, keys: &'k Keys, out: Out<'a, 'o>) -> Scan<'t, 'k, 'a, 'o> {
        Scan {
            text,
            bytes: text.as_bytes(),
            keys,
            out,
            at: 0,
            odd: false,
            looked: 0,
            next_at: 0,
        }
    }

    /// Returns the text without what is secret, and whether something in it may be in disguise.
    pub(super) fn run(mut self) -> (Out<'a, 'o>, bool) {
        let mut base = 0;
        let mut here = classes::block(self.bytes, 0);
        let mut inside = 0;
        // One block more than there are: a word at the text's end ends there.
        while base <= self.bytes.len() {
            let next = classes::block(self.bytes, base + classes::SIZE);
            self.block(base, here, next, inside);
            inside = here.word >> 63;
            here = next;
            base += classes::SIZE;
            if self.at >= base + classes::SIZE {
                base = self.at - self.at % classes::SIZE;
                here = classes::block(self.bytes, base);
                inside = u64::from(before(self.bytes, base).is_some_and(is_word));
            }
        }
        (self.out, self.odd)
    }

    /// Looks at what happens within one block.
    #[inline]
    fn block(&mut self, base: usize, here: Block, next: Block, inside: u64) {
        self.odd |= here.odd;
        super::steps::add(8);
        let before = here.word << 1 | inside;
        let starts = long_runs(here.word, next.word) & here.word & !before;
        let mut ends = before & !here.word;
        let mut hits = 0;
        while ends != 0 {
            let at = ends.trailing_zeros();
            ends &= ends - 1;
            let tail = words::tail(self.bytes, base + at as usize);
            hits |= u64::from(words::may_matter(tail)) << at;
        }
        if (here.mark | starts | hits) != 0 {
            self.events(base, here.mark, starts, hits);
        }
    }

    fn events(&mut self, base: usize, marks: u64, starts: u64, hits: u64) {
        let mut events = marks | starts | hits;
        while events != 0 {
            let bit = events & events.wrapping_neg();
            let at = base + events.trailing_zeros() as usize;
            events ^= bit;
            if at < self.at || at > self.bytes.len() {
                continue;
            }
            super::steps::add(1);
            let mut end = None;
            if marks & bit != 0 {
                end = self.mark(at);
            } else if starts & bit != 0 {
                end = self.long_word(at);
            }
            if end.is_none() && hits & bit != 0 {
                end = self.word_end(at);
            }
            self.at = self.at.max(end.unwrap_or_default());
        }
    }

    fn cut(&mut self, (start, end): (usize, usize), with: &str) -> Option<usize> {
        self.out.cut(start, end, with);
        Some(end)
    }

    fn word(&self, start: usize, end: usize) -> Word<'t> {
        Word {
            start,
            end,
            bytes: self.bytes.get(start..end).unwrap_or_default(),
        }
    }

    /// A word of at least [`shape::SHORTEST`] characters starts here.
    fn long_word(&mut self, start: usize) -> Option<usize> {
        let word = self.word(start, run(self.bytes, start, is_word));
        if let Some(found) = shape::find(self.bytes, word) {
            return self.cut(found, MARK);
        }
        if starts_with(word.bytes, b"AWS4-HMAC-SHA") {
            let from = skip_spaces(self.bytes, word.end);
            let line = run(self.bytes, from, |b| !matches!(b, b'\n' | b'\r' | b'\''));
            let known = self
                .bytes
                .get(from..)
                .is_some_and(|text| starts_with(text, b"Credential="));
            return known.then(|| self.cut((from, line), MARK))?;
        }
        None
    }

    /// A word that may matter ends here.
    fn word_end(&mut self, end: usize) -> Option<usize> {
        let start = back(
            self.bytes,
            end.saturating_sub(64).max(self.at),
            end,
            is_word,
        );
        let word = self.word(start, end);
        match word.bytes.last() {
            Some(b'0'..=b'9') => {
                let end = card::find(self.bytes, word)?;
                self.cut((start, end), MARK)
            }
            Some(b'N') if word.bytes.ends_with(b"-BEGIN") => {
                let end = formats::private_key(self.text, word)?;
                self.cut((start, end), MARK)
            }
            Some(b's') if self.byte(end) == Some(b'.') => {
                let host_end = url::bare_webhook(self.bytes, start)?;
                self.webhook_path(start, host_end)
            }
            _ if !self.may_look(end) => None,
            _ => {
                let found = said::find(self.bytes, word, self.at, self.keys)?;
                self.cut(found, MARK)
            }
        }
    }

    /// One of the marks of [`classes`] is here.
    fn mark(&mut self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b':' if self.bytes.get(at..)?.starts_with(b"://") => Some(self.url(at + 3)),
            b':' if self.is_letter(at) => None,
            b':' => match formats::telegram(self.bytes, self.at, at) {
                Some(found) => self.cut(found, MARK),
                None if self.byte(at + 1) == Some(b':') || before(self.bytes, at) == Some(b':') => {
                    None
                }
                None => self.assigned(at, at + 1),
            },
            b'=' if before(self.bytes, at) == Some(b'=') || self.is_letter(at) => None,
            b'=' => {
                let sign =
                    |b: u8| matches!(b, b'!' | b':' | b'<' | b'>' | b'+' | b'?' | b'=' | b'~');
                let name = back(self.bytes, at.saturating_sub(2).max(self.at), at, sign);
                let double = matches!(self.byte(at + 1), Some(b'=' | b'>'));
                self.assigned(name, at + 1 + usize::from(double))
            }
            b'@' => self.bare_userinfo(at),
            b'~' => {
                let found = formats::azure(self.bytes, self.at, at)?;
                self.cut(found, MARK)
            }
            b'>' => self.element(at),
            b'(' | b'{' => self.newtype(at),
            b',' => self.tuple(at),
            _ => None,
        }
    }

    /// Returns whether a word of one letter is before `at`: no name that tells anything.
    fn is_letter(&self, at: usize) -> bool {
        before(self.bytes, at).is_some_and(is_word)
            && !before(self.bytes, at.saturating_sub(1)).is_some_and(is_word)
    }

    /// `user:password@host` without a scheme.
    fn bare_userinfo(&mut self, at: usize) -> Option<usize> {
        let range = url::bare_userinfo(self.bytes, self.at, at)?;
        self.cut(range, "REDACTED:REDACTED")
    }

    /// Cuts user, password and a secret path; the query is looked at as words of the text.
    fn url(&mut self, authority: usize) -> usize {
        if self.next_at < authority {
            self.next_at = run(self.bytes, authority, |b| b != b'@');
        }
        let parts = url::parts(self.bytes, authority, self.next_at);
        let user = |at: usize| self.bytes.get(authority..at);
        // Everybody is `git` there.
        if let Some(at) = parts.userinfo_end.filter(|at| user(*at) != Some(b"git")) {
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
            .unwrap_or(parts.host_end)
    }

    fn webhook_path(&mut self, host: usize, host_end: usize) -> Option<usize> {
        let found = url::secret_path(self.bytes, host, host_end)?;
        self.cut(found, URL_MARK)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }
}

/// Returns at which bytes of a block a run of [`shape::SHORTEST`] word bytes starts, or goes on.
#[inline]
const fn long_runs(here: u64, next: u64) -> u64 {
    let mut runs = here as u128 | (next as u128) << 64;
    runs &= runs >> 1;
    runs &= runs >> 2;
    runs &= runs >> 4;
    // The steps so far make runs of 8.
    runs &= runs >> (shape::SHORTEST - 8);
    #[allow(clippy::cast_possible_truncation, reason = "the runs of this block")]
    {
        runs as u64
    }
}
