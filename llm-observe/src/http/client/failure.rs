//! The failure of a request: an error of its client, classified by its type where that is known, and
//! by its text otherwise.

use std::{
    any::{Any, type_name},
    error::Error,
    fmt,
};

use super::{attempts::RetryReason, hyper};
use crate::kernel::{
    classify,
    error_info::ErrorInfo,
    outcome::{ErrorClass, Outcome},
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
        let message = error.to_string();
        let class = classify::of_text(&message).unwrap_or(ErrorClass::Other);
        RequestFailure {
            outcome: match class {
                ErrorClass::Timeout => Outcome::Timeout,
                _ => Outcome::Error,
            },
            error: ErrorInfo::new(name, message, class),
            reason: RetryReason::of_class(class),
        }
    }

    /// Describes an error of type `name` that ended an attempt for `reason`.
    pub(crate) fn of_error(
        error: &(dyn Error + 'static),
        name: &'static str,
        reason: RetryReason,
    ) -> RequestFailure {
        let (outcome, class) = match reason {
            RetryReason::Timeout => (Outcome::Timeout, ErrorClass::Timeout),
            RetryReason::Connect => (Outcome::Error, ErrorClass::Connection),
            RetryReason::Status(_) | RetryReason::Other => {
                (Outcome::Error, classify::of_error(error))
            }
        };
        let mut info = ErrorInfo::new(name, error.to_string(), class);
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        info.chain = causes.take(MAX_CHAIN).map(ToString::to_string).collect();
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
