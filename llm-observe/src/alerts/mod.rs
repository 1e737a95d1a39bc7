//! From records to messages: when a message is due, and to which channels it goes.
//!
//! A caller pays for an alert with one merge into a bounded set; a background worker asks the
//! [`policy`] and puts what is due into the outbox. Failures of deliveries never come back here:
//! alerts about alerts would never end.
//!
//! It must not know how a channel is reached.

#[cfg(feature = "alertmanager")]
pub(crate) mod alertmanager;
mod channel;
#[cfg(feature = "email")]
pub(crate) mod email;
mod error_group;
mod handler;
pub(crate) mod heartbeat;
mod links;
mod notice;
mod occurrences;
#[cfg(feature = "pagerduty")]
pub(crate) mod pagerduty;
mod parcels;
mod policy;
mod recorder;
mod route;
mod routes;
mod sink;
#[cfg(feature = "slack")]
pub(crate) mod slack;
mod state;
mod text;
mod trigger;
#[cfg(feature = "webhook")]
pub(crate) mod webhook;

#[cfg(test)]
mod tests;

pub use channel::Channel;
pub use error_group::ErrorGroup;
pub use notice::{Notice, NoticeStatus, SuppressedAlert};
pub use trigger::Trigger;

#[doc(no_inline)]
pub use crate::outbox::{Delivery, DeliveryFuture, Destination, LossReason, Parcel};

pub(crate) use recorder::AlertRecorder;
pub(crate) use sink::{AlertOptions, AlertSink};
