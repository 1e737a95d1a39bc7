//! The thread that delivers: one runtime, and tasks for each destination.

use std::{
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
    Delivery, Destination, DestinationReport, FlushReport, Parcel, Settings,
    attempt::attempt,
    counts::Counts,
    micros, now_micros,
    queue::{Entry, Limits, Next, Queue, Turn},
    store::{Place, Store},
};
use crate::{
    error::Error,
    stats::{Counter, Stats},
};

/// How often expired parcels are looked for.
const UPKEEP: Duration = Duration::from_secs(10);

/// The thread and what it shares with those who put parcels.
pub(super) struct Worker {
    shared: Arc<Shared>,
    runtime: Handle,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    settings: Settings,
    destinations: Vec<Arc<dyn Destination>>,
    wakes: HashMap<String, Notify>,
    store: Store,
    stats: Arc<Stats>,
    counts: HashMap<String, Counts>,
    state: Mutex<State>,
    settled: Condvar,
    stop: Notify,
}

struct State {
    queue: Queue<Place>,
    stopped: bool,
    /// The reasons that were logged already, until the destination takes something again.
    told: HashSet<(String, String)>,
    disk_told: bool,
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
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let work = shared.clone();
        let run = move || {
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

    pub(super) fn folders(&self) -> Vec<PathBuf> {
        self.shared.store.folders().map(PathBuf::from).collect()
    }

    pub(super) fn waits(&self, key: &str) -> bool {
        let state = self.shared.state();
        state.queue.entries().any(|entry| entry.key == key)
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
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
        if let Err(error) = opened {
            tracing::warn!(target: "llm_observe::outbox", %error, dir, "the outbox folder cannot be used: undelivered reports and alerts are lost with the process");
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
            state: Mutex::new(State {
                queue: Queue::new(limits),
                stopped: false,
                told: HashSet::new(),
                disk_told: false,
            }),
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

    /// Queues what earlier processes left.
    fn take_up(&self) {
        let found = self.store.load();
        if found.corrupt > 0 {
            self.with_counts("unknown", |counts| counts.corrupt.add(found.corrupt));
            tracing::warn!(target: "llm_observe::outbox", count = found.corrupt, "corrupt parcels in the outbox folder were removed");
        }
        for (parcel, size, path) in found.parcels {
            self.queue(&parcel, size, Place::File(path));
        }
        self.expire();
    }

    fn put(&self, parcel: Parcel) {
        let head = Parcel {
            body: Vec::new(),
            ..parcel.clone()
        };
        let (place, size, written) = self.store.write(parcel);
        if let Err(error) = written {
            self.tell_disk(&error);
        }
        self.queue(&head, size, place);
        if let Some(wake) = self.wakes.get(&head.destination) {
            wake.notify_one();
        }
    }

    /// Says once that the disk refuses parcels.
    fn tell_disk(&self, error: &std::io::Error) {
        let told = std::mem::replace(&mut self.state().disk_told, true);
        if !told {
            tracing::warn!(target: "llm_observe::outbox", %error, "the outbox folder cannot be written: new reports and alerts are kept in memory");
        }
    }

    fn queue(&self, parcel: &Parcel, size: u64, place: Place) {
        let gone = self.state().queue.push(Entry::new(parcel, size, place));
        self.with_counts(&parcel.destination, |counts| counts.pending.add(1));
        self.give_up(gone, |counts| &counts.dropped);
    }

    fn expire(&self) {
        let gone = self.state().queue.expire(now_micros());
        self.give_up(gone, |counts| &counts.expired);
    }

    fn give_up(&self, gone: Vec<Entry<Place>>, counter: impl Fn(&Counts) -> &Counter) {
        for entry in gone {
            entry.place.remove();
            self.with_counts(&entry.destination, |counts| {
                counter(counts).add(1);
                counts.pending.add(-1);
            });
        }
        self.settled.notify_all();
    }

    async fn run(self: Arc<Shared>) {
        for destination in &self.destinations {
            for _ in 0..destination.concurrency().max(1) {
                tokio::spawn(self.clone().drain(destination.clone()));
            }
        }
        let stopped = self.stop.notified();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(UPKEEP) => self.expire(),
            }
        }
    }

    /// Delivers to one destination, for as long as the runtime lives.
    async fn drain(self: Arc<Shared>, destination: Arc<dyn Destination>) {
        let Some(wake) = self.wakes.get(destination.name()) else {
            return;
        };
        loop {
            let next = self.state().queue.next(destination.name(), now_micros());
            match next {
                Next::Deliver(id) => self.deliver(&*destination, id).await,
                Next::Idle => wake.notified().await,
                Next::Wait(until) => {
                    let wait = Duration::from_micros(until.saturating_sub(now_micros()));
                    // Woken early or in time: either way it looks again.
                    let _ = tokio::time::timeout(wait, wake.notified()).await;
                }
            }
        }
    }

    async fn deliver(&self, destination: &dyn Destination, id: u64) {
        let place = self.state().queue.get(id).map(|entry| entry.place.clone());
        let Some(place) = place else { return };
        let Some(parcel) = place.read() else {
            self.lost(id, destination.name());
            return;
        };
        let how = attempt(destination, &parcel, self.settings.attempt).await;
        if !matches!(how, Delivery::Retry { .. }) {
            // Before the queue forgets it: whoever waits for the queue may end the process.
            place.remove();
        }
        let turn = {
            let mut state = self.state();
            let (_, turn) = state.queue.settle(id, &how, now_micros());
            self.count(destination.name(), &how);
            turn
        };
        self.tell(destination.name(), &how, &turn);
        self.settled.notify_all();
    }

    /// A file that was there and is not any more, or not whole.
    fn lost(&self, id: u64, destination: &str) {
        let (done, _) = self
            .state()
            .queue
            .settle(id, &Delivery::refused("corrupt"), now_micros());
        self.give_up(done.into_iter().collect(), |counts| &counts.corrupt);
        tracing::warn!(target: "llm_observe::outbox", destination, "a parcel in the outbox folder is gone or corrupt");
    }

    fn count(&self, name: &str, how: &Delivery) {
        self.with_counts(name, |counts| match how {
            Delivery::Delivered => {
                counts.delivered.add(1);
                counts.pending.add(-1);
            }
            Delivery::Retry { .. } => counts.retried.add(1),
            Delivery::Refused { .. } => {
                counts.refused.add(1);
                counts.pending.add(-1);
            }
        });
    }

    /// Logs what is new about the destination.
    fn tell(&self, name: &str, how: &Delivery, turn: &Turn) {
        match how {
            Delivery::Delivered => self
                .state()
                .told
                .retain(|(destination, _)| destination != name),
            Delivery::Retry { reason, .. } => {
                tracing::info!(target: "llm_observe::outbox", destination = name, reason, "a delivery failed and will be tried again")
            }
            Delivery::Refused { reason } => {
                if self.state().told.insert((name.to_owned(), reason.clone())) {
                    tracing::error!(target: "llm_observe::outbox", destination = name, reason, "a delivery was refused for good; further ones for the same reason are only counted");
                }
            }
        }
        self.tell_turn(name, how, turn);
    }

    fn tell_turn(&self, name: &str, how: &Delivery, turn: &Turn) {
        match (turn, how) {
            (Turn::Down, Delivery::Retry { reason, .. }) => {
                self.with_counts(name, |counts| counts.down.set(1));
                tracing::warn!(target: "llm_observe::outbox", destination = name, reason, "the destination cannot be reached: what is for it is kept and tried again");
            }
            (Turn::Up, _) => {
                self.with_counts(name, |counts| counts.down.set(0));
                tracing::info!(target: "llm_observe::outbox", destination = name, "the destination can be reached again");
            }
            _ => {}
        }
    }

    fn flush(&self, limit: Duration) -> FlushReport {
        let deadline = Instant::now() + limit;
        let deadline_micros = now_micros().saturating_add(micros(limit));
        self.state().queue.hurry();
        self.wakes.values().for_each(Notify::notify_one);
        let mut state = self.state();
        while state.queue.is_worth_waiting(deadline_micros) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.settled.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.report(&state)
    }

    fn report(&self, state: &State) -> FlushReport {
        let report = |destination: &Arc<dyn Destination>| {
            let name = destination.name();
            DestinationReport {
                name: name.to_owned(),
                delivered: self
                    .counts
                    .get(name)
                    .map_or(0, |counts| counts.delivered.get()),
                kept: u64::try_from(state.queue.pending(name)).unwrap_or(u64::MAX),
            }
        };
        FlushReport {
            destinations: self.destinations.iter().map(report).collect(),
        }
    }

    /// What is in memory only is lost now.
    fn count_volatile(&self) {
        let state = self.state();
        for entry in state
            .queue
            .entries()
            .filter(|entry| entry.place.is_volatile())
        {
            self.with_counts(&entry.destination, |counts| counts.dropped.add(1));
        }
    }

    fn with_counts(&self, destination: &str, f: impl Fn(&Counts)) {
        match self.counts.get(destination) {
            Some(counts) => f(counts),
            // A destination of an earlier configuration.
            None => f(&Counts::new(&self.stats, destination)),
        }
    }

    fn destination(&self, name: &str) -> Option<&Arc<dyn Destination>> {
        self.destinations.iter().find(|d| d.name() == name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
