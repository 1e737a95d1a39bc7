//! The thread that delivers: one runtime, with tasks for each destination.

use std::{cell::Cell, future::Future, io, path::PathBuf, sync::Arc, time::Duration};

use tokio::runtime::{Builder, Handle};

use super::{
    attempt::attempt, delivery::Delivery, destination::Destination, drain, options::OutboxOptions,
    parcel::Parcel, report::DeliveryReport, state::DeliveryState,
};
use crate::{error::Error, kernel::stats::Stats, own_thread::OwnThread};

thread_local! {
    static DELIVERS: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this is a thread that delivers. Failures on it are neither alerted nor
/// reported: a destination that fails would fail again with each of them.
pub(crate) fn is_delivering() -> bool {
    DELIVERS.get()
}

/// How long dropping it waits for a destination that blocks the thread.
const DROP_LIMIT: Duration = Duration::from_secs(5);

/// The thread; it ends when this is dropped.
pub(super) struct DeliveryThread {
    state: Arc<DeliveryState>,
    runtime: Handle,
    thread: OwnThread,
}

impl DeliveryThread {
    pub(super) fn start(
        options: OutboxOptions,
        destinations: Vec<Arc<dyn Destination>>,
        stats: Arc<Stats>,
    ) -> Result<DeliveryThread, Error> {
        let state = Arc::new(DeliveryState::open(options, destinations, stats));
        let failed = |e| Error::with("cannot start the thread that delivers", e);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_start(|| DELIVERS.set(true))
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let work = state.clone();
        let run = move || {
            DELIVERS.set(true);
            runtime.block_on(drain::run(work));
            // Dropping it would wait for a running name lookup.
            runtime.shutdown_background();
        };
        let thread = OwnThread::start("llm-observe-outbox", run).map_err(failed)?;
        Ok(DeliveryThread {
            state,
            runtime: handle,
            thread,
        })
    }

    pub(super) fn put(&self, parcel: Parcel) {
        self.state.put(parcel);
    }

    pub(super) fn flush(&self, limit: Duration) -> DeliveryReport {
        self.state.flush(limit)
    }

    pub(super) fn deliver_now(&self, parcel: Parcel, limit: Duration) -> Option<Delivery> {
        let destination = self.state.destination(&parcel.destination)?.clone();
        let (send, receive) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            // The caller may have stopped waiting.
            let _ = send.send(attempt(&*destination, &parcel, limit).await);
        });
        let late = || Delivery::retry(format!("no answer within {limit:?}"));
        Some(
            receive
                .recv_timeout(limit + Duration::from_millis(100))
                .unwrap_or_else(|_| late()),
        )
    }

    pub(super) fn take_no_folder(&self) -> Option<io::Error> {
        self.state.take_no_folder()
    }

    pub(super) fn reopen(&self) -> io::Result<()> {
        self.state.reopen()
    }

    /// Returns the folder of the configuration.
    pub(super) fn wanted_folder(&self) -> Option<PathBuf> {
        self.state.options.dir.clone()
    }

    /// Returns the folder that this process writes in.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.state.folder()
    }

    /// Returns whether a parcel of `key` is pending for `destination`.
    pub(super) fn is_pending(&self, destination: &str, key: &str) -> bool {
        self.state.is_pending(destination, key)
    }

    /// Returns whether a dead process left a parcel of `key`.
    pub(super) fn has_inherited(&self, key: &str) -> bool {
        self.state.has_inherited(key)
    }

    /// Ends the thread, waiting at most `limit`. What is under way is cut off and delivered again by the
    /// next start.
    pub(super) fn stop(&self, limit: Duration) {
        self.state.stop.notify_one();
        self.thread.wait(limit);
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }
}

impl Drop for DeliveryThread {
    fn drop(&mut self) {
        self.stop(DROP_LIMIT);
        self.state.count_in_memory();
    }
}
