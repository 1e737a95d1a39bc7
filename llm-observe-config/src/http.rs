//! `[http]` and `[redact]`: which parts of requests are observed, and what is redacted.

use std::time::Duration;

use crate::names;
use crate::section::Section;
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
    /// The hosts that receive the trace context, in lower case: a name, an address, or `*.` and a
    /// suffix of names. Default: none.
    pub propagate: Vec<String>,
    /// The keys of `baggage` that are read from requests, recorded, and sent on where the trace
    /// context is. Default: none.
    pub baggage: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            slow: None,
            alert_on: Vec::new(),
            ignore: Vec::new(),
            sample: 1.0,
            headers: Vec::new(),
            propagate: Vec::new(),
            baggage: Vec::new(),
        }
    }
}

/// What is redacted in addition to what always is.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Redact {
    /// Patterns of text that is redacted.
    pub patterns: Vec<String>,
    /// Names of fields whose values are redacted.
    pub keys: Vec<String>,
}

impl Http {
    /// Returns whether requests to `host` carry the trace context. `host` is a name or an address
    /// without port.
    ///
    /// `*.example.org` matches the names under `example.org`, but not that name itself.
    #[must_use]
    pub fn propagates_to(&self, host: &str) -> bool {
        // A name may be written with the root's dot, an IPv6 address with brackets.
        let host = host.strip_suffix('.').unwrap_or(host);
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let mut patterns = self.propagate.iter();
        patterns.any(|pattern| match pattern.strip_prefix('*') {
            Some(end) => ends_in(host, end),
            None => host.eq_ignore_ascii_case(pattern),
        })
    }

    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut http = Self::default();
        section.optional("slow", &mut http.slow, value::some_duration);
        section.list("alert_on", &mut http.alert_on, names::request_outcome);
        section.list("ignore", &mut http.ignore, names::request_path);
        section.set("sample", &mut http.sample, value::share);
        section.list("headers", &mut http.headers, names::header);
        section.list("propagate", &mut http.propagate, names::host_pattern);
        section.list("baggage", &mut http.baggage, names::baggage_key);
        http
    }
}

/// Returns whether `host` has something before `end`, which starts with a dot.
fn ends_in(host: &str, end: &str) -> bool {
    let head = host.len().checked_sub(end.len()).filter(|head| *head > 0);
    head.and_then(|head| host.get(head..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

impl Redact {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut redact = Self::default();
        section.list("patterns", &mut redact.patterns, value::raw_text);
        section.list("keys", &mut redact.keys, value::text);
        redact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_go_to_the_configured_hosts_only() {
        let propagate = ["api.internal", "*.example.org", "10.0.0.1", "::1"];
        let http = Http {
            propagate: propagate.map(String::from).to_vec(),
            ..Http::default()
        };
        for host in [
            "api.internal",
            "API.Internal.",
            "a.example.org",
            "a.b.EXAMPLE.org",
            "10.0.0.1",
            "[::1]",
            "::1",
        ] {
            assert!(http.propagates_to(host), "{host}");
        }
        for host in [
            "",
            ".",
            "internal",
            "x.api.internal",
            "api.internal.evil.org",
            "example.org",
            ".example.org",
            "evilexample.org",
            "example.org.evil",
            "10.0.0.11",
            "ä.example.orgä",
        ] {
            assert!(!http.propagates_to(host), "{host}");
        }
        assert!(!Http::default().propagates_to("api.internal"));
    }
}
