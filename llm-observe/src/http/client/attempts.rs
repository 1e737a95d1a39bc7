//! How often one request was sent, and why it was sent again.

use std::sync::{Arc, Mutex, PoisonError};

use crate::kernel::outcome::ErrorClass;

/// Counts the attempts to send one request, across the clones that a retry layer sends.
///
/// The middleware for `reqwest` puts one into the request's extensions by itself. In a `tower` stack,
/// insert one into the request's extensions above the retry layer. The retry layer must copy the
/// extensions when it clones a request.
///
/// ```
/// use llm_observe::http::client::Attempts;
///
/// let mut request = http::Request::new("a question");
/// request.extensions_mut().insert(Attempts::default());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<AttemptHistory>>);

#[derive(Debug, Default)]
struct AttemptHistory {
    sent: u32,
    latest_end: Option<RetryReason>,
}

/// How the previous attempt ended, which is why a request is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryReason {
    /// With a status of 400 or above.
    Status(u16),
    /// The connection failed.
    Connect,
    Timeout,
    /// With another error, or successfully: a redirect, or new credentials.
    Other,
}

impl RetryReason {
    /// Returns the reason that an error of `class` stands for.
    pub(crate) const fn of_class(class: ErrorClass) -> RetryReason {
        match class {
            ErrorClass::Timeout => RetryReason::Timeout,
            ErrorClass::Connection => RetryReason::Connect,
            _ => RetryReason::Other,
        }
    }

    /// Returns the value of the label `reason`.
    pub(crate) fn label(self) -> String {
        match self {
            RetryReason::Status(status) => status.to_string(),
            RetryReason::Connect => "connect".to_owned(),
            RetryReason::Timeout => "timeout".to_owned(),
            RetryReason::Other => "other".to_owned(),
        }
    }
}

/// An attempt after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    /// How many attempts came before.
    pub(crate) count: u32,
    pub(crate) reason: RetryReason,
}

impl Attempts {
    /// Counts an attempt that begins; `None` for the first.
    pub(crate) fn begin(&self) -> Option<Retry> {
        let mut history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = history.sent;
        history.sent = history.sent.saturating_add(1);
        let reason = history.latest_end.take().unwrap_or(RetryReason::Other);
        (count > 0).then_some(Retry { count, reason })
    }

    /// Records how the latest attempt ended.
    pub(crate) fn ended(&self, reason: RetryReason) {
        let mut history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        history.latest_end = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_attempts_are_retries_with_a_reason() {
        let attempts = Attempts::default();
        assert_eq!(attempts.begin(), None);
        attempts.ended(RetryReason::Status(429));
        let retry = |count, reason| Some(Retry { count, reason });
        assert_eq!(attempts.clone().begin(), retry(1, RetryReason::Status(429)));
        assert_eq!(attempts.begin(), retry(2, RetryReason::Other));
        attempts.ended(RetryReason::Connect);
        assert_eq!(attempts.begin(), retry(3, RetryReason::Connect));
        assert_eq!(RetryReason::Status(503).label(), "503");
    }
}
