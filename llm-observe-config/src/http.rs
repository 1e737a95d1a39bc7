//! `[http]` and `[redact]`: what of a request is observed, and what of anything is hidden.

use std::time::Duration;

use crate::names;
use crate::reader::Section;
use crate::value;

/// The HTTP server layer and client middleware.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// The duration beyond which a request is slow. Default: none.
    pub slow: Option<Duration>,
    /// What alerts: statuses (`500`), classes of them (`5xx`), `slow`, `timeout`, `cancelled`,
    /// `panic`.
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

impl Http {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut http = Self::default();
        section.some("slow", &mut http.slow, value::some_duration);
        section.list("alert_on", &mut http.alert_on, names::request_outcome);
        section.list("ignore", &mut http.ignore, names::request_path);
        section.set("sample", &mut http.sample, value::share);
        section.list("headers", &mut http.headers, names::header);
        http
    }
}

impl Redact {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut redact = Self::default();
        section.list("patterns", &mut redact.patterns, value::raw_text);
        section.list("keys", &mut redact.keys, value::text);
        redact
    }
}
