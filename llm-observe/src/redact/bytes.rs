//! The loops in which this module looks at bytes one by one. Every loop that looks ahead or back is
//! here, so that the tests can count its steps.

use super::steps;

/// Returns where the run of bytes that starts at `from` and pleases `is` ends.
pub(super) fn run(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    run_within(bytes, from, usize::MAX, is)
}

/// Returns where the run ends, or where `most` bytes of it do.
pub(super) fn run_within(bytes: &[u8], from: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let len = rest.iter().take(most).take_while(|b| is(**b)).count();
    steps::add(len + 1);
    from + len
}

/// Returns where the run that ends at `end` starts, not before `floor`.
pub(super) fn back(bytes: &[u8], floor: usize, end: usize, is: impl Fn(u8) -> bool) -> usize {
    let run = bytes.get(floor..end).unwrap_or_default();
    let len = run.iter().rev().take_while(|b| is(**b)).count();
    steps::add(len + 1);
    end - len
}

/// Returns the byte before `at`.
pub(super) fn before(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at.checked_sub(1)?).copied()
}

/// How many spaces may stand around `=` and `:`.
const MOST_SPACES: usize = 8;

/// Returns where the spaces at `at` end.
pub(super) fn skip_spaces(bytes: &[u8], at: usize) -> usize {
    run_within(bytes, at, MOST_SPACES, is_space)
}

/// Returns whether `byte` is a space within a line.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Returns whether `byte` is an ASCII letter or digit.
pub(super) const fn is_alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Returns whether `text` starts with `start`, in upper or lower case.
pub(super) fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Returns whether `text` ends with `end`, in upper or lower case.
pub(super) fn ends_with(text: &[u8], end: &[u8]) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Returns whether `word` is one of `words`, in upper or lower case.
pub(super) fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}
