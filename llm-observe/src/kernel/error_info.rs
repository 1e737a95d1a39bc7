//! An error as a call ended in it: plain text, no longer the error itself.

use super::{
    outcome::ErrorClass,
    pool::{MOST_TEXT, prefix},
};

/// An error as it was when the call ended in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorInfo {
    /// The error's Rust type, or `panic`.
    pub type_name: &'static str,
    /// Its `Display` text (its `Debug` text where it has no `Display`).
    pub message: String,
    /// The kind of failure.
    pub class: ErrorClass,
    /// The `Display` texts of its `source()` chain, the nearest cause first.
    pub chain: Vec<String>,
    /// Where a panic started, as `file:line:column`.
    pub location: Option<String>,
    /// The frames of a panic, innermost first, where a backtrace was taken.
    pub backtrace: Option<String>,
}

impl ErrorInfo {
    /// Returns an error of that type and text, with no chain. Of a longer text than 64 KiB the
    /// beginning is kept.
    #[must_use]
    pub fn new(
        type_name: &'static str,
        message: impl Into<String>,
        class: ErrorClass,
    ) -> ErrorInfo {
        let mut message = message.into();
        // With the mark that says where it was cut.
        if message.len() > MOST_TEXT + 64 {
            message.truncate(prefix(&message, MOST_TEXT).len());
        }
        ErrorInfo {
            type_name,
            message,
            class,
            chain: Vec::new(),
            location: None,
            backtrace: None,
        }
    }
}
