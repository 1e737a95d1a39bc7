//! The durable queue of everything that leaves the process, whatever its destination.
//!
//! A parcel is on disk before [`Outbox::put`] returns (which background threads call, never an
//! annotated function), and is removed once its destination took or refused it: at least once,
//! also over a crash, since the next process takes up what it finds. Every destination has its
//! own tasks, order, backoff and limits, so that a slow one delays no other. What is lost is
//! counted with its reason in `llm_observe_deliveries_total`.
//!
//! It must not know what a parcel means: bodies are final, redacted bytes.

mod attempt;
pub(crate) mod burst;
mod counts;
mod drain;
pub(crate) mod http;
mod owner;
mod parcel;
pub(crate) mod private;
mod queue;
mod store;
mod tell;
mod worker;

use std::{
    collections::HashSet,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

pub use parcel::Parcel;

use crate::{error::Error, kernel::stats::Stats};
use worker::Worker;

/// What became of one attempt to deliver a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The destination took it.
    Delivered,
    /// It may work later: no connection, a timeout, an overloaded server, a rate limit.
    Retry {
        /// The least time to wait that the destination asked for.
        after: Option<Duration>,
        /// Why, without any credential: it is logged.
        reason: String,
    },
    /// It will never work: the destination refused it for good.
    Refused {
        /// Why, without any credential: it is logged.
        reason: String,
    },
}

impl Delivery {
    /// Returns a transient failure, to be tried again after the outbox's own backoff.
    pub fn retry(reason: impl Into<String>) -> Delivery {
        Delivery::Retry {
            after: None,
            reason: reason.into(),
        }
    }

    /// Returns a final failure.
    pub fn refused(reason: impl Into<String>) -> Delivery {
        Delivery::Refused {
            reason: reason.into(),
        }
    }
}

/// The answer to one attempt, to be waited for.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>;

/// Something that parcels are delivered to.
///
/// Supertrait of [`Channel`](crate::alerts) and [`Tracker`](crate::trackers).
pub trait Destination: Send + Sync + 'static {
    /// Returns its name: unique among the destinations, and a label value of metrics.
    fn name(&self) -> &str;

    /// Tries once to deliver `parcel`. Runs on a tokio runtime of the outbox's own; it is dropped
    /// at [`Settings::attempt`], and then counts as a failure that may be tried again.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a>;

    /// Returns how many parcels may be on their way at once. Default: 1, which keeps the order.
    fn concurrency(&self) -> usize {
        1
    }

    /// Hears that `count` parcels of a category will never be delivered, other than by its own
    /// refusal. They are counted already. It must not block. Default: nothing.
    fn lost(&self, category: &str, why: Lost, count: u64) {
        let _ = (category, why, count);
    }
}

/// Why something was given up undelivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// More different things came at once than are kept in memory.
    Overflow,
    /// The outbox had no room left.
    Full,
    /// It became too old.
    Expired,
    /// Its file could not be read any more.
    Unreadable,
}

impl Lost {
    /// Returns the reason, as the log says it.
    const fn as_str(self) -> &'static str {
        match self {
            Lost::Overflow => "there were too many at once",
            Lost::Full => "the outbox is full",
            Lost::Expired => "they are too old",
            Lost::Unreadable => "their files are gone or corrupt",
        }
    }
}

/// The limits of an outbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Its folder; `None`: in memory only, lost with the process.
    pub dir: Option<PathBuf>,
    /// The most bytes it holds; beyond it the least severe and oldest are dropped and counted.
    pub max_bytes: u64,
    /// The age beyond which what is undelivered is dropped and counted.
    pub max_age: Duration,
    /// The longest that one attempt may take. Default: 20 s.
    pub attempt: Duration,
    /// The wait after the first failure; doubled with each further one. Default: 1 s.
    pub backoff: Duration,
    /// The longest of these waits. Default: 5 min.
    pub backoff_max: Duration,
    /// How often it looks for what is too old, and for what a process left that died beside this
    /// one. Default: 10 s.
    pub upkeep: Duration,
}

impl Settings {
    /// Returns the settings for a folder (or memory) with those limits.
    pub fn new(dir: Option<PathBuf>, max_bytes: u64, max_age: Duration) -> Settings {
        Settings {
            dir,
            max_bytes,
            max_age,
            ..Settings::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            dir: None,
            max_bytes: 64 * 1024 * 1024,
            max_age: Duration::from_secs(24 * 3600),
            attempt: Duration::from_secs(20),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(300),
            upkeep: Duration::from_secs(10),
        }
    }
}

/// What a flush achieved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// For each destination, what was delivered since the start and what is still kept.
    pub destinations: Vec<DestinationReport>,
}

/// The part of a flush's report on one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationReport {
    /// The destination's name.
    pub name: String,
    /// The parcels that it took since the start.
    pub delivered: u64,
    /// The parcels that wait for it.
    pub kept: u64,
    /// Those of them that are in memory only, and lost when the process ends.
    pub unsaved: u64,
}

impl FlushReport {
    /// Returns the parcels delivered since the start, to all destinations.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.destinations.iter().map(|d| d.delivered).sum()
    }

    /// Returns the parcels that wait, for all destinations.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.destinations.iter().map(|d| d.kept).sum()
    }

    /// Returns the parcels that are lost when the process ends now, for all destinations.
    #[must_use]
    pub fn unsaved(&self) -> u64 {
        self.destinations.iter().map(|d| d.unsaved).sum()
    }
}

/// A handle to the queue. Cheap to clone; the queue stops when the last handle is dropped, and
/// what it then holds is on disk for the next process.
#[derive(Clone)]
pub struct Outbox {
    worker: Arc<Worker>,
}

impl Outbox {
    /// Opens the folder, takes up what earlier processes left in it, and starts to deliver.
    ///
    /// A folder that cannot be used does not fail it: it then works in memory and says so.
    ///
    /// # Errors
    ///
    /// When two destinations have the same name, or no thread can be started.
    pub(crate) fn open(
        settings: Settings,
        destinations: Vec<Arc<dyn Destination>>,
        stats: Arc<Stats>,
    ) -> Result<Outbox, Error> {
        unique(&destinations)?;
        let worker = Arc::new(Worker::start(settings, destinations, stats)?);
        Ok(Outbox { worker })
    }

    /// Takes a parcel: on disk when this returns, unless the disk refuses, which is counted.
    /// Does I/O.
    pub fn put(&self, parcel: Parcel) {
        self.worker.put(parcel);
    }

    /// Delivers what can be delivered within `limit`. Returns early once nothing is left, or
    /// every destination that still has parcels asked for a longer wait.
    pub fn flush(&self, limit: Duration) -> FlushReport {
        self.worker.flush(limit)
    }

    /// Delivers one parcel now, past the queue, and returns the destination's answer; `None`
    /// when there is no such destination.
    pub fn deliver_now(&self, parcel: Parcel, limit: Duration) -> Option<Delivery> {
        self.worker.deliver_now(parcel, limit)
    }

    /// Returns the folder that this process owns, for state that is to outlive it.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.worker.folder()
    }

    /// Returns the folder of what processes that are gone kept for longer than they lived, each
    /// file under its name behind one of its own. It need not exist.
    pub(crate) fn left(&self) -> Option<PathBuf> {
        Some(self.worker.folder()?.join(owner::LEFT))
    }

    /// Returns whether an earlier process put a parcel about `key`, be it delivered by now.
    pub(crate) fn has_inherited(&self, key: &str) -> bool {
        self.worker.has_inherited(key)
    }

    /// Returns whether a parcel about `key` waits for `destination` or is on its way there.
    pub(crate) fn waits_for(&self, destination: &str, key: &str) -> bool {
        self.worker.waits_for(destination, key)
    }

    /// Runs `task` beside the deliveries, until the outbox stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.worker.spawn(task);
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// Returns whether this is a thread that delivers. What happens on it is no news: a destination
/// whose own failures were alerted or reported would fail again with each of them.
pub(crate) fn is_delivering() -> bool {
    worker::is_delivering()
}

/// Runs what a user wrote; `None` when it panics, which is not to end a thread of ours.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
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

/// Returns the wall-clock time in microseconds since the Unix epoch.
pub(crate) fn now_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    micros(since)
}

/// Returns microseconds since some moment of this process, for waits: a wall clock that is set
/// back is not to lengthen them.
fn steady_micros() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    micros(START.get_or_init(Instant::now).elapsed())
}

/// Returns a duration in whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
