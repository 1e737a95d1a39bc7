//! One line of the log. Plain data.

/// One line of the log, with what could be parsed of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The line as it stands in the file, without its newline.
    pub text: String,
    /// Microseconds since the Unix epoch.
    pub micros: i64,
    /// `TRACE` to `ERROR`.
    pub level: String,
    /// The message; in a text line everything after the level.
    pub message: String,
    /// The event's name.
    pub event: Option<String>,
    /// How the call ended: `ok`, `error`, `timeout`, `cancelled` or `panic`.
    pub outcome: Option<String>,
    /// The trace the call belongs to.
    pub trace_id: Option<String>,
}

/// Returns where a level stands, from `trace` to `error`.
pub(super) fn rank(level: &str) -> Option<usize> {
    ["trace", "debug", "info", "warn", "error"]
        .iter()
        .position(|name| name.eq_ignore_ascii_case(level))
}
