//! What an error of a client is: from the error itself where its type is known, from its text
//! where not.

use std::{error::Error, fmt};

use super::{attempts::Reason, hyper, reqwest};
use crate::kernel::{
    classify,
    error_info::ErrorInfo,
    outcome::{ErrorClass, Outcome},
};

/// A failure of a client, described.
pub(crate) struct Fault {
    pub(crate) outcome: Outcome,
    pub(crate) error: ErrorInfo,
    pub(crate) reason: Reason,
}

/// How long a chain of causes may be.
const LONGEST_CHAIN: usize = 8;

impl Fault {
    /// Describes an error that its client says is a timeout, a failure to connect, or neither.
    pub(crate) fn told(error: &(dyn Error + 'static), name: &'static str, reason: Reason) -> Fault {
        let (outcome, class) = match reason {
            Reason::Timeout => (Outcome::Timeout, ErrorClass::Timeout),
            Reason::Connect => (Outcome::Error, ErrorClass::Connection),
            Reason::Status(_) | Reason::Other => (Outcome::Error, classify::of_error(error)),
        };
        let mut info = ErrorInfo::new(name, error.to_string(), class);
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        info.chain = causes
            .take(LONGEST_CHAIN)
            .map(ToString::to_string)
            .collect();
        Fault {
            outcome,
            error: info,
            reason,
        }
    }

    /// Describes any error that can be written down.
    pub(crate) fn of<E: fmt::Display + 'static>(error: &E) -> Fault {
        if let Some(fault) = reqwest::error(error) {
            return fault;
        }
        let name = std::any::type_name::<E>();
        match hyper::error(error) {
            Some(error) => Fault::told(error, name, reason(error)),
            None => {
                let message = error.to_string();
                let class = classify::of_text(&message).unwrap_or(ErrorClass::Other);
                let error = ErrorInfo::new(name, message, class);
                let (outcome, reason) = of_class(class);
                Fault {
                    outcome,
                    error,
                    reason,
                }
            }
        }
    }
}

fn reason(error: &(dyn Error + 'static)) -> Reason {
    let mut links = std::iter::successors(Some(error), |&e| e.source()).take(LONGEST_CHAIN);
    let connect = links.any(hyper::is_connect);
    match classify::of_error(error) {
        ErrorClass::Timeout => Reason::Timeout,
        _ if connect => Reason::Connect,
        class => of_class(class).1,
    }
}

fn of_class(class: ErrorClass) -> (Outcome, Reason) {
    match class {
        ErrorClass::Timeout => (Outcome::Timeout, Reason::Timeout),
        ErrorClass::Connection => (Outcome::Error, Reason::Connect),
        _ => (Outcome::Error, Reason::Other),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn errors_are_known_by_what_they_are_or_by_what_they_say() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let boxed: Box<dyn Error + Send + Sync> = Box::new(refused());
        for fault in [Fault::of(&refused()), Fault::of(&boxed)] {
            assert_eq!(fault.reason, Reason::Connect);
            assert_eq!(fault.error.class, ErrorClass::Connection);
        }
        let slow = Fault::of(&"the operation timed out".to_owned());
        assert_eq!(
            (slow.outcome, slow.reason),
            (Outcome::Timeout, Reason::Timeout)
        );
        let odd = Fault::of(&"no idea");
        assert_eq!((odd.outcome, odd.reason), (Outcome::Error, Reason::Other));
    }
}
