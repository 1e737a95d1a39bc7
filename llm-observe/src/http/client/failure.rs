//! The failure of a request: an error of its client, classified by its type where that is known, and
//! by its text otherwise.

use std::{
    any::{Any, type_name},
    error::Error,
    fmt,
};

use super::{attempts::RetryReason, hyper};
use crate::kernel::{
    describe,
    error_info::ErrorInfo,
    outcome::{ErrorClass, Outcome},
    user_text,
};

/// The failure of a request.
pub(crate) struct RequestFailure {
    pub(crate) outcome: Outcome,
    pub(crate) error: ErrorInfo,
    pub(crate) reason: RetryReason,
}

/// Recognises the errors of one library.
type Recognise = fn(&dyn Any) -> Option<(&(dyn Error + 'static), RetryReason)>;

/// The libraries whose errors are recognised by type.
const LIBRARIES: &[Recognise] = &[
    #[cfg(feature = "reqwest-middleware")]
    super::reqwest_error::recognise,
    hyper::recognise,
];

/// The most causes that are recorded.
const MAX_CHAIN: usize = 8;

impl RequestFailure {
    /// Describes any error that can be displayed.
    pub(crate) fn of<E: fmt::Display + 'static>(error: &E) -> RequestFailure {
        let name = type_name::<E>();
        let known = LIBRARIES.iter().find_map(|recognise| recognise(error));
        if let Some((error, reason)) = known {
            return RequestFailure::of_error(error, name, reason);
        }
        let error = describe::text(name, user_text::display(error));
        RequestFailure {
            outcome: match error.class {
                ErrorClass::Timeout => Outcome::Timeout,
                _ => Outcome::Error,
            },
            reason: RetryReason::of_class(error.class),
            error,
        }
    }

    /// Describes an error of type `name` that ended an attempt for `reason`.
    pub(crate) fn of_error(
        error: &(dyn Error + 'static),
        name: &'static str,
        reason: RetryReason,
    ) -> RequestFailure {
        let mut info = describe::error(name, error);
        info.chain.truncate(MAX_CHAIN);
        let outcome = match reason {
            RetryReason::Timeout => Outcome::Timeout,
            RetryReason::Connect | RetryReason::Status(_) | RetryReason::Other => Outcome::Error,
        };
        match reason {
            RetryReason::Timeout => info.class = ErrorClass::Timeout,
            RetryReason::Connect => info.class = ErrorClass::Connection,
            RetryReason::Status(_) | RetryReason::Other => {}
        }
        RequestFailure {
            outcome,
            error: info,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn errors_are_classified_by_type_or_by_text() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let boxed: Box<dyn Error + Send + Sync> = Box::new(refused());
        for failure in [RequestFailure::of(&refused()), RequestFailure::of(&boxed)] {
            assert_eq!(failure.reason, RetryReason::Connect);
            assert_eq!(failure.error.class, ErrorClass::Connection);
        }
        let slow = RequestFailure::of(&"the operation timed out".to_owned());
        assert_eq!(
            (slow.outcome, slow.reason),
            (Outcome::Timeout, RetryReason::Timeout)
        );
        let odd = RequestFailure::of(&"no idea");
        assert_eq!(
            (odd.outcome, odd.reason),
            (Outcome::Error, RetryReason::Other)
        );
    }
}
