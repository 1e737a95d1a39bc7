//! From records to reports: every failure to every error tracker, through the outbox.
//!
//! Different errors are reported one by one, however many occur at once. Of equal ones the first
//! is reported at once, and later ones at intervals with their number. It must not know how a
//! tracker is reached.

#[cfg(feature = "airbrake")]
pub(crate) mod airbrake;
mod frames;
mod handler;
mod repeats;
mod report;
#[cfg(feature = "rollbar")]
pub(crate) mod rollbar;
mod scope;
#[cfg(feature = "sentry")]
pub(crate) mod sentry;
mod sink;
mod size;
mod tracker;

#[cfg(test)]
mod tests;

pub use frames::Frame;
pub use report::{Report, RequestInfo};
pub use scope::TrackerScope;
pub use tracker::Tracker;

pub use crate::breadcrumbs::Breadcrumb;
#[doc(no_inline)]
pub use crate::outbox::{Delivery, DeliveryFuture, Destination, LossReason, Parcel};

pub(crate) use sink::TrackerSink;
