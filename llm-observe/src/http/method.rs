//! The request methods that labels distinguish. No text from a client becomes a label.

/// A request method, or `_OTHER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Method(usize);

/// The methods of RFC 9110, RFC 5789 and the draft of QUERY (httpbis-safe-method-w-body), which the
/// OpenTelemetry HTTP conventions list, and their name for any other.
const NAMES: [&str; 11] = [
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY",
    "_OTHER",
];

impl Method {
    /// The number of methods.
    pub(crate) const COUNT: usize = NAMES.len();

    /// Returns the method of that name. Names are case-sensitive (RFC 9110, section 9.1).
    pub(crate) fn of(name: &str) -> Method {
        let known = NAMES.iter().position(|known| *known == name);
        Method(known.unwrap_or(NAMES.len() - 1))
    }

    pub(crate) fn as_str(self) -> &'static str {
        NAMES.get(self.0).copied().unwrap_or("_OTHER")
    }

    /// Returns its index among all methods.
    pub(crate) const fn index(self) -> usize {
        self.0
    }

    pub(crate) fn is_other(self) -> bool {
        self.0 == NAMES.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn unknown_methods_are_other() {
        assert_eq!(Method::of("PATCH").as_str(), "PATCH");
        for unknown in ["get", "PROPFIND", "", "_OTHER"] {
            assert_eq!(Method::of(unknown).as_str(), "_OTHER");
            assert!(Method::of(unknown).is_other());
        }
    }
}
