//! How often one request was sent, and why again.

use std::sync::{Arc, Mutex, PoisonError};

/// The attempts at one request, for a layer above that sends it again.
///
/// The middleware for `reqwest` keeps one in the request's extensions by itself. A `tower` stack
/// has no such place: put one into the request's extensions before it reaches the layer that
/// retries, and let that layer's clones keep their extensions.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<Past>>);

#[derive(Debug, Default)]
struct Past {
    sent: u32,
    ended: Option<Reason>,
}

/// Why a request is sent again: how its attempt before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// With a status that stands for a failure.
    Status(u16),
    /// There was no connection.
    Connect,
    Timeout,
    /// Otherwise, or well: a redirect, a new credential.
    Other,
}

impl Reason {
    /// Returns the value of the label.
    pub(crate) fn label(self) -> String {
        match self {
            Reason::Status(status) => status.to_string(),
            Reason::Connect => "connect".to_owned(),
            Reason::Timeout => "timeout".to_owned(),
            Reason::Other => "other".to_owned(),
        }
    }
}

/// An attempt that is not the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    /// How often it was sent before.
    pub(crate) count: u32,
    pub(crate) reason: Reason,
}

impl Attempts {
    /// Counts an attempt that begins.
    pub(crate) fn begin(&self) -> Option<Retry> {
        let mut past = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = past.sent;
        past.sent = past.sent.saturating_add(1);
        let reason = past.ended.take().unwrap_or(Reason::Other);
        (count > 0).then_some(Retry { count, reason })
    }

    /// Notes how the latest attempt ended.
    pub(crate) fn ended(&self, reason: Reason) {
        let mut past = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        past.ended = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_is_no_retry_and_the_next_knows_why() {
        let attempts = Attempts::default();
        assert_eq!(attempts.begin(), None);
        attempts.ended(Reason::Status(429));
        let again = |count, reason| Some(Retry { count, reason });
        assert_eq!(attempts.clone().begin(), again(1, Reason::Status(429)));
        assert_eq!(attempts.begin(), again(2, Reason::Other));
        attempts.ended(Reason::Connect);
        assert_eq!(attempts.begin(), again(3, Reason::Connect));
        assert_eq!(Reason::Status(503).label(), "503");
    }
}
