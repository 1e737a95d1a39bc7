//! The handle to the outbox.

use std::{
    collections::HashSet, fmt, future::Future, io, path::PathBuf, sync::Arc, time::Duration,
};

use super::{
    delivery::Delivery, destination::Destination, options::OutboxOptions, owner, parcel::Parcel,
    report::DeliveryReport, thread::DeliveryThread,
};
use crate::{error::Error, kernel::stats::Stats};

/// A handle to the queue. Cheap to clone; the queue stops when the last handle is dropped, and
/// what it then holds is on disk for the next process.
#[derive(Clone)]
pub(crate) struct Outbox {
    thread: Arc<DeliveryThread>,
}

impl Outbox {
    /// Opens the folder, restores what earlier processes left in it, and starts to deliver.
    ///
    /// A folder that cannot be used is no error: the outbox then works in memory and logs so.
    ///
    /// # Errors
    ///
    /// When two destinations have the same name, or no thread can be started.
    pub(crate) fn open(
        options: OutboxOptions,
        destinations: Vec<Arc<dyn Destination>>,
        stats: Arc<Stats>,
    ) -> Result<Outbox, Error> {
        unique(&destinations)?;
        let thread = Arc::new(DeliveryThread::start(options, destinations, stats)?);
        Ok(Outbox { thread })
    }

    /// Returns why the folder cannot be used: everything is in memory. Says so once.
    pub(crate) fn take_no_folder(&self) -> Option<Error> {
        let error = self.thread.take_no_folder()?;
        Some(cannot_use(&self.thread, error))
    }

    /// Returns what tries to use the folder again, as long as there is a handle. It does I/O, and returns an
    /// error when the folder still cannot be used.
    pub(crate) fn reopen(&self) -> impl Fn() -> Result<(), Error> + Send + use<> {
        let thread = Arc::downgrade(&self.thread);
        move || match thread.upgrade() {
            Some(thread) => thread.reopen().map_err(|e| cannot_use(&thread, e)),
            None => Ok(()),
        }
    }

    /// Adds a parcel. It is on disk when this returns, unless the write fails, which is logged.
    /// Does I/O.
    pub(crate) fn put(&self, parcel: Parcel) {
        self.thread.put(parcel);
    }

    /// Delivers what can be delivered within `limit`. Returns early once nothing is left, or
    /// every destination that still has parcels asked for a longer wait.
    pub(crate) fn flush(&self, limit: Duration) -> DeliveryReport {
        self.thread.flush(limit)
    }

    /// Ends the thread that delivers, waiting at most `limit`. What is queued from then on is kept for
    /// the next start.
    pub(crate) fn stop(&self, limit: Duration) {
        self.thread.stop(limit);
    }

    /// Delivers one parcel now, past the queue, and returns the result; `None` when there is no
    /// such destination.
    pub(crate) fn deliver_now(&self, parcel: Parcel, limit: Duration) -> Option<Delivery> {
        self.thread.deliver_now(parcel, limit)
    }

    /// Returns the folder that this process owns, for state that is to outlive it.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.thread.folder()
    }

    /// Returns the folder of files that dead processes left and that are no parcels, each under a
    /// unique prefix and its own name. It need not exist.
    pub(crate) fn orphans(&self) -> Option<PathBuf> {
        Some(self.thread.folder()?.join(owner::LEFT))
    }

    /// Returns whether an earlier process left a parcel of `key`, delivered by now or not.
    pub(crate) fn has_inherited(&self, key: &str) -> bool {
        self.thread.has_inherited(key)
    }

    /// Returns whether a parcel of `key` is pending for `destination`.
    pub(crate) fn is_pending(&self, destination: &str, key: &str) -> bool {
        self.thread.is_pending(destination, key)
    }

    /// Runs `task` beside the deliveries, until the outbox stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.thread.spawn(task);
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

fn cannot_use(thread: &DeliveryThread, error: io::Error) -> Error {
    let dir = thread.wanted_folder().unwrap_or_default();
    Error::with(
        format!("the folder of the outbox, {dir:?}, cannot be used"),
        error,
    )
}

fn unique(destinations: &[Arc<dyn Destination>]) -> Result<(), Error> {
    let mut names = HashSet::new();
    match destinations.iter().find(|d| !names.insert(d.name())) {
        None => Ok(()),
        Some(twice) => Err(Error::new(format!(
            "two destinations are named `{}`: rename the one in [channels]",
            twice.name()
        ))),
    }
}
