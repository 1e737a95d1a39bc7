//! "did you mean": the nearest of the allowed words.

/// Longer words are not compared, because the work grows with the square of the length.
const LONGEST: usize = 64;

/// Returns the word of `allowed` that `wrong` was most likely meant to be, or `None` when none is
/// near: at most one edit in three characters, or one is the beginning of the other, without regard to
/// case. The first of equals wins.
pub fn suggest<'a>(wrong: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = folded(wrong);
    if wrong.is_empty() || wrong.len() > LONGEST {
        return None;
    }
    let near = allowed.into_iter().filter_map(|word| {
        let other = folded(word);
        if other.len() > LONGEST {
            return None;
        }
        let edits = edits(&wrong, &other);
        let near = edits <= allowance(wrong.len().max(other.len()));
        (near || shortened(&wrong, &other)).then_some((edits, word))
    });
    near.min_by_key(|(edits, _)| *edits).map(|(_, word)| word)
}

fn folded(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).collect()
}

/// Returns whether one is the beginning of the other, three characters at least.
fn shortened(a: &[char], b: &[char]) -> bool {
    a.len().min(b.len()) >= 3 && (a.starts_with(b) || b.starts_with(a))
}

/// Returns how many edits a word of `length` characters may be away: none for the shortest, whose
/// every letter matters.
fn allowance(length: usize) -> usize {
    if length < 3 { 0 } else { (length / 3).max(1) }
}

/// Returns the number of insertions, deletions, replacements and swaps of neighbours that turn `a`
/// into `b` (Damerau-Levenshtein distance, optimal string alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, &from) in a.iter().enumerate() {
        let row = next_row(i + 1, (from, previous), b, &last, &before);
        before = std::mem::replace(&mut last, row);
        previous = Some(from);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

/// Returns row `i` of the distance matrix from the two above it: `last`, and `before` above that.
fn next_row(
    i: usize,
    (from, above): (char, Option<char>),
    b: &[char],
    last: &[usize],
    before: &[usize],
) -> Vec<usize> {
    let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
    let mut row = Vec::with_capacity(b.len() + 1);
    let mut left = i;
    let mut previous = None;
    row.push(left);
    for (j, &to) in b.iter().enumerate() {
        let replaced = at(last, j) + usize::from(from != to);
        let mut best = replaced.min(at(last, j + 1) + 1).min(left + 1);
        if j > 0 && previous == Some(from) && above == Some(to) {
            best = best.min(at(before, j - 1) + 1);
        }
        row.push(best);
        left = best;
        previous = Some(to);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_nearest_and_nothing_far() {
        let keys = ["webhook", "kind", "severities", "max_per_minute"];
        assert_eq!(suggest("webhok", keys), Some("webhook"));
        assert_eq!(suggest("WebHook", keys), Some("webhook"));
        assert_eq!(suggest("knid", keys), Some("kind"));
        assert_eq!(suggest("severity", keys), Some("severities"));
        assert_eq!(suggest("sev", keys), Some("severities"));
        assert_eq!(suggest("warning", ["error", "warn"]), Some("warn"));
        assert_eq!(suggest("password", keys), None);
        assert_eq!(suggest("", keys), None);
        assert_eq!(suggest("ab", ["ac"]), None);
        assert_eq!(suggest(&"k".repeat(10_000), keys), None);
    }

    #[test]
    fn counts_edits() {
        let count = |a: &str, b: &str| edits(&folded(a), &folded(b));
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("abc", ""), 3);
        assert_eq!(count("abcd", "abdc"), 1);
        assert_eq!(count("kitten", "sitting"), 3);
        assert_eq!(count("ca", "abc"), 3);
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_bounded(a in ".{0,12}", b in ".{0,12}") {
            let (a, b) = (folded(&a), folded(&b));
            let there = edits(&a, &b);
            prop_assert_eq!(there, edits(&b, &a));
            prop_assert!(there <= a.len().max(b.len()));
            prop_assert_eq!(there == 0, a == b);
        }
    }
}
