//! The result of one attempt to deliver.

use std::{future::Future, pin::Pin, time::Duration};

/// The result of one attempt to deliver a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The destination accepted the parcel.
    Delivered,
    /// A transient failure: no connection, a timeout, an overloaded server, a rate limit.
    Retry {
        /// The shortest wait that the destination asked for.
        after: Option<Duration>,
        /// The reason, which is logged: it must not contain a credential.
        reason: String,
    },
    /// A permanent failure: the destination refused the parcel.
    Refused {
        /// The reason, which is logged: it must not contain a credential.
        reason: String,
    },
}

impl Delivery {
    /// Returns a transient failure, to be retried after the outbox's own backoff.
    pub fn retry(reason: impl Into<String>) -> Delivery {
        Delivery::Retry {
            after: None,
            reason: reason.into(),
        }
    }

    /// Returns a permanent failure.
    pub fn refused(reason: impl Into<String>) -> Delivery {
        Delivery::Refused {
            reason: reason.into(),
        }
    }

    /// Returns it with a wait of at least `wait`, if it is to be retried.
    pub(crate) fn wait_at_least(self, wait: Option<Duration>) -> Delivery {
        match self {
            Delivery::Retry { after, reason } => Delivery::Retry {
                after: after.max(wait),
                reason,
            },
            other => other,
        }
    }
}

/// The future of one attempt to deliver.
pub type DeliveryFuture<'a> = Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>;
