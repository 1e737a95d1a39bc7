//! How a call can end, and what kind of failure it was. Plain values; knows nothing else.

use std::fmt;

/// How an annotated call ended.
///
/// Every started call ends in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Outcome {
    /// It returned a value that is no error.
    Ok,
    /// It returned an error, or a value that `error_if` names one.
    Error,
    /// Its `timeout` ran out and it was dropped.
    Timeout,
    /// Its future or stream was dropped before it finished.
    Cancelled,
    /// It panicked.
    Panic,
}

impl Outcome {
    /// All outcomes, in the order of their discriminants.
    pub const ALL: [Outcome; 5] = [
        Outcome::Ok,
        Outcome::Error,
        Outcome::Timeout,
        Outcome::Cancelled,
        Outcome::Panic,
    ];

    /// Returns the name as it stands in log lines and label values.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
            Outcome::Timeout => "timeout",
            Outcome::Cancelled => "cancelled",
            Outcome::Panic => "panic",
        }
    }

    /// Returns the outcome of that name, the inverse of [`Outcome::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|o| o.as_str() == name)
    }

    /// Returns whether the call failed through itself: error, timeout or panic.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Outcome::Error | Outcome::Timeout | Outcome::Panic)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kind of a failure, few enough to be a label value.
///
/// The names are those that clients of hosted models agree on (an HTTP status, or the text of a
/// provider's error, maps to one of them); [`crate::kernel::classify`] derives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The request was malformed (HTTP 400, 422).
    BadRequest,
    /// The prompt is longer than the model takes.
    ContextWindowExceeded,
    /// The provider's content filter refused.
    ContentPolicy,
    /// The credential is missing or wrong (HTTP 401).
    Authentication,
    /// The credential may not do this (HTTP 403).
    PermissionDenied,
    /// There is no such model, route or document (HTTP 404).
    NotFound,
    /// It took too long (HTTP 408, 504).
    Timeout,
    /// Too many requests or tokens (HTTP 429).
    RateLimit,
    /// The service is overloaded or down (HTTP 502, 503, 529).
    Unavailable,
    /// No connection: refused, reset, name not resolved.
    Connection,
    /// The account's quota or budget is used up (HTTP 402).
    BudgetExceeded,
    /// The service failed inside (HTTP 500), or a panic.
    Internal,
    /// The error could not be classified.
    Other,
}

impl ErrorClass {
    /// All classes.
    pub const ALL: [ErrorClass; 13] = [
        ErrorClass::BadRequest,
        ErrorClass::ContextWindowExceeded,
        ErrorClass::ContentPolicy,
        ErrorClass::Authentication,
        ErrorClass::PermissionDenied,
        ErrorClass::NotFound,
        ErrorClass::Timeout,
        ErrorClass::RateLimit,
        ErrorClass::Unavailable,
        ErrorClass::Connection,
        ErrorClass::BudgetExceeded,
        ErrorClass::Internal,
        ErrorClass::Other,
    ];

    /// Returns the name as it stands in log lines and label values.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorClass::BadRequest => "bad_request",
            ErrorClass::ContextWindowExceeded => "context_window_exceeded",
            ErrorClass::ContentPolicy => "content_policy",
            ErrorClass::Authentication => "authentication",
            ErrorClass::PermissionDenied => "permission_denied",
            ErrorClass::NotFound => "not_found",
            ErrorClass::Timeout => "timeout",
            ErrorClass::RateLimit => "rate_limit",
            ErrorClass::Unavailable => "unavailable",
            ErrorClass::Connection => "connection",
            ErrorClass::BudgetExceeded => "budget_exceeded",
            ErrorClass::Internal => "internal",
            ErrorClass::Other => "other",
        }
    }

    /// Returns the class of an HTTP status, or `None` for one that is no failure.
    #[must_use]
    pub const fn of_status(status: u16) -> Option<ErrorClass> {
        Some(match status {
            0..=399 => return None,
            401 => ErrorClass::Authentication,
            402 => ErrorClass::BudgetExceeded,
            403 => ErrorClass::PermissionDenied,
            404 | 410 => ErrorClass::NotFound,
            408 | 504 => ErrorClass::Timeout,
            429 => ErrorClass::RateLimit,
            502 | 503 | 529 => ErrorClass::Unavailable,
            400..=499 => ErrorClass::BadRequest,
            500..=599 => ErrorClass::Internal,
            _ => ErrorClass::Other,
        })
    }

    /// Returns whether the caller, not the service, is at fault: no sign of an outage.
    #[must_use]
    pub const fn is_client_fault(self) -> bool {
        matches!(
            self,
            ErrorClass::BadRequest
                | ErrorClass::ContextWindowExceeded
                | ErrorClass::ContentPolicy
                | ErrorClass::NotFound
        )
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_name(outcome.as_str()), Some(outcome));
        }
        assert_eq!(Outcome::from_name("OK"), None);
    }

    #[test]
    fn statuses_have_the_class_of_the_http_registry() {
        assert_eq!(ErrorClass::of_status(200), None);
        assert_eq!(ErrorClass::of_status(429), Some(ErrorClass::RateLimit));
        assert_eq!(ErrorClass::of_status(422), Some(ErrorClass::BadRequest));
        assert_eq!(ErrorClass::of_status(529), Some(ErrorClass::Unavailable));
        assert_eq!(ErrorClass::of_status(501), Some(ErrorClass::Internal));
    }
}
