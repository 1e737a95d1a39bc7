//! Sets an observer up from its configuration: the only place that names concrete sinks.

mod builder;
mod guarded;
mod loggers;
#[cfg(all(test, feature = "http", feature = "server"))]
mod metrics_tests;
pub(crate) mod operations;
mod settings;
mod unused;

#[cfg(feature = "delivery")]
mod outlets;
mod own_outlets;

pub use builder::Builder;
pub(crate) use settings::{Settings, variable};

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    error::Error,
    kernel::{dispatch, fork_mutex::is_fork},
    observer::Dispatcher,
    warn::warn,
};

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

/// How long the observer's drop waits for what is on its way.
const FLUSH_AT_DROP: Duration = Duration::from_secs(5);

/// One running part of an observer: a logger, the alerts, the trackers, the outbox.
pub(crate) trait Part: Send + Sync {
    /// Hands on what it holds, within `limit`, and adds the result to `report`.
    fn flush(&self, limit: Duration, report: &mut FlushReport);

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
#[must_use = "the observer stops when this is dropped; bind it: `let _observer = ...`"]
pub struct Observer {
    dispatcher: Arc<Dispatcher>,
    /// In the order they were started. Flushed last to first: delivering writes lines.
    parts: Vec<Box<dyn Part>>,
    /// Threads that end when dropped.
    threads: Vec<Box<dyn Send + Sync>>,
    listening: Option<std::net::SocketAddr>,
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

    /// Hands on all that is held back, waiting at most `limit`, and returns what was delivered
    /// and what is kept.
    #[must_use = "the report has what is left"]
    pub fn flush(&self, limit: Duration) -> FlushReport {
        let deadline = Instant::now() + limit;
        let mut report = FlushReport::default();
        self.dispatcher.pipeline().metrics.publish();
        for part in self.parts.iter().rev() {
            part.flush(
                deadline.saturating_duration_since(Instant::now()),
                &mut report,
            );
        }
        report
    }

    /// Sends a marked test alert through every channel and a marked test report through every
    /// tracker, each within `limit`, and returns what each answered.
    #[must_use = "the results show which destinations work"]
    pub fn send_test(&self, limit: Duration) -> Vec<SendTestResult> {
        self.parts
            .iter()
            .flat_map(|part| part.send_test(limit))
            .collect()
    }

    /// Returns the log files, the main one last.
    #[must_use]
    pub fn log_files(&self) -> Vec<PathBuf> {
        self.parts.iter().flat_map(|part| part.files()).collect()
    }

    /// Returns the address that `/metrics` and the live page are served at.
    #[must_use]
    pub fn listening(&self) -> Option<std::net::SocketAddr> {
        self.listening
    }

    /// Returns the metrics as Prometheus text, as a scrape would get them now; `None` only without
    /// the feature `metrics`. Where the program had installed a recorder before, it has metrics of
    /// this crate alone, and that recorder gets them too.
    #[must_use]
    pub fn metrics(&self) -> Option<String> {
        self.dispatcher.pipeline().metrics.render()
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("listening", &self.listening)
            .finish_non_exhaustive()
    }
}

impl Observer {
    /// The threads are the parent's, and so is what waits for them: the parent delivers it.
    fn drop_in_fork(&mut self) {
        std::mem::forget(std::mem::take(&mut self.threads));
        for part in std::mem::take(&mut self.parts) {
            if !part.works_in_fork() {
                std::mem::forget(part);
            }
        }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        dispatch::uninstall();
        if is_fork() {
            self.drop_in_fork();
            return;
        }
        let left = self.flush(FLUSH_AT_DROP);
        self.threads.clear();
        // Outlets may still log while they stop: the loggers stop last.
        while let Some(part) = self.parts.pop() {
            drop(part);
        }
        let parcels = |count| match count {
            1 => "1 report or alert".to_owned(),
            count => format!("{count} reports and alerts"),
        };
        let saved = left.kept.saturating_sub(left.unsaved);
        if saved > 0 {
            warn(&format!(
                "{} could not be delivered yet; the next start tries again",
                parcels(saved)
            ));
        }
        if left.unsaved > 0 {
            warn(&format!(
                "{} could not be delivered and {} lost: the outbox's folder cannot be written",
                parcels(left.unsaved),
                if left.unsaved == 1 { "is" } else { "are" },
            ));
        }
        if left.pending_bytes > 0 {
            warn(&format!(
                "{} bytes of log lines could not be written yet; the next start writes them",
                left.pending_bytes
            ));
        }
    }
}
