//! The parts of a parsed file with their positions: values and keys at byte offsets, and the lines
//! that an offset is in.

use toml::Spanned;
use toml::de::{DeString, DeValue};

/// A value and where it stands.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;

/// A key and where it stands.
pub(crate) type Key<'i> = Spanned<DeString<'i>>;

/// The lines of a text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(after).collect();
        Self { text, starts }
    }

    /// Returns the line and the column, in characters and from 1, of the byte offset `at`.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let end = at.min(self.text.len());
        let before = self.text.get(start..end).unwrap_or_default();
        // A byte order mark is no character that an editor counts.
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_in_characters_from_1() {
        let text = "\u{feff}a = 1\r\nä = \"ö\" x\n";
        let position = |text, at| Lines::of(text).position(at);
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 3), (1, 1));
        assert_eq!(position(text, text.find('x').unwrap()), (2, 9));
        assert_eq!(position(text, 9_999), (3, 1));
        assert_eq!(position("", 0), (1, 1));
    }
}
