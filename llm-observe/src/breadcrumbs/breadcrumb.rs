//! One breadcrumb, as reports show it.

use tracing::Level;

/// A log line or a call from before an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breadcrumb {
    /// When it happened, in microseconds since the Unix epoch.
    pub time: u64,
    /// Its level, at least [`Level::INFO`].
    pub level: Level,
    /// The line's target, or the function that was called.
    pub category: String,
    /// The message, cut at 500 bytes.
    pub message: String,
}
