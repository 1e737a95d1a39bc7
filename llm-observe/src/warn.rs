//! Messages about the toolkit itself, for the person at the terminal.

use std::io::{self, Write};

/// Writes `message` to standard error.
pub(crate) fn warn(message: &str) {
    // When even standard error is gone, nothing is left to write to.
    let _ = writeln!(io::stderr(), "llm-observe: {message}");
}
