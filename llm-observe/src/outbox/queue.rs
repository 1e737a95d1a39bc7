//! What is pending, in which order, and until when: pure bookkeeping over a clock that is a
//! parameter. Knows neither files nor threads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use llm_observe_config::Severity;

use super::{
    delivery::Delivery,
    destination_queue::{Availability, DestinationQueue, Id, QueueLimits},
    parcel::Parcel,
};

/// One pending parcel; `P` is where its body is stored.
#[derive(Debug)]
pub(super) struct PendingParcel<P> {
    pub(super) destination: String,
    pub(super) severity: Severity,
    pub(super) created: u64,
    pub(super) key: String,
    pub(super) category: String,
    pub(super) size: u64,
    pub(super) stored: P,
    attempts: u32,
    in_flight: bool,
}

impl<P> PendingParcel<P> {
    pub(super) fn new(parcel: &Parcel, size: u64, stored: P) -> PendingParcel<P> {
        PendingParcel {
            destination: parcel.destination.clone(),
            severity: parcel.severity,
            created: parcel.created,
            key: parcel.key.clone(),
            category: parcel.category.clone(),
            size,
            stored,
            attempts: 0,
            in_flight: false,
        }
    }
}

/// What a destination is to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextDelivery {
    /// Deliver this.
    Deliver(Id),
    /// Nothing before that time.
    Wait(u64),
    /// Nothing until a parcel comes.
    Idle,
}

#[derive(Debug)]
pub(super) struct Queue<P> {
    limits: QueueLimits,
    entries: HashMap<Id, PendingParcel<P>>,
    destinations: BTreeMap<String, DestinationQueue>,
    /// The order in which entries are dropped for space.
    eviction_order: BTreeSet<(Severity, u64, Id)>,
    bytes: u64,
    last: Id,
}

impl<P> Queue<P> {
    pub(super) fn new(limits: QueueLimits) -> Queue<P> {
        Queue {
            limits,
            entries: HashMap::new(),
            destinations: BTreeMap::new(),
            eviction_order: BTreeSet::new(),
            bytes: 0,
            last: 0,
        }
    }

    /// Adds an entry and returns those that are dropped for it: the least severe, then the oldest.
    /// An entry that is too large by itself is dropped.
    pub(super) fn push(&mut self, entry: PendingParcel<P>) -> Vec<PendingParcel<P>> {
        self.last += 1;
        let id = self.last;
        let queue = self
            .destinations
            .entry(entry.destination.clone())
            .or_default();
        queue.category(&entry.category).waiting.insert((0, id));
        queue.keyed += usize::from(!entry.key.is_empty());
        self.eviction_order
            .insert((entry.severity, entry.created, id));
        self.bytes += entry.size;
        self.entries.insert(id, entry);
        self.shrink()
    }

    fn shrink(&mut self) -> Vec<PendingParcel<P>> {
        let mut gone = Vec::new();
        while self.bytes > self.limits.max_bytes {
            let Some(id) = self.eviction_order.first().map(|(_, _, id)| *id) else {
                break;
            };
            gone.extend(self.remove(id));
        }
        gone
    }

    /// Removes and returns the entries that are older than the maximum age.
    pub(super) fn expire(&mut self, now: u64) -> Vec<PendingParcel<P>> {
        let limit = self.limits.max_age;
        let old = self
            .eviction_order
            .iter()
            .filter(|(_, created, _)| Parcel::is_older(*created, limit, now));
        let old: Vec<Id> = old.map(|(_, _, id)| *id).collect();
        old.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Returns what `destination` is to do next. `now` is of the clock of [`Queue::settle`], which may
    /// differ from the one of [`Parcel::created`]. An entry to deliver is then in flight.
    pub(super) fn next(&mut self, destination: &str, now: u64) -> NextDelivery {
        let Some(queue) = self.destinations.get(destination) else {
            return NextDelivery::Idle;
        };
        let chosen = if queue.keyed > 0 {
            self.newest(queue, now)
        } else {
            queue.oldest(now)
        };
        match chosen {
            Some(id) => {
                self.start(id);
                NextDelivery::Deliver(id)
            }
            None => queue
                .ready_at(now)
                .map_or(NextDelivery::Idle, NextDelivery::Wait),
        }
    }

    /// Returns the first entry of the key with the newest entry: the messages of an alert stay in
    /// order.
    fn newest(&self, queue: &DestinationQueue, now: u64) -> Option<Id> {
        let mut firsts: HashMap<&str, (u64, u64, Id)> = HashMap::new();
        let mut singles = Vec::new();
        for (_, id) in queue.ready(now).flat_map(|category| &category.waiting) {
            let Some(entry) = self.entries.get(id) else {
                continue;
            };
            if entry.key.is_empty() {
                singles.push((entry.created, *id));
                continue;
            }
            let first = firsts
                .entry(&entry.key)
                .or_insert((entry.created, entry.created, *id));
            first.0 = first.0.max(entry.created);
            if (entry.created, *id) < (first.1, first.2) {
                (first.1, first.2) = (entry.created, *id);
            }
        }
        let keyed = firsts.into_values().max().map(|(_, _, id)| id);
        keyed.or_else(|| singles.into_iter().min().map(|(_, id)| id))
    }

    fn start(&mut self, id: Id) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.in_flight = true;
        self.eviction_order
            .remove(&(entry.severity, entry.created, id));
        if let Some(queue) = self.destinations.get_mut(&entry.destination) {
            queue
                .category(&entry.category)
                .waiting
                .remove(&(entry.attempts, id));
            queue.in_flight += 1;
        }
    }

    pub(super) fn get(&self, id: Id) -> Option<&PendingParcel<P>> {
        self.entries.get(&id)
    }

    /// Records the result of an attempt. Returns the entry when it is finished, and how the
    /// availability of the destination changed.
    pub(super) fn settle(
        &mut self,
        id: Id,
        result: &Delivery,
        now: u64,
    ) -> (Option<PendingParcel<P>>, Availability) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return (None, Availability::Unchanged);
        };
        let queue = self
            .destinations
            .entry(entry.destination.clone())
            .or_default();
        let category = queue.category(&entry.category);
        match result {
            // A refusal is an answer: the destination is available.
            Delivery::Delivered | Delivery::Refused { .. } => {
                category.recovered();
                let availability = queue.update_availability();
                (self.remove(id), availability)
            }
            Delivery::Retry { after, .. } => {
                category.failed(*after, now, &self.limits);
                entry.in_flight = false;
                entry.attempts += 1;
                category.waiting.insert((entry.attempts, id));
                queue.in_flight = queue.in_flight.saturating_sub(1);
                self.eviction_order
                    .insert((entry.severity, entry.created, id));
                (None, queue.update_availability())
            }
        }
    }

    fn remove(&mut self, id: Id) -> Option<PendingParcel<P>> {
        let entry = self.entries.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(entry.size);
        self.eviction_order
            .remove(&(entry.severity, entry.created, id));
        if let Some(queue) = self.destinations.get_mut(&entry.destination) {
            queue
                .category(&entry.category)
                .waiting
                .remove(&(entry.attempts, id));
            queue.keyed -= usize::from(!entry.key.is_empty());
            queue.in_flight -= usize::from(entry.in_flight);
        }
        Some(entry)
    }

    /// Ends the backoff of all destinations, but no wait that a destination asked for: the process
    /// is about to end.
    pub(super) fn skip_backoff(&mut self) {
        let categories = self
            .destinations
            .values_mut()
            .flat_map(|queue| queue.categories.values_mut());
        for category in categories {
            category.backoff_until = 0;
        }
    }

    /// Returns how many are pending for `destination`, those in flight included.
    pub(super) fn pending(&self, destination: &str) -> usize {
        self.destinations
            .get(destination)
            .map_or(0, |queue| queue.waiting() + queue.in_flight)
    }

    /// Returns whether anything can still be delivered before `deadline`.
    pub(super) fn is_worth_waiting(&self, deadline: u64) -> bool {
        self.destinations.values().any(|queue| {
            queue.in_flight > 0
                || queue
                    .ready(deadline)
                    .any(|category| !category.waiting.is_empty())
        })
    }

    /// Returns those that are not in flight, with their ids.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Id, &PendingParcel<P>)> {
        let entries = self.entries.iter();
        entries
            .filter(|(_, entry)| !entry.in_flight)
            .map(|(id, entry)| (*id, entry))
    }

    /// Changes where an entry is stored, unless it is in flight or gone: then returns `false`.
    pub(super) fn store(&mut self, id: Id, stored: P) -> bool {
        match self.entries.get_mut(&id) {
            Some(entry) if !entry.in_flight => {
                entry.stored = stored;
                true
            }
            _ => false,
        }
    }

    /// Returns every pending entry, those in flight included.
    pub(super) fn entries(&self) -> impl Iterator<Item = &PendingParcel<P>> {
        self.entries.values()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
