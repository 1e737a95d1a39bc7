//! The thread that delivers, and what it shares with those who put parcels: one runtime, with
//! tasks for each destination.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    future::Future,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Builder, Handle},
    sync::Notify,
};

use super::{
    Delivery, Destination, DestinationReport, FlushReport, Lost, Parcel, Settings,
    attempt::attempt,
    counts::Counts,
    micros, now_micros,
    queue::{Entry, Limits, Queue},
    steady_micros,
    store::{Found, Place, Store},
    tell::Told,
};
use crate::{error::Error, kernel::stats::Stats};

thread_local! {
    static DELIVERS: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this is a thread that delivers: what fails on it is a delivery itself.
pub(super) fn is_delivering() -> bool {
    DELIVERS.get()
}

/// The thread and what it shares with those who put parcels.
pub(super) struct Worker {
    shared: Arc<Shared>,
    runtime: Handle,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who put parcels share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) destinations: Vec<Arc<dyn Destination>>,
    pub(super) wakes: HashMap<String, Notify>,
    store: Store,
    stats: Arc<Stats>,
    counts: HashMap<String, Counts>,
    queue: Mutex<Queue<Place>>,
    /// What the parcels of processes that are gone were about; kept, since they may be delivered
    /// before anybody asks.
    inherited: Mutex<HashSet<String>>,
    /// Notified whenever something is delivered or given up.
    pub(super) settled: Condvar,
    pub(super) stop: Notify,
    pub(super) told: Told,
}

impl Worker {
    pub(super) fn start(
        settings: Settings,
        destinations: Vec<Arc<dyn Destination>>,
        stats: Arc<Stats>,
    ) -> Result<Worker, Error> {
        let shared = Arc::new(Shared::open(settings, destinations, stats));
        let failed = |e| Error::with("cannot start the thread that delivers", e);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_start(|| DELIVERS.set(true))
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let work = shared.clone();
        let run = move || {
            DELIVERS.set(true);
            runtime.block_on(work.run());
            // Not dropped: that would wait for a name lookup under way.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new()
            .name("llm-observe-outbox".to_owned())
            .spawn(run)
            .map_err(failed)?;
        Ok(Worker {
            shared,
            runtime: handle,
            thread: Some(thread),
        })
    }

    pub(super) fn put(&self, parcel: Parcel) {
        self.shared.put(parcel);
    }

    pub(super) fn flush(&self, limit: Duration) -> FlushReport {
        self.shared.flush(limit)
    }

    pub(super) fn deliver_now(&self, parcel: Parcel, limit: Duration) -> Option<Delivery> {
        let destination = self.shared.destination(&parcel.destination)?.clone();
        let (send, receive) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            // Nobody waits any more: nothing to tell.
            let _ = send.send(attempt(&*destination, &parcel, limit).await);
        });
        let late = || Delivery::retry(format!("no answer within {limit:?}"));
        Some(
            receive
                .recv_timeout(limit + Duration::from_millis(100))
                .unwrap_or_else(|_| late()),
        )
    }

    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.shared.store.own().map(PathBuf::from)
    }

    /// Returns whether a parcel about `key` waits for `destination` or is on its way there.
    pub(super) fn waits_for(&self, destination: &str, key: &str) -> bool {
        let queue = self.shared.queue();
        queue
            .entries()
            .any(|entry| entry.destination == destination && entry.key == key)
    }

    /// Returns whether a process that is gone left a parcel about `key`.
    pub(super) fn has_inherited(&self, key: &str) -> bool {
        let inherited = self.shared.inherited.lock();
        inherited
            .unwrap_or_else(PoisonError::into_inner)
            .contains(key)
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.stop.notify_one();
        let own = self
            .thread
            .as_ref()
            .is_some_and(|t| t.thread().id() == thread::current().id());
        if let Some(thread) = self.thread.take().filter(|_| !own) {
            // It catches the panics of destinations; if it panicked, nothing is left to do.
            let _ = thread.join();
        }
        self.shared.count_volatile();
    }
}

impl Shared {
    fn open(
        settings: Settings,
        destinations: Vec<Arc<dyn Destination>>,
        stats: Arc<Stats>,
    ) -> Shared {
        let (store, opened) = Store::open(settings.dir.as_deref());
        let dir = settings
            .dir
            .as_deref()
            .map(|d| d.display().to_string())
            .unwrap_or_default();
        let told = Told::default();
        if let Err(error) = opened {
            told.no_folder(&error, &dir);
        }
        let limits = Limits {
            max_bytes: settings.max_bytes,
            max_age: settings.max_age,
            backoff: settings.backoff,
            backoff_max: settings.backoff_max,
        };
        let names = || destinations.iter().map(|d| d.name().to_owned());
        let shared = Shared {
            wakes: names().map(|name| (name, Notify::new())).collect(),
            counts: names()
                .map(|name| (name.clone(), Counts::new(&stats, &name)))
                .collect(),
            queue: Mutex::new(Queue::new(limits)),
            inherited: Mutex::default(),
            told,
            settled: Condvar::new(),
            stop: Notify::new(),
            settings,
            destinations,
            store,
            stats,
        };
        shared.take_up();
        shared
    }

    /// Queues what is in the folder from earlier, and what processes left that are gone.
    fn take_up(&self) {
        self.take(self.store.load());
        self.adopt();
    }

    /// Queues what processes left that are gone by now.
    pub(super) fn adopt(&self) {
        self.take(self.store.adopt());
        self.expire();
    }

    fn take(&self, found: Found) {
        if found.corrupt > 0 {
            self.with_counts("unknown", |counts| counts.corrupt.add(found.corrupt));
            self.told.corrupt(found.corrupt);
        }
        for (parcel, size, path) in found.parcels {
            if !self.counts.contains_key(&parcel.destination) {
                self.told.stranger(&parcel.destination);
            }
            self.inherit(&parcel);
            self.add(&parcel, size, Place::File(path));
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

    fn put(&self, parcel: Parcel) {
        let head = Parcel {
            body: Vec::new(),
            ..parcel.clone()
        };
        let (place, size, written) = self.store.write(parcel);
        if let Err(error) = written {
            self.told.disk(&error);
        }
        self.add(&head, size, place);
    }

    fn add(&self, parcel: &Parcel, size: u64, place: Place) {
        let gone = self.queue().push(Entry::new(parcel, size, place));
        self.with_counts(&parcel.destination, |counts| counts.pending.add(1));
        self.give_up(gone, Lost::Full);
        if let Some(wake) = self.wakes.get(&parcel.destination) {
            wake.notify_one();
        }
    }

    fn expire(&self) {
        let gone = self.queue().expire(now_micros());
        self.give_up(gone, Lost::Expired);
    }

    pub(super) fn give_up(&self, gone: Vec<Entry<Place>>, why: Lost) {
        for entry in gone {
            entry.place.remove();
            self.with_counts(&entry.destination, |counts| {
                counts.lost(why).add(1);
                counts.pending.add(-1);
            });
            self.told.given_up(&entry.destination, why.as_str());
            if let Some(destination) = self.destination(&entry.destination) {
                // A user's own may panic; the deliveries go on.
                let hear = || destination.lost(&entry.category, why, 1);
                super::caught(hear);
            }
        }
        self.settled.notify_all();
    }

    fn flush(&self, limit: Duration) -> FlushReport {
        let deadline = Instant::now() + limit;
        let deadline_micros = steady_micros().saturating_add(micros(limit));
        self.queue().hurry();
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

    fn report(&self, queue: &Queue<Place>) -> FlushReport {
        let report = |destination: &Arc<dyn Destination>| {
            let name = destination.name();
            DestinationReport {
                name: name.to_owned(),
                delivered: self
                    .counts
                    .get(name)
                    .map_or(0, |counts| counts.delivered.get()),
                kept: number(queue.pending(name)),
                unsaved: number(volatile(queue).filter(|e| e.destination == name).count()),
            }
        };
        FlushReport {
            destinations: self.destinations.iter().map(report).collect(),
        }
    }

    /// What is in memory only is lost now.
    fn count_volatile(&self) {
        for entry in volatile(&self.queue()) {
            self.with_counts(&entry.destination, |counts| counts.dropped.add(1));
        }
    }

    pub(super) fn with_counts(&self, destination: &str, f: impl Fn(&Counts)) {
        match self.counts.get(destination) {
            Some(counts) => f(counts),
            // A destination of an earlier configuration.
            None => f(&Counts::new(&self.stats, destination)),
        }
    }

    fn destination(&self, name: &str) -> Option<&Arc<dyn Destination>> {
        self.destinations.iter().find(|d| d.name() == name)
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue<Place>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the entries that are lost with the process.
fn volatile(queue: &Queue<Place>) -> impl Iterator<Item = &Entry<Place>> {
    queue.entries().filter(|entry| entry.place.is_volatile())
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
