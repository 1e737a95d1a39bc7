//! Sets an observer up from its configuration: the only place that names concrete sinks.

mod builder;
mod degraded;
mod guarded;
mod late_outlets;
mod loggers;
#[cfg(all(test, feature = "http", feature = "server", feature = "genai"))]
mod metrics_tests;
pub(crate) mod operations;
mod reason;
mod running;
mod settings;
mod shutdown;
mod signal;
mod started;
mod unused;

#[cfg(feature = "delivery")]
mod outlets;
mod own_outlets;

pub use builder::Builder;
pub(crate) use settings::{Settings, variable};
pub use shutdown::shutdown;
pub use signal::{ShutdownSignal, shutdown_signal};

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use self::{running::Running, shutdown::SHUTDOWN_LIMIT};
use crate::{error::Error, observer::Dispatcher, probes::PROGRAM};

/// What `init!()` knows when it is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// The text and the path of `llm-observe.toml`, where there is one.
    pub config: Option<(&'static str, &'static str)>,
    /// The calling package's name: the service's name unless the configuration has another.
    pub package: &'static str,
    /// The calling package's version: the release unless the configuration has another.
    pub version: &'static str,
    /// The module that called.
    pub module: &'static str,
    /// What the calling package may install by itself.
    pub installs: Installs,
}

/// What a program may install by itself after `init!()`, by what its package depends on. A process has one of
/// each, and whoever installs a second one gets an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Installs {
    /// A subscriber of `tracing` or a logger of `log`.
    pub subscriber: bool,
    /// A recorder of `metrics`.
    pub recorder: bool,
    /// A client of Sentry.
    pub sentry: bool,
}

/// What `init!()` expands to.
///
/// # Errors
///
/// As [`Builder::install`].
pub fn init(embedded: Embedded) -> Result<Observer, Error> {
    Observer::builder().embedded(embedded).install()
}

/// One running part of an observer: a logger, the alerts, the trackers, the outbox.
pub(crate) trait Part: Send + Sync {
    /// Hands on what it holds, within `limit`, and adds the result to `report`.
    fn flush(&self, limit: Duration, report: &mut FlushReport);

    /// Hands on what it holds and ends, within `limit`, and adds the result to `report`. Called once.
    fn stop(&self, limit: Duration, report: &mut FlushReport);

    /// Returns whether it works in a fork too, where its threads are not.
    fn works_in_fork(&self) -> bool {
        false
    }

    /// Sends a marked test through each destination that it has.
    fn send_test(&self, limit: Duration) -> Vec<SendTestResult> {
        let _ = limit;
        Vec::new()
    }

    /// Returns the files that it writes.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// The result of a test that was sent to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendTestResult {
    /// The channel's or tracker's name.
    pub destination: String,
    /// `Ok` when it took the test, else its answer.
    pub answer: Result<(), String>,
}

/// The result of a flush.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Bytes of log lines that are not in their file yet.
    pub pending_bytes: u64,
    /// Reports and alerts that their destinations took, since the start.
    pub delivered: u64,
    /// Reports and alerts that wait for their destination; kept for the next start where the
    /// outbox has a folder.
    pub kept: u64,
    /// Those of `kept` that are in memory only, since the outbox's folder does not take them: lost
    /// when the process ends.
    pub unsaved: u64,
}

impl FlushReport {
    /// Returns whether nothing is left to write or to deliver.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.pending_bytes == 0 && self.kept == 0
    }
}

/// The running observer. Dropping it flushes for up to 5 seconds and ends the observation.
///
/// [`Observer::shutdown`] ends it with a limit of your own and returns what is left;
/// [`llm_observe::shutdown()`](crate::shutdown()) ends it from async code, wherever it is kept.
#[must_use = "the observer stops when this is dropped; bind it: `let _observer = ...`"]
pub struct Observer {
    running: Arc<Running>,
}

impl Observer {
    /// Returns a layer for a subscriber of the program's own, so that its events come into the
    /// log files too.
    ///
    /// The program's subscriber may be installed before or after `init!()`:
    ///
    /// ```no_run
    /// use tracing_subscriber::prelude::*;
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let _observer = llm_observe::init!()?;
    ///     let layer = llm_observe::Observer::layer();
    ///     tracing_subscriber::registry().with(layer).init();
    ///     Ok(())
    /// }
    /// ```
    ///
    /// A program has one subscriber. In a package that depends on `tracing-subscriber`, `init!()` leaves it to
    /// the program until the first event. Elsewhere it installs its own at once, unless the program has one or has
    /// made a layer by then; `[log] subscriber` of the configuration and [`Builder::without_subscriber`] change
    /// that.
    #[cfg(feature = "log")]
    #[must_use = "a layer does nothing until a subscriber has it"]
    pub fn layer() -> crate::log::Layer {
        crate::log::layer()
    }

    /// Returns a builder, to set an observer up from code.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Makes these parts those of the program's observer.
    pub(crate) fn over(
        dispatcher: Arc<Dispatcher>,
        parts: Vec<Box<dyn Part>>,
        threads: Vec<Box<dyn Send + Sync>>,
        listening: Arc<OnceLock<std::net::SocketAddr>>,
    ) -> Observer {
        Observer {
            running: Running::install(dispatcher, parts, threads, listening),
        }
    }

    /// Hands on all that is held back, waiting at most `limit`, and returns what was delivered
    /// and what is kept. Alerts that wait for their group are sent at once.
    #[must_use = "the report has what is left"]
    pub fn flush(&self, limit: Duration) -> FlushReport {
        self.running.flush(limit)
    }

    /// Ends the observation within `limit` and returns what was delivered and what is kept.
    ///
    /// All that is held back is handed on: alerts that wait for their group are sent at once, lines are
    /// written, and the buffers in the log folder are deleted. `/readyz` answers 503 meanwhile. Calls that
    /// are made from then on run as without an observer.
    ///
    /// A destination that does not answer holds this up no longer than `limit`. What is for it is
    /// delivered by the next start, where the outbox has a folder. With a disk that takes nothing, it may
    /// last 100 ms longer for each log file.
    ///
    /// It blocks the thread. In async code, call [`Observer::shutdown_async`].
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let observer = llm_observe::init!()?;
    /// // ...
    /// let report = observer.shutdown(Duration::from_secs(10));
    /// if !report.is_complete() {
    ///     eprintln!("{} reports and alerts wait for the next start", report.kept);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the report has what is left"]
    pub fn shutdown(self, limit: Duration) -> FlushReport {
        self.running.end(limit)
    }

    /// Does what [`Observer::shutdown`] does, on any executor, and blocks none of its threads.
    ///
    /// The end begins when this is first polled, and is completed even if the future is then dropped.
    #[must_use = "futures do nothing unless they are awaited"]
    pub async fn shutdown_async(self, limit: Duration) -> FlushReport {
        let running = self.running.clone();
        // Its drop would block until the thread is done.
        std::mem::forget(self);
        shutdown::end(running, limit).await
    }

    /// Waits for SIGTERM or SIGINT, and then does what [`Observer::shutdown_async`] does: for programs that
    /// have nothing to finish of their own. Others await [`shutdown_signal`](crate::shutdown_signal()).
    ///
    /// ```no_run
    /// # use std::{error::Error, time::Duration};
    /// # async fn work() {}
    /// # async fn run() -> Result<(), Box<dyn Error>> {
    /// let observer = llm_observe::init!()?;
    /// tokio::spawn(work());
    /// let report = observer.shutdown_on_signal(Duration::from_secs(10)).await;
    /// println!("ended, {} delivered", report.delivered);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "futures do nothing unless they are awaited"]
    pub async fn shutdown_on_signal(self, limit: Duration) -> FlushReport {
        shutdown_signal().await;
        self.shutdown_async(limit).await
    }

    /// Says whether the program is ready for requests, as `/readyz` answers: 200, or 503 after
    /// `set_ready(false)`. It is ready from the start, until it is about to end.
    ///
    /// ```no_run
    /// # fn load_the_index() {}
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let observer = llm_observe::init!()?;
    /// observer.set_ready(false);
    /// load_the_index();
    /// observer.set_ready(true);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_ready(&self, ready: bool) {
        PROGRAM.set_ready(ready);
    }

    /// Sends a marked test alert through every channel and a marked test report through every
    /// tracker, each within `limit`, and returns what each answered.
    #[must_use = "the results show which destinations work"]
    pub fn send_test(&self, limit: Duration) -> Vec<SendTestResult> {
        self.running.send_test(limit)
    }

    /// Returns the log files, the main one last: `logs/app.log`, or `logs/app.2.log` where another process
    /// of the program has that one.
    #[must_use]
    pub fn log_files(&self) -> Vec<PathBuf> {
        self.running.files()
    }

    /// Returns the address that `/metrics` and the live page are served at; `None` without a server, and
    /// while its address cannot be bound.
    #[must_use]
    pub fn listening(&self) -> Option<std::net::SocketAddr> {
        self.running.listening()
    }

    /// Returns the metrics as Prometheus text, as a scrape would get them now; `None` only without
    /// the feature `metrics`. Where the program had installed a recorder before, it has metrics of
    /// this crate alone, and that recorder gets them too.
    #[must_use]
    pub fn metrics(&self) -> Option<String> {
        self.running.metrics()
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("listening", &self.listening())
            .finish_non_exhaustive()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.running.end(SHUTDOWN_LIMIT);
    }
}
