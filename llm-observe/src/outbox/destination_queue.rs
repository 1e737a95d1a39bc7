//! What is pending for one destination, by category, and its backoff. Pure, as the queue.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use super::time::micros;

pub(super) type Id = u64;

/// The number of consecutive failures after which a destination counts as down.
pub(super) const DOWN_AFTER: u32 = 5;

/// How the availability of a destination changed by an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Availability {
    /// Nothing changed.
    Unchanged,
    /// The destination counts as down from now on.
    Down,
    /// The destination is available again.
    Up,
}

/// The pending parcels of one category of a destination, and its backoff.
#[derive(Debug, Default)]
pub(super) struct CategoryQueue {
    /// Ordered by attempts, then by age.
    pub(super) waiting: BTreeSet<(u32, Id)>,
    pub(super) failures: u32,
    /// The end of the outbox's own backoff.
    pub(super) backoff_until: u64,
    /// The end of the wait that the destination asked for.
    pub(super) requested_until: u64,
}

#[derive(Debug, Default)]
pub(super) struct DestinationQueue {
    pub(super) keyed: usize,
    pub(super) in_flight: usize,
    pub(super) categories: HashMap<String, CategoryQueue>,
    /// Whether the destination counts as down.
    down: bool,
}

/// The limits of a queue.
#[derive(Clone, Debug)]
pub(super) struct QueueLimits {
    pub(super) max_bytes: u64,
    pub(super) max_age: Duration,
    pub(super) backoff: Duration,
    pub(super) backoff_max: Duration,
}

impl DestinationQueue {
    pub(super) fn category(&mut self, category: &str) -> &mut CategoryQueue {
        self.categories.entry(category.to_owned()).or_default()
    }

    pub(super) fn ready(&self, now: u64) -> impl Iterator<Item = &CategoryQueue> {
        self.categories
            .values()
            .filter(move |category| category.ready_at() <= now)
    }

    pub(super) fn oldest(&self, now: u64) -> Option<Id> {
        let firsts = self
            .ready(now)
            .filter_map(|category| category.waiting.first());
        firsts.min().map(|(_, id)| *id)
    }

    /// Returns when the next category becomes ready that is not ready at `now` and has entries.
    pub(super) fn ready_at(&self, now: u64) -> Option<u64> {
        let waiting = self
            .categories
            .values()
            .filter(|category| !category.waiting.is_empty());
        waiting
            .map(CategoryQueue::ready_at)
            .filter(|at| *at > now)
            .min()
    }

    /// Updates whether any category keeps failing, and returns the change.
    pub(super) fn update_availability(&mut self) -> Availability {
        let down = self
            .categories
            .values()
            .any(|category| category.failures >= DOWN_AFTER);
        match (std::mem::replace(&mut self.down, down), down) {
            (false, true) => Availability::Down,
            (true, false) => Availability::Up,
            _ => Availability::Unchanged,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.categories
            .values()
            .map(|category| category.waiting.len())
            .sum()
    }
}

impl CategoryQueue {
    pub(super) fn ready_at(&self) -> u64 {
        self.backoff_until.max(self.requested_until)
    }

    /// An answer ends the backoff. A wait that the destination asked for remains in force, whatever
    /// parcels that were in flight get.
    pub(super) fn recovered(&mut self) {
        self.failures = 0;
        self.backoff_until = 0;
    }

    pub(super) fn failed(&mut self, after: Option<Duration>, now: u64, limits: &QueueLimits) {
        self.failures = self.failures.saturating_add(1);
        let until = |wait| now.saturating_add(micros(wait));
        // The longer of two limits applies.
        self.backoff_until = self
            .backoff_until
            .max(until(backoff(self.failures, limits)));
        self.requested_until = self.requested_until.max(until(after.unwrap_or_default()));
    }
}

/// Returns a wait that doubles with each failure, shortened by up to a half at random, so that the
/// processes of a fleet do not retry at the same time.
pub(super) fn backoff(failures: u32, limits: &QueueLimits) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let full = limits
        .backoff
        .saturating_mul(1 << doublings)
        .min(limits.backoff_max);
    full.mul_f64(0.5 + fastrand::f64() / 2.0)
}
