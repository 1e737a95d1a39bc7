//! What is wrong with a file, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// One mistake in a file.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; 0 when the file could not be read at all.
    pub line: usize,
    /// The column in characters, from 1; 0 when the file could not be read at all.
    pub column: usize,
    /// What is wrong. Text of the file that could be a secret is never in it.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// As `llm-observe.toml:12:5: what is wrong; what to write instead`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a file, in the order of the file; never empty.
///
/// Its `Display` prints one problem per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    problems: Vec<Problem>,
}

impl Errors {
    /// Sorts by position and removes duplicates. Returns `None` if there is no problem.
    pub(crate) fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by(|a, b| {
            let key = |problem: &Problem| (problem.line, problem.column);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        problems.dedup();
        (!problems.is_empty()).then_some(Self { problems })
    }

    /// Builds the errors of a file that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let problem = Problem {
            path: path.to_owned(),
            line: 0,
            column: 0,
            message: format!("cannot be read: {error}"),
            help: Some("check its path and its permissions, and that it is UTF-8".to_owned()),
        };
        let problems = vec![problem];
        Self { problems }
    }

    /// Returns the problems in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.problems.iter()
    }

    /// Returns how many problems there are, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.problems.len()
    }
}

impl<'a> IntoIterator for &'a Errors {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Errors {}
