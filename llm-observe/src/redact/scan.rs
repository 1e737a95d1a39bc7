//! The one pass over a text: sorts its bytes, and asks the other files where a word ends that may
//! matter, where a long word starts, and at marks as `=` and `:`.
//!
//! A word is a run of ASCII letters, digits, `_` and `-`. What is looked at ahead is cut, or of bounded
//! length, so that the pass takes time in proportion to the text.

use super::{
    MARK, Out, URL_MARK,
    bytes::{back, before, is_alnum, is_space, run, run_within, skip_spaces, starts_with},
    card,
    classes::{self, Block, is_word},
    harmless::Style,
    key::{Keys, Kind},
    names_at::{NameAt, name_before},
    nested, said, shape, url,
    value::{self, Name},
    words,
};

/// A word: where it starts and ends.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) bytes: &'a [u8],
}

/// How far the end of an element is looked for.
const LONGEST_ELEMENT: usize = 512;

/// How many telling names are looked at in any text, and one more for so many bytes of it.
const MANY_NAMES: usize = 256;
const BYTES_A_NAME: usize = 128;

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
                let end = shape::private_key(self.text, word)?;
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
            b':' => match shape::telegram(self.bytes, self.at, at) {
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
                let found = shape::azure(self.bytes, self.at, at)?;
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

    /// `name=value` or `name: value`; the name ends before `at`.
    fn assigned(&mut self, at: usize, value: usize) -> Option<usize> {
        let found = name_before(self.bytes, self.at, at)?;
        let text = self.bytes.get(found.start..found.end)?;
        // `/v1/token:refresh`, `/users/:token`: a route.
        if before(self.bytes, found.start) == Some(b'/')
            && self.byte(at) == Some(b':')
            && self.byte(value).is_some_and(is_alnum)
        {
            return None;
        }
        // `arn:aws:secretsmanager:..:secret:db`: a path of colons.
        if before(self.bytes, found.start) == Some(b':')
            && self.byte(at) == Some(b':')
            && self.byte(value).is_some_and(is_alnum)
        {
            return None;
        }
        let in_query = matches!(before(self.bytes, found.start), Some(b'?' | b'&'));
        let Some((kind, many)) = self.keys.judged(text, in_query) else {
            return self.indirect(text, value);
        };
        let equals = before(self.bytes, value) == Some(b'=');
        let spaced = self.byte(value).is_none_or(|b| b.is_ascii_whitespace());
        // `password == confirm`: code.
        if equals && before(self.bytes, value - 1) == Some(b'=') {
            let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
            let from = skip_spaces(self.bytes, value);
            let end = run_within(self.bytes, from, 64, letter);
            let ends = |b: u8| b.is_ascii_whitespace() || b == b')';
            if end > from && self.byte(end).is_none_or(ends) {
                return None;
            }
        }
        let style = match (
            equals,
            spaced && before(self.bytes, at).is_some_and(is_space),
        ) {
            (true, false) => Style::Assigned,
            (false, false) if !spaced && !found.quoted => Style::Assigned,
            _ => Style::Said,
        };
        if !self.may_look(at) {
            return self.unseen(value, kind);
        }
        let name = self.named(found, kind, many, in_query);
        match value::behind(self.bytes, value, name, style) {
            Some(range) => self.cut(range, if in_query { URL_MARK } else { MARK }),
            None => self.indirect(text, value),
        }
    }

    /// Returns whether what stands behind one more telling name may be looked at: more of them than
    /// any text has are there to take time.
    fn may_look(&mut self, at: usize) -> bool {
        self.looked += 1;
        self.looked <= MANY_NAMES + at / BYTES_A_NAME
    }

    /// Cuts a value without looking at it, where it is likely to be secret.
    fn unseen(&mut self, value: usize, kind: Kind) -> Option<usize> {
        if !matches!(kind, Kind::Own | Kind::Value | Kind::Access | Kind::Scheme) {
            return None;
        }
        let from = skip_spaces(self.bytes, value);
        let end = run(self.bytes, from, |b| !b.is_ascii_whitespace());
        let done = self.bytes.get(from..end)?.starts_with(b"[redacted");
        (!done && end > from).then(|| self.cut((from, end), MARK))?
    }

    fn named(&self, found: NameAt, kind: Kind, many: bool, in_query: bool) -> Name {
        let quote = before(self.bytes, found.start);
        let margin = back(
            self.bytes,
            found.start.saturating_sub(16),
            found.start,
            is_space,
        );
        let export = self
            .bytes
            .get(..margin)
            .is_some_and(|text| text.ends_with(b"export"));
        Name {
            kind,
            many,
            quoted: found.quoted,
            within: quote.filter(|b| !found.quoted && matches!(b, b'"' | b'\'' | b'`')),
            in_query,
            first: export || before(self.bytes, margin).is_none_or(|b| b == b'\n'),
            start: found.start,
        }
    }

    /// `name: DB_PASSWORD` and then `value: x`, as in a list of variables; or a part of a form.
    fn indirect(&mut self, name: &[u8], value: usize) -> Option<usize> {
        const NAMES: &[&str] = &[
            "name",
            "key",
            "field",
            "header",
            "parameter",
            "param",
            "variable",
            "env",
        ];
        let last = name.rsplit(|b| *b == b' ').next().unwrap_or_default();
        if !super::bytes::is_one_of(last, NAMES) || !self.may_look(value) {
            return None;
        }
        let from = skip_spaces(self.bytes, value);
        let bare = |b: u8| is_alnum(b) || matches!(b, b'_' | b'-' | b'.');
        let near = self.bytes.get(from..self.bytes.len().min(from + 80))?;
        let (start, end) = match value::quoted(near, 0) {
            Some((start, end)) => (from + start, from + end),
            None => (from, run_within(self.bytes, from, 64, bare)),
        };
        let (kind, many) = self.keys.judged(self.bytes.get(start..end)?, false)?;
        let gap = run_within(self.bytes, end, 24, |b| !is_alnum(b) && b != b'-');
        let word = run_within(self.bytes, gap, 12, is_alnum);
        let found = NameAt {
            start,
            end,
            quoted: true,
        };
        let named = self.named(found, kind, many, false);
        let text = self.bytes.get(gap..word)?;
        let line = self
            .bytes
            .get(end..gap)
            .is_some_and(|gap| gap.ends_with(b"\n\n") || gap.ends_with(b"\r\n\r\n"));
        if line {
            let stop = run(self.bytes, gap, |b| !matches!(b, b'\r' | b'\n'));
            let range = value::judged(self.bytes, gap, stop, named, Style::Quoted)?;
            return self.cut(range, MARK);
        }
        if !super::bytes::is_one_of(text, &["value", "val", "default", "data", "content"]) {
            return None;
        }
        let separator = run_within(self.bytes, word, 6, |b| {
            matches!(b, b'"' | b'\'' | b'\\' | b' ' | b':' | b'=')
        });
        let quote = back(self.bytes, word, separator, |b| {
            matches!(b, b'"' | b'\'' | b'\\')
        });
        let range = value::behind(self.bytes, quote, named, Style::Quoted)?;
        self.cut(range, MARK)
    }

    /// `<password>x</password>`, `<entry key="password">x</entry>`
    fn element(&mut self, at: usize) -> Option<usize> {
        let attribute = matches!(before(self.bytes, at), Some(b'"' | b'\''));
        let found = name_before(self.bytes, self.at, at)?;
        if !attribute && !matches!(before(self.bytes, found.start), Some(b'<' | b':')) {
            return None;
        }
        let judged = |found: NameAt| {
            let name = self.bytes.get(found.start..found.end)?;
            Some((found, self.keys.judged(name, false)?))
        };
        let named = judged(found);
        if named.is_none() && !attribute {
            return None;
        }
        let near = run_within(self.bytes, at + 1, LONGEST_ELEMENT, |b| b != b'<');
        (self.byte(near)? == b'<').then_some(())?;
        // `<apiKey type="string">x</apiKey>`: what closes it says its name.
        let (found, (kind, many)) = named.or_else(|| {
            let start = near + 2;
            let end = run_within(self.bytes, start, 64, is_word);
            judged(NameAt {
                start,
                end,
                quoted: false,
            })
        })?;
        let name = self.named(found, kind, many, false);
        let range = value::judged(self.bytes, at + 1, near, name, Style::Quoted)?;
        self.cut(range, MARK)
    }

    /// `ApiKey("x")`, `Password { value: "x" }`
    fn newtype(&mut self, at: usize) -> Option<usize> {
        let found = name_before(self.bytes, self.at, at)?;
        let text = self.bytes.get(found.start..found.end)?;
        let brace = self.byte(at)? == b'{';
        if brace && !text.first()?.is_ascii_uppercase() || !brace && found.end != at {
            return None;
        }
        let (kind, many) = self.keys.judged(text, false)?;
        let known = matches!(kind, Kind::Value | Kind::Access);
        let inside = run_within(self.bytes, at + 1, 16, |b| b.is_ascii_whitespace());
        let quote = value::quoted(
            self.bytes.get(inside..self.bytes.len().min(inside + 64))?,
            0,
        );
        if !known || (!brace && quote.is_none()) {
            return None;
        }
        let name = self.named(found, kind, many, false);
        let range = nested::group(self.bytes, at)?.secret_in(self.bytes, name)?;
        self.cut(range, MARK)
    }

    /// `("password", "x")`
    fn tuple(&mut self, at: usize) -> Option<usize> {
        if !matches!(before(self.bytes, at), Some(b'"' | b'\'')) {
            return None;
        }
        let found = name_before(self.bytes, self.at, at)?;
        let open = back(
            self.bytes,
            found.start.saturating_sub(6),
            found.start,
            |b| matches!(b, b'"' | b'\'' | b'\\' | b'b'),
        );
        if open == found.start || !matches!(before(self.bytes, open), Some(b'(' | b'[')) {
            return None;
        }
        let (kind, many) = self
            .keys
            .judged(self.bytes.get(found.start..found.end)?, false)?;
        let from = skip_spaces(self.bytes, at + 1);
        value::quoted(self.bytes.get(from..self.bytes.len().min(from + 4))?, 0)?;
        // A list of names: `["password", "token", "secret"]`.
        let name = self.named(found, kind, many, false);
        let range = value::behind(self.bytes, from, name, Style::Quoted)?;
        let value = self.bytes.get(range.0..range.1)?;
        let listed = self.keys.kind(value, false).is_some();
        (!listed).then(|| self.cut(range, MARK))?
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
