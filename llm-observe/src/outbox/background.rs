//! The background worker behind a sink: callers merge items into a bounded set, and a thread
//! processes them in batches. Alerts and error reports are its two clients.

use std::{
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{burst::Burst, time::now_micros};
use crate::{error::Error, own_thread::OwnThread};

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

/// How long dropping a worker waits for its last run.
const DROP_LIMIT: Duration = Duration::from_secs(5);

/// A thread, and the items that wait for it. Dropping it processes what is left and ends the
/// thread.
pub(crate) struct BackgroundWorker<T> {
    burst: Arc<Burst<T>>,
    thread: OwnThread,
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
        let thread = OwnThread::start(name, move || run(&source, handler))
            .map_err(|e| Error::with(format!("cannot start the thread {name}"), e))?;
        Ok(BackgroundWorker { burst, thread })
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

impl<T> BackgroundWorker<T> {
    /// Has everything processed that waits, due or not, and ends the thread. Takes nothing more from
    /// then on. Returns whether that was done within `limit`.
    pub(crate) fn close(&self, limit: Duration) -> bool {
        self.burst.close();
        self.thread.wait(limit)
    }
}

impl<T> Drop for BackgroundWorker<T> {
    fn drop(&mut self) {
        self.close(DROP_LIMIT);
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;

    /// Sends every batch to the test.
    struct Batches(Sender<(Vec<u32>, BatchPhase)>);

    impl BatchHandler for Batches {
        type Item = u32;

        fn wake(&self) -> Option<u64> {
            None
        }

        fn handle(&mut self, items: Vec<u32>, phase: BatchPhase) {
            self.0.send((items, phase)).unwrap();
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    fn start(most: usize) -> (BackgroundWorker<u32>, Receiver<(Vec<u32>, BatchPhase)>) {
        let (send, batches) = mpsc::channel();
        let worker = BackgroundWorker::start("test", most, Batches(send)).unwrap();
        (worker, batches)
    }

    #[test]
    fn everything_is_handled_once_by_a_flush_and_at_the_end() {
        let (worker, batches) = start(100);
        for key in [1, 2, 1, 1] {
            assert!(worker.add(key, |count| *count += 1, || 1));
        }
        assert!(worker.flush(LONG));
        let mut handled: Vec<_> = batches.try_iter().collect();
        assert_eq!(
            handled.last().map(|(_, phase)| *phase),
            Some(BatchPhase::Flushing)
        );
        assert!(worker.add(3, |count| *count += 1, || 1));
        assert!(worker.close(LONG));
        assert!(!worker.add(4, |count| *count += 1, || 1));
        handled.extend(batches.try_iter());
        assert_eq!(
            handled.last().map(|(_, phase)| *phase),
            Some(BatchPhase::Closing)
        );
        let counts = handled.iter().flat_map(|(items, _)| items);
        assert_eq!(counts.sum::<u32>(), 5);
    }

    #[test]
    fn a_key_without_room_is_refused() {
        let burst = Burst::new(1);
        assert!(burst.add("a", |_| (), || 1));
        assert!(burst.add("a", |_| (), || 1));
        assert!(!burst.add("b", |_| (), || 1));
    }
}
