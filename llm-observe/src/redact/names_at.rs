//! Finds the name before a separator.

use super::{
    bytes::{back, before, is_alnum, is_one_of, is_space},
    classes::is_word,
};

/// The longest word of a name that is looked at.
const LONGEST: usize = 64;

/// A name in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameAt {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it stands between quotes.
    pub(super) quoted: bool,
}

/// Returns the name that ends before `at`, with spaces and quotes between.
pub(super) fn name_before(bytes: &[u8], floor: usize, at: usize) -> Option<NameAt> {
    let spaced = back(bytes, at.saturating_sub(8).max(floor), at, is_space);
    let bracket = usize::from(before(bytes, spaced) == Some(b']'));
    let mut end = spaced - bracket;
    let quote = matches!(before(bytes, end), Some(b'"' | b'\'' | b'`')) && end > floor;
    if quote {
        end = back(
            bytes,
            (end - 1).saturating_sub(8).max(floor),
            end - 1,
            |b| b == b'\\',
        );
    }
    let start = back(bytes, end.saturating_sub(LONGEST).max(floor), end, is_word);
    if start >= end {
        return None;
    }
    Some(NameAt {
        start: spaced_name(bytes, floor, start, end),
        end,
        quoted: quote,
    })
}

/// Returns where the name starts whose last word is `start..end`: one word earlier where that word
/// alone says little, as in `API key`.
pub(super) fn spaced_name(bytes: &[u8], floor: usize, start: usize, end: usize) -> usize {
    const GENERIC: &[&str] = &[
        "key", "keys", "code", "codes", "id", "number", "phrase", "token", "hash", "pin",
    ];
    let generic = end - start <= 6
        && before(bytes, start) == Some(b' ')
        && bytes
            .get(start..end)
            .is_some_and(|word| is_one_of(word, GENERIC));
    if !generic || start <= floor {
        return start;
    }
    let word = back(bytes, start.saturating_sub(25).max(floor), start - 1, |b| {
        is_alnum(b) || b == b'-' || b == b'_'
    });
    if word < start - 1 { word } else { start }
}
