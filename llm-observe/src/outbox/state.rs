//! What the thread that delivers shares with those who add parcels: the queue, the files and the
//! counters.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{
    counts::DeliveryCounters,
    delivery_log::DeliveryLog,
    destination::{Destination, LossReason},
    destination_queue::{Id, QueueLimits},
    guard::caught,
    options::OutboxOptions,
    parcel::Parcel,
    private,
    queue::{PendingParcel, Queue},
    report::{DeliveryReport, DestinationReport},
    store::{FoundParcels, ParcelStore, StoredParcel},
    time::{micros, now_micros, steady_micros},
};
use crate::{
    kernel::{metrics_table as names, stats::Stats},
    warn::warn,
};

/// Warns when other users can change what waits: a message could be theirs.
fn show_exposure(dir: Option<&Path>, stats: &Stats) {
    let exposure = dir.and_then(|dir| Some((dir, private::exposure(dir)?)));
    if let Some((dir, why)) = &exposure {
        warn(&format!(
            "{}: WARNING: other users can change what is in the folder of the outbox: {why}; use one \
             that only you can write",
            dir.display()
        ));
    }
    let exposed = i64::from(exposure.is_some());
    stats.gauge(names::OUTBOX_EXPOSED, &[]).set(exposed);
}

/// The queue, the files and the counters of an outbox.
pub(super) struct DeliveryState {
    pub(super) options: OutboxOptions,
    pub(super) destinations: Vec<Arc<dyn Destination>>,
    pub(super) wakes: HashMap<String, Notify>,
    store: ParcelStore,
    /// Why the folder could not be used at the start, until somebody has asked.
    no_folder: Mutex<Option<io::Error>>,
    stats: Arc<Stats>,
    counts: HashMap<String, DeliveryCounters>,
    queue: Mutex<Queue<StoredParcel>>,
    /// The keys of parcels that dead processes left. Kept, since the parcels may be delivered
    /// before anybody asks.
    inherited: Mutex<HashSet<String>>,
    /// Notified whenever something is delivered or given up.
    pub(super) settled: Condvar,
    pub(super) stop: Notify,
    pub(super) log: DeliveryLog,
}

impl DeliveryState {
    pub(super) fn open(
        options: OutboxOptions,
        destinations: Vec<Arc<dyn Destination>>,
        stats: Arc<Stats>,
    ) -> DeliveryState {
        let (store, opened) = ParcelStore::open(options.dir.as_deref(), options.max_bytes);
        show_exposure(options.dir.as_deref(), &stats);
        let dir = options
            .dir
            .as_deref()
            .map(|d| d.display().to_string())
            .unwrap_or_default();
        let log = DeliveryLog::default();
        if let Err(error) = &opened {
            log.no_folder(error, &dir);
        }
        let limits = QueueLimits {
            max_bytes: options.max_bytes,
            max_age: options.max_age,
            backoff: options.backoff,
            backoff_max: options.backoff_max,
        };
        let names = || destinations.iter().map(|d| d.name().to_owned());
        let state = DeliveryState {
            wakes: names().map(|name| (name, Notify::new())).collect(),
            counts: names()
                .map(|name| (name.clone(), DeliveryCounters::new(&stats, &name)))
                .collect(),
            queue: Mutex::new(Queue::new(limits)),
            inherited: Mutex::default(),
            log,
            settled: Condvar::new(),
            stop: Notify::new(),
            options,
            destinations,
            store,
            no_folder: Mutex::new(opened.err()),
            stats,
        };
        state.restore();
        state
    }

    /// Returns why the folder could not be used at the start. Once.
    pub(super) fn take_no_folder(&self) -> Option<io::Error> {
        let mut error = self
            .no_folder
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        error.take()
    }

    /// Tries to use the folder, if it could not be used before: what waits in memory is written to it.
    pub(super) fn reopen(&self) -> io::Result<()> {
        if self.store.own().is_none() {
            let found = self.store.reclaim()?;
            show_exposure(self.options.dir.as_deref(), &self.stats);
            self.take(found);
        }
        self.adopt();
        Ok(())
    }

    /// Writes what waits in memory to the folder, if there is one. One in flight stays: its end does not
    /// know of a file.
    fn write_down(&self) {
        if self.store.own().is_none() {
            return;
        }
        let in_memory = |(id, entry): (Id, &PendingParcel<StoredParcel>)| match &entry.stored {
            StoredParcel::Memory(parcel) => Some((id, parcel.clone())),
            StoredParcel::File(..) => None,
        };
        let waiting: Vec<_> = self.queue().waiting().filter_map(in_memory).collect();
        for (id, parcel) in waiting {
            let (stored, _, written) = self.store.write(Parcel::clone(&parcel));
            if written.is_err() {
                return;
            }
            if !self.queue().store(id, stored.clone()) {
                stored.remove();
            }
        }
    }

    /// Queues what is in the folder from earlier, and what dead processes left.
    fn restore(&self) {
        self.take(self.store.load());
        self.adopt();
    }

    /// Queues what processes left that have died by now, gives up what is too old, and writes what waits in
    /// memory since the disk did not take it.
    pub(super) fn adopt(&self) {
        self.write_down();
        self.take(self.store.adopt());
        self.expire();
    }

    fn take(&self, found: FoundParcels) {
        if found.corrupt > 0 {
            self.with_counts("unknown", |counts| counts.corrupt.add(found.corrupt));
            self.log.corrupt(found.corrupt);
        }
        for (parcel, size, path) in found.parcels {
            if !self.counts.contains_key(&parcel.destination) {
                self.log.unknown_destination(&parcel.destination);
            }
            self.inherit(&parcel);
            self.add(&parcel, size, StoredParcel::File(path, size));
        }
    }

    fn inherit(&self, parcel: &Parcel) {
        if !parcel.key.is_empty() {
            let mut inherited = self
                .inherited
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            inherited.insert(parcel.key.clone());
        }
    }

    pub(super) fn put(&self, parcel: Parcel) {
        let head = parcel.without_body();
        let (stored, size, written) = self.store.write(parcel);
        if let Err(error) = written {
            self.log.disk(&error);
        }
        self.add(&head, size, stored);
    }

    fn add(&self, parcel: &Parcel, size: u64, stored: StoredParcel) {
        let gone = self.queue().push(PendingParcel::new(parcel, size, stored));
        self.with_counts(&parcel.destination, |counts| counts.pending.add(1));
        self.give_up(gone, LossReason::Full);
        if let Some(wake) = self.wakes.get(&parcel.destination) {
            wake.notify_one();
        }
    }

    fn expire(&self) {
        let gone = self.queue().expire(now_micros());
        self.give_up(gone, LossReason::Expired);
    }

    pub(super) fn give_up(&self, gone: Vec<PendingParcel<StoredParcel>>, reason: LossReason) {
        for entry in gone {
            entry.stored.remove();
            self.with_counts(&entry.destination, |counts| {
                counts.lost(reason).add(1);
                counts.pending.add(-1);
            });
            self.log.given_up(&entry.destination, reason.as_str());
            if let Some(destination) = self.destination(&entry.destination) {
                caught(|| destination.lost(&entry.category, reason, 1));
            }
        }
        self.settled.notify_all();
    }

    pub(super) fn flush(&self, limit: Duration) -> DeliveryReport {
        let deadline = Instant::now() + limit;
        let deadline_micros = steady_micros().saturating_add(micros(limit));
        self.queue().skip_backoff();
        self.wakes.values().for_each(Notify::notify_one);
        let mut queue = self.queue();
        while queue.is_worth_waiting(deadline_micros) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.settled.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.report(&queue)
    }

    fn report(&self, queue: &Queue<StoredParcel>) -> DeliveryReport {
        let report = |destination: &Arc<dyn Destination>| {
            let name = destination.name();
            DestinationReport {
                name: name.to_owned(),
                delivered: self
                    .counts
                    .get(name)
                    .map_or(0, |counts| counts.delivered.get()),
                kept: number(queue.pending(name)),
                unsaved: number(in_memory(queue).filter(|e| e.destination == name).count()),
            }
        };
        DeliveryReport {
            destinations: self.destinations.iter().map(report).collect(),
        }
    }

    /// Counts as lost what is in memory only.
    pub(super) fn count_in_memory(&self) {
        for entry in in_memory(&self.queue()) {
            self.with_counts(&entry.destination, |counts| counts.dropped.add(1));
        }
    }

    /// Returns the folder that this process writes in.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.store.own().map(PathBuf::from)
    }

    /// Returns whether a parcel of `key` is pending for `destination`.
    pub(super) fn is_pending(&self, destination: &str, key: &str) -> bool {
        let queue = self.queue();
        queue
            .entries()
            .any(|entry| entry.destination == destination && entry.key == key)
    }

    /// Returns whether a dead process left a parcel of `key`.
    pub(super) fn has_inherited(&self, key: &str) -> bool {
        let inherited = self.inherited.lock();
        inherited
            .unwrap_or_else(PoisonError::into_inner)
            .contains(key)
    }

    pub(super) fn with_counts(&self, destination: &str, f: impl Fn(&DeliveryCounters)) {
        match self.counts.get(destination) {
            Some(counts) => f(counts),
            // A destination of an earlier configuration.
            None => f(&DeliveryCounters::new(&self.stats, destination)),
        }
    }

    pub(super) fn destination(&self, name: &str) -> Option<&Arc<dyn Destination>> {
        self.destinations.iter().find(|d| d.name() == name)
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue<StoredParcel>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the entries that are lost when the process ends.
fn in_memory(queue: &Queue<StoredParcel>) -> impl Iterator<Item = &PendingParcel<StoredParcel>> {
    queue.entries().filter(|entry| entry.stored.is_in_memory())
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
