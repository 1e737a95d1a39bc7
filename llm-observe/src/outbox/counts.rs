//! The counters of each destination.

use super::destination::LossReason;
use crate::kernel::{
    metrics_table as names,
    stats::{Counter, Gauge, Stats},
};

/// The counters of one destination.
pub(super) struct DeliveryCounters {
    pub(super) delivered: Counter,
    pub(super) retried: Counter,
    pub(super) refused: Counter,
    pub(super) expired: Counter,
    pub(super) dropped: Counter,
    pub(super) corrupt: Counter,
    pub(super) pending: Gauge,
    /// 1 while the destination counts as down.
    pub(super) down: Gauge,
}

impl DeliveryCounters {
    pub(super) fn new(stats: &Stats, destination: &str) -> DeliveryCounters {
        let count = |result| {
            let labels = [("destination", destination), ("result", result)];
            stats.counter(names::DELIVERIES, &labels)
        };
        let labels = [("destination", destination)];
        DeliveryCounters {
            delivered: count("delivered"),
            retried: count("retried"),
            refused: count("refused"),
            expired: count("expired"),
            dropped: count("dropped"),
            corrupt: count("corrupt"),
            pending: stats.gauge(names::OUTBOX_PENDING, &labels),
            down: stats.gauge(names::CIRCUIT_OPEN, &labels),
        }
    }

    /// Returns the counter of parcels that were given up for `reason`.
    pub(super) fn lost(&self, reason: LossReason) -> &Counter {
        match reason {
            LossReason::Full | LossReason::Overflow => &self.dropped,
            LossReason::Expired => &self.expired,
            LossReason::Unreadable => &self.corrupt,
        }
    }
}
