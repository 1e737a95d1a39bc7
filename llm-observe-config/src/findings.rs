//! What reading one file collects: its problems at byte offsets, and the names it uses. The
//! problems get their lines and columns at the end.

use std::cell::RefCell;
use std::path::Path;

use crate::problem::Problem;
use crate::references::References;
use crate::syntax::Lines;

/// The problems and the names of one file, collected while it is read.
#[derive(Default)]
pub(crate) struct Findings {
    list: RefCell<Vec<Finding>>,
    /// The names that are declared and used, for the rules across tables.
    pub(crate) references: RefCell<References>,
}

struct Finding {
    at: usize,
    message: String,
    help: Option<String>,
}

impl Findings {
    /// Adds a problem at the byte offset `at`.
    pub(crate) fn add(&self, at: usize, message: impl Into<String>, help: Option<String>) {
        let message = message.into();
        self.list.borrow_mut().push(Finding { at, message, help });
    }

    /// Returns how many problems there are so far.
    pub(crate) fn count(&self) -> usize {
        self.list.borrow().len()
    }

    /// Returns the problems with their lines and columns in `text`.
    pub(crate) fn into_problems(self, text: &str, path: &Path) -> Vec<Problem> {
        let lines = Lines::of(text);
        let list = self.list.into_inner().into_iter();
        let problems = list.map(|found| {
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
