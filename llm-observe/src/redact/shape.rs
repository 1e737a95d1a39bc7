//! Keys and tokens that are known by their shape, wherever they stand: those of the table of issuers.
//! The few that no prefix tells are in `formats.rs`.

use super::{
    bytes::{before, run, run_within},
    classes::is_word,
    formats,
    issuers::{Body, ISSUERS, Issuer, Place},
    scan::Word,
};

/// How long a word is that may be one of these: a run of so many bytes is what the scan finds.
pub(super) const SHORTEST: usize = 1 + 1 + 2 + 4 + 7;

/// How much of a body is looked at to see whether it is words of a name.
const LOOKED_AT: usize = 48;

const SLOTS: usize = 4096;

/// No row.
const NONE: u8 = u8::MAX;

/// A table of rows by the hash of three bytes: the first of each hash, and the next one of the same.
struct ByThree {
    first: [u8; SLOTS],
    next: [u8; ISSUERS.len()],
}

/// The rows that stand at the start of something, by the first three bytes of their prefix.
static STARTS: ByThree = by_three(Place::Start);

/// The rows that stand anywhere, by the three bytes of their prefix that end in its first `-` or `_`.
static DASHES: ByThree = by_three(Place::Anywhere);

const fn by_three(place: Place) -> ByThree {
    let mut table = ByThree {
        first: [NONE; SLOTS],
        next: [NONE; ISSUERS.len()],
    };
    // A const context: an index that is out of bounds, or a row too many, would not compile.
    assert!(ISSUERS.len() < NONE as usize);
    let mut i = ISSUERS.len();
    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
    while i > 0 {
        i -= 1;
        let prefix = ISSUERS[i].prefix.as_bytes();
        let at = match place {
            Place::Start => 0,
            Place::Anywhere => dash(prefix) - 2,
        };
        if tail_start(prefix) == 0 && ISSUERS[i].place as u8 == place as u8 {
            let slot = slot(prefix[at], prefix[at + 1], prefix[at + 2]);
            table.next[i] = table.first[slot];
            table.first[slot] = i as u8;
        }
    }
    table
}

impl ByThree {
    /// Returns the rows whose three bytes may be these.
    #[inline]
    fn rows(&'static self, three: &[u8]) -> impl Iterator<Item = &'static Issuer> {
        let first = match three {
            [a, b, c, ..] => self.first.get(slot(*a, *b, *c)).copied(),
            _ => None,
        };
        let present = |row: u8| (row != NONE).then_some(usize::from(row));
        let next = move |row: &usize| self.next.get(*row).copied().and_then(present);
        std::iter::successors(first.and_then(present), next).filter_map(|row| ISSUERS.get(row))
    }
}

/// Returns where the first `-` or `_` of a prefix is; at least 2.
const fn dash(prefix: &[u8]) -> usize {
    let mut at = 0;
    #[allow(clippy::indexing_slicing, reason = "bounded by the length")]
    while at < prefix.len() && prefix[at] != b'-' && prefix[at] != b'_' {
        at += 1;
    }
    if at < 2 { 2 } else { at }
}

/// How many rows have something in their prefix that is in no word (`hvs.`).
const SPLITS: usize = splits().1;

/// Those rows: found at the word behind it.
static SPLIT: [u8; ISSUERS.len()] = splits().0;

const fn splits() -> ([u8; ISSUERS.len()], usize) {
    let (mut rows, mut count, mut i) = ([0; ISSUERS.len()], 0, 0);
    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
    while i < ISSUERS.len() {
        if tail_start(ISSUERS[i].prefix.as_bytes()) > 0 {
            rows[count] = i as u8;
            count += 1;
        }
        i += 1;
    }
    (rows, count)
}

const fn slot(a: u8, b: u8, c: u8) -> usize {
    let three = a as u32 | (b as u32) << 8 | (c as u32) << 16;
    (three.wrapping_mul(0x9e37_79b1) >> 20) as usize
}

/// Returns where the part of a prefix starts that is in one word.
const fn tail_start(prefix: &[u8]) -> usize {
    let mut at = prefix.len();
    #[allow(clippy::indexing_slicing, reason = "bounded by the length")]
    while at > 0 && is_word(prefix[at - 1]) {
        at -= 1;
    }
    at
}

/// Returns the range of the first secret that starts within `word`, or right before it.
pub(super) fn find(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    split(bytes, word)
        .or_else(|| formats::twilio(word))
        .or_else(|| formats::resend(bytes, word))
        .or_else(|| formats::discord(bytes, word))
        .or_else(|| solid(bytes, word))
        .or_else(|| formats::jwt(bytes, word))
}

/// A prefix within the word. It starts the word, or a part of it behind `-` or `_`, or has one.
fn solid(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    super::steps::add(word.bytes.len());
    if is_name(word.bytes) {
        return None;
    }
    let mut ahead = Ahead::default();
    for at in escaped_starts(bytes, word) {
        let found = starting(bytes, word, at, &mut ahead);
        if found.is_some() {
            return found;
        }
    }
    for (at, byte) in word.bytes.iter().enumerate() {
        if !matches!(byte, b'-' | b'_') {
            continue;
        }
        let within = at.checked_sub(2).and_then(|from| word.bytes.get(from..));
        let found = DASHES.rows(within.unwrap_or_default()).find_map(|row| {
            let start = at.checked_sub(dash(row.prefix.as_bytes()))?;
            matched(bytes, word, start, row, &mut ahead)
        });
        let found = found.or_else(|| starting(bytes, word, at + 1, &mut ahead));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Returns whether a word is lower-case words with dashes between, none of them long: what no row
/// takes.
fn is_name(word: &[u8]) -> bool {
    let plain = word
        .iter()
        .all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_'));
    plain
        && word
            .split(|b| matches!(b, b'-' | b'_'))
            .all(|part| part.len() < SHORTEST)
}

/// Returns where a secret may start in a word besides behind `-` and `_`: at its start, behind an
/// escape that it begins with (`\nsk-...`, `%20sk-...`), or behind a colour (`[31msk-...`).
pub(super) fn escaped_starts(bytes: &[u8], word: Word<'_>) -> impl Iterator<Item = usize> {
    let starts: &[usize] = match before(bytes, word.start) {
        Some(b'\\') => &[0, 1, 3, 5],
        Some(b'%') => &[0, 2],
        Some(b'[' | b';') => &[0, 2, 3, 4],
        _ => &[0],
    };
    starts.iter().copied()
}

/// A prefix that starts at `at`.
#[inline]
fn starting(bytes: &[u8], word: Word<'_>, at: usize, ahead: &mut Ahead) -> Option<(usize, usize)> {
    STARTS
        .rows(word.bytes.get(at..)?)
        .find_map(|row| matched(bytes, word, at, row, ahead))
}

fn matched(
    bytes: &[u8],
    word: Word<'_>,
    at: usize,
    row: &Issuer,
    ahead: &mut Ahead,
) -> Option<(usize, usize)> {
    let prefix = row.prefix.as_bytes();
    let text = word.bytes.get(at..)?;
    // The last byte first: rows of one hash mostly differ in it.
    let fits = text.get(prefix.len() - 1) == prefix.last() && text.starts_with(prefix);
    fits.then(|| key_at(bytes, word, word.start + at, row, ahead))?
}

/// Returns the range of the key whose prefix, that of `row`, starts at `start`.
#[inline]
fn key_at(
    bytes: &[u8],
    word: Word<'_>,
    start: usize,
    row: &Issuer,
    ahead: &mut Ahead,
) -> Option<(usize, usize)> {
    let from = start + row.prefix.len();
    if row.body.has_dashes() && ahead.is_words(bytes, from, word.end) {
        return None;
    }
    let end = body_end(bytes, from, row, word.end)?;
    Some((start, end.max(word.end)))
}

/// A prefix that ends before the word, or in its start.
fn split(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    match before(bytes, word.start)? {
        b'.' | b'~' | b':' => {}
        b'$' => return formats::crypt(bytes, word),
        b'/' | b'+' => {
            if let Some(found) = base64(bytes, word) {
                return Some(found);
            }
        }
        _ => return None,
    }
    super::steps::add(SPLITS / 4);
    SPLIT.iter().take(SPLITS).find_map(|row| {
        let row = ISSUERS.get(usize::from(*row))?;
        let prefix = row.prefix.as_bytes();
        let tail = tail_start(prefix);
        let start = word.start.checked_sub(tail)?;
        let fits = bytes.get(start..)?.starts_with(prefix)
            && !before(bytes, start).is_some_and(|b| b.is_ascii_alphanumeric());
        fits.then(|| key_at(bytes, word, start, row, &mut Ahead::default()))?
    })
}

/// A key in base64, of which the word is a later part: `ABSKab/cd..`.
fn base64(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    let is = |b| Body::Base64.has(b) && b != b'=';
    let start = super::bytes::back(bytes, word.start.saturating_sub(64), word.start, is);
    let text = bytes.get(start..)?;
    let row = STARTS
        .rows(text)
        .find(|row| row.body == Body::Base64 && text.starts_with(row.prefix.as_bytes()))?;
    Some((
        start,
        body_end(bytes, start + row.prefix.len(), row, start)?,
    ))
}

impl Body {
    /// Returns whether words with dashes between may look like it.
    const fn has_dashes(self) -> bool {
        matches!(self, Body::Word | Body::Dotted | Body::Base64)
    }

    const fn has(self, byte: u8) -> bool {
        match self {
            Body::Hex => byte.is_ascii_hexdigit(),
            Body::Upper | Body::AwsId => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Body::Alnum => byte.is_ascii_alphanumeric(),
            Body::Word => is_word(byte),
            Body::Dotted => is_word(byte) || byte == b'.',
            Body::Base64 => is_word(byte) || matches!(byte, b'+' | b'/' | b'='),
        }
    }
}

/// Returns where the body behind a prefix ends, if there is one.
fn body_end(bytes: &[u8], from: usize, row: &Issuer, word_end: usize) -> Option<usize> {
    let has = |byte| row.body.has(byte);
    // Of a body that may be any word, what is in the word need not be looked at again.
    let known = row.body.has_dashes() && word_end >= from + row.least;
    if !known && run_within(bytes, from, row.least, has) < from + row.least {
        return None;
    }
    if row.body == Body::AwsId && bytes.get(from + 16).is_some_and(|b| is_word(*b)) {
        return None;
    }
    let end = run(bytes, from, has);
    // The full stop of a sentence is none of the token's.
    Some(if before(bytes, end) == Some(b'.') {
        end - 1
    } else {
        end
    })
}

/// What comes next in a word; every byte of it is looked at once, however many prefixes are in it.
#[derive(Default)]
struct Ahead {
    /// The next digit or capital.
    strange: usize,
    /// The next `-` or `_`.
    dash: usize,
}

impl Ahead {
    /// Returns whether the body at `from` is lower-case words with dashes between.
    fn is_words(&mut self, bytes: &[u8], from: usize, word_end: usize) -> bool {
        let end = word_end.min(from + LOOKED_AT);
        let ordinary = |b: u8| !(b.is_ascii_digit() || b.is_ascii_uppercase());
        if self.strange < from {
            self.strange = run_within(bytes, from, word_end.saturating_sub(from), ordinary);
        }
        if self.dash < from {
            let letter = |b: u8| !matches!(b, b'-' | b'_');
            self.dash = run_within(bytes, from, word_end.saturating_sub(from), letter);
        }
        self.dash < end && self.strange >= end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;

    /// What a body of that kind may look like.
    fn body(kind: Body, len: usize) -> String {
        let letters: &[u8] = match kind {
            Body::Hex => b"0a1b2c3d4e5f6789",
            Body::Upper | Body::AwsId => b"Q7W2E9R4T6Y8U3P5",
            _ => b"a7Kq2Zr9Xw4Lm8Tb",
        };
        (0..len)
            .map(|i| char::from(letters[(i * 7 + i / 16) % letters.len()]))
            .collect()
    }

    #[test]
    fn of_each_issuer_a_key_goes_and_what_is_too_short_stays() {
        let redactor = Redactor::default();
        for row in ISSUERS {
            let key = format!("{}{}", row.prefix, body(row.body, row.least));
            for text in [
                format!("got {key} back"),
                format!("\"{key}\""),
                format!("({key})"),
            ] {
                let out = redactor.redact(&text);
                assert!(
                    !out.contains(&key[row.prefix.len()..]),
                    "{}: {out}",
                    row.name
                );
            }
            let short = format!("got {}{} back", row.prefix, body(Body::Hex, 5));
            assert_eq!(redactor.redact(&short), short, "{}", row.name);
            assert!(row.source.starts_with("https://") && !row.name.is_empty());
            assert!(row.prefix.len() >= 3, "{}", row.name);
        }
    }

    #[test]
    fn words_behind_a_prefix_are_no_key() {
        let redactor = Redactor::default();
        let words = "wide-and-open-field-of-corn-and-rye-by-the-river";
        // `sk-or-v1-` is one of `sk-` too, with a digit behind it.
        let plain = |row: &&Issuer| !row.prefix.starts_with("sk-") || row.prefix.len() == 3;
        for row in ISSUERS.iter().filter(plain) {
            let text = format!("see {}{words} there", row.prefix);
            assert_eq!(redactor.redact(&text), text, "{}", row.name);
        }
    }
}
