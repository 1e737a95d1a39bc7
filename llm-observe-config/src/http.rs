//! `[http]` and `[redact]`: what of a request is observed, and what of anything is hidden.

use std::time::Duration;

/// The HTTP server layer and client middleware.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// The duration beyond which a request is slow. Default: none.
    pub slow: Option<Duration>,
    /// What alerts: statuses (`500`), classes of them (`5xx`), `slow`, `timeout`, `panic`.
    pub alert_on: Vec<String>,
    /// The paths that are not observed; one that ends in `*` is a prefix.
    pub ignore: Vec<String>,
    /// The share of successful requests that write a log line, 0 to 1. Default: 1.
    pub sample: f64,
    /// The request headers that are logged. Default: none.
    pub headers: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            slow: None,
            alert_on: Vec::new(),
            ignore: Vec::new(),
            sample: 1.0,
            headers: Vec::new(),
        }
    }
}

/// What is hidden beside what always is.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Redact {
    /// Patterns of text that is hidden.
    pub patterns: Vec<String>,
    /// Names of fields whose values are hidden.
    pub keys: Vec<String>,
}
