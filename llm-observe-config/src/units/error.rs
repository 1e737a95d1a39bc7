//! The one error of durations, sizes, shares and hours.

use std::fmt;

/// What is wrong with a duration, a size, a share or a pair of hours, and what to write.
///
/// Its text never repeats what was written: that may be a misplaced secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    message: String,
    help: String,
}

impl UnitError {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), help.into());
        Self { message, help }
    }

    /// Returns what is wrong, such as `has no unit`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to write, such as `write "2s"`.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for UnitError {}
