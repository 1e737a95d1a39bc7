//! What is found wrong while a file is read, at byte offsets first, then with line and column.

use std::cell::RefCell;
use std::path::Path;

use crate::problem::Problem;
use crate::rules::Names;

/// What a walk over one file has found.
#[derive(Default)]
pub(crate) struct Walk {
    found: RefCell<Vec<Found>>,
    /// The names that are declared and used, for the rules across tables.
    pub(crate) names: RefCell<Names>,
}

struct Found {
    at: usize,
    message: String,
    help: Option<String>,
}

impl Walk {
    /// Adds a problem at the byte offset `at`.
    pub(crate) fn add(&self, at: usize, message: impl Into<String>, help: Option<String>) {
        let message = message.into();
        self.found.borrow_mut().push(Found { at, message, help });
    }

    /// Returns how many problems there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// Returns the problems with their lines and columns in `text`.
    pub(crate) fn into_problems(self, text: &str, path: &Path) -> Vec<Problem> {
        let lines = Lines::of(text);
        let found = self.found.into_inner().into_iter();
        let problems = found.map(|found| {
            let (line, column) = lines.position(found.at);
            Problem {
                path: path.to_owned(),
                line,
                column,
                message: found.message,
                help: found.help,
            }
        });
        problems.collect()
    }
}

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
