//! What alerts are sent through.

use std::time::Duration;

use super::notice::Notice;
use crate::{outbox::Destination, redact::Redacted};

/// A place that alerts go to. Write your own and give it to
/// [`Builder::channel`](crate::Builder::channel):
///
/// ```
/// use llm_observe::{
///     alerts::{Channel, Notice},
///     outbox::{Delivery, DeliveryFuture, Destination, Parcel},
///     redact::Redacted,
/// };
///
/// /// A lamp that is red while something fails.
/// struct Lamp;
///
/// impl Channel for Lamp {
///     fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
///         notice.as_ref().map(|notice| notice.status.as_str().into())
///     }
/// }
///
/// impl Destination for Lamp {
///     fn name(&self) -> &str {
///         "lamp"
///     }
///
///     fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
///         Box::pin(async move {
///             let colour: &[u8] = if parcel.body() == b"resolved" { b"green" } else { b"red" };
///             match std::fs::write("/dev/lamp", colour) {
///                 Ok(()) => Delivery::Delivered,
///                 Err(error) => Delivery::retry(error.to_string()),
///             }
///         })
///     }
/// }
/// ```
pub trait Channel: Destination {
    /// Returns the message for `notice`, as [`Destination::deliver`] is to send it.
    ///
    /// Only what is derived from the redacted notice can become a message: use
    /// [`Redacted::map`].
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>>;

    /// Returns whether messages beyond the channel's rate become one digest. A channel that
    /// groups by itself, and needs every alert's resolution, returns `false`. Default: `true`.
    fn takes_digests(&self) -> bool {
        true
    }

    /// Returns how often an alert that continues is sent again, besides `alerts.repeat`, for a
    /// channel that forgets alerts which are not sent again. Such a channel takes alerts of the
    /// same event, trigger and severity for one, and is sent the end of the last one only.
    /// Default: never.
    fn refresh(&self) -> Option<Duration> {
        None
    }
}
