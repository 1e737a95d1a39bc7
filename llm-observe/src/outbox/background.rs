//! The background worker behind a sink: callers merge items into a bounded set, and a thread
//! processes them in batches. Alerts and error reports are its two clients.

use std::{
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{burst::Burst, time::now_micros};
use crate::error::Error;

/// What a worker does with the items that callers hand over.
pub(crate) trait BatchHandler: Send + 'static {
    /// What callers hand over.
    type Item: Send + 'static;

    /// Runs once, before the first batch.
    fn start(&mut self) {}

    /// Returns when [`BatchHandler::handle`] has to run next although nothing was handed over,
    /// in microseconds since the Unix epoch; `None`: not before something is.
    fn wake(&self) -> Option<u64>;

    /// Returns the longest time between two runs of [`BatchHandler::handle`]. Default: unlimited.
    fn interval(&self) -> Option<Duration> {
        None
    }

    /// Processes what was handed over since the last run, and what is due.
    fn handle(&mut self, items: Vec<Self::Item>, phase: BatchPhase);
}

/// What a run of a [`BatchHandler`] has to finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchPhase {
    /// What is due.
    Running,
    /// Everything: somebody waits for it.
    Flushing,
    /// Everything: it is the last run.
    Closing,
}

impl BatchPhase {
    /// Returns whether everything has to be finished, due or not.
    pub(crate) fn is_flush(self) -> bool {
        self != BatchPhase::Running
    }
}

/// A thread, and the items that wait for it. Dropping it processes what is left and ends the
/// thread.
pub(crate) struct BackgroundWorker<T> {
    burst: Arc<Burst<T>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<T: Send + 'static> BackgroundWorker<T> {
    /// Starts the thread `name`. At most `most` different items wait for it.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub(crate) fn start(
        name: &str,
        most: usize,
        handler: impl BatchHandler<Item = T>,
    ) -> Result<BackgroundWorker<T>, Error> {
        let burst = Arc::new(Burst::new(most));
        let source = burst.clone();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&source, handler))
            .map_err(|e| Error::with(format!("cannot start the thread {name}"), e))?;
        Ok(BackgroundWorker {
            burst,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Merges into the waiting item of the same key, or adds the first one. Returns `false` when
    /// there is no room for a further key.
    #[must_use = "what has no room is to be counted"]
    pub(crate) fn add(
        &self,
        key: impl Hash,
        merge: impl FnOnce(&mut T),
        first: impl FnOnce() -> T,
    ) -> bool {
        self.burst.add(key, merge, first)
    }

    /// Has everything processed that waits, due or not. Returns whether that was done within
    /// `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        self.burst.flush(limit)
    }
}

impl<T> Drop for BackgroundWorker<T> {
    fn drop(&mut self) {
        self.burst.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It does not panic; if it did, nothing is left to do about it.
            let _ = thread.join();
        }
    }
}

fn run<H: BatchHandler>(burst: &Burst<H::Item>, mut handler: H) {
    handler.start();
    loop {
        let due = handler.wake().map(instant);
        let latest = handler.interval().map(|interval| Instant::now() + interval);
        let taken = burst.take(due.into_iter().chain(latest).min());
        let phase = match (taken.closed, taken.flush) {
            (true, _) => BatchPhase::Closing,
            (false, Some(_)) => BatchPhase::Flushing,
            (false, None) => BatchPhase::Running,
        };
        handler.handle(taken.items, phase);
        if let Some(flush) = taken.flush {
            burst.complete(flush);
        }
        if taken.closed {
            return;
        }
    }
}

/// Returns when the wall clock will show `at`, at least 5 ms from now: a handler that is run too
/// early asks to be run again at once.
fn instant(at: u64) -> Instant {
    let wait = at.saturating_sub(now_micros()).max(5_000);
    Instant::now() + Duration::from_micros(wait)
}
