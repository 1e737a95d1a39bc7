//! What is counted of each destination.

use super::Lost;
use crate::kernel::{
    metric_names as names,
    stats::{Counter, Gauge, Stats},
};

/// The numbers of one destination.
pub(super) struct Counts {
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

impl Counts {
    pub(super) fn new(stats: &Stats, destination: &str) -> Counts {
        let count = |result| {
            let labels = [("destination", destination), ("result", result)];
            stats.counter(names::DELIVERIES, &labels)
        };
        let labels = [("destination", destination)];
        Counts {
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

    /// Returns the number of those that were given up for that reason.
    pub(super) fn lost(&self, why: Lost) -> &Counter {
        match why {
            Lost::Full | Lost::Overflow => &self.dropped,
            Lost::Expired => &self.expired,
            Lost::Unreadable => &self.corrupt,
        }
    }
}
