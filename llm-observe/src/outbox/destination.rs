//! What the outbox delivers to.

use super::{delivery::DeliveryFuture, parcel::Parcel};

/// Something that parcels are delivered to.
///
/// Supertrait of [`Channel`](crate::alerts::Channel) and [`Tracker`](crate::trackers::Tracker).
/// A panic in any of its methods is caught: it costs the one parcel or the one notification.
pub trait Destination: Send + Sync + 'static {
    /// Returns its name: unique among the destinations, and a label value of metrics.
    fn name(&self) -> &str;

    /// Tries once to deliver `parcel`.
    ///
    /// Runs on the outbox's own tokio runtime. An attempt that takes longer than 20 seconds is
    /// dropped and counts as a transient failure.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a>;

    /// Returns how many parcels may be in flight at once. Default: 1, which keeps the order.
    fn concurrency(&self) -> usize {
        1
    }

    /// Notifies it that `count` parcels of a category will never be delivered, for another reason
    /// than its own refusal. They are counted already. It must not block. Default: nothing.
    fn lost(&self, category: &str, reason: LossReason, count: u64) {
        let _ = (category, reason, count);
    }
}

/// Why a parcel was given up before it was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossReason {
    /// More different reports arrived at once than are kept in memory.
    Overflow,
    /// The outbox had no room left.
    Full,
    /// It exceeded the maximum age.
    Expired,
    /// Its file could not be read any more.
    Unreadable,
}

impl LossReason {
    /// Returns the reason as the log shows it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            LossReason::Overflow => "there were too many at once",
            LossReason::Full => "the outbox is full",
            LossReason::Expired => "they are too old",
            LossReason::Unreadable => "their files are gone or corrupt",
        }
    }
}
