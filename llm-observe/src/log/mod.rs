//! Log lines: from the records of calls and from events of `tracing`, to rotated files and the
//! console.
//!
//! `layer` receives events, through the subscriber that `subscribe` installs; [`format`] formats lines,
//! [`escape`] makes texts safe for them, [`lines`] hands each one to the files that [`select`] it. `files`
//! opens them; they are those of the crate [`llm_observe_log`].

mod console;
mod escape;
mod files;
mod format;
mod layer;
mod lines;
mod options;
mod select;
mod subscribe;
#[cfg(test)]
mod tests;
mod timestamp;
mod writer;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

use llm_observe_config::{Config, Log, OnFailure};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

pub use layer::Layer;
pub(crate) use layer::{is_layer_made, layer};
pub(crate) use lines::Lines;
pub use llm_observe_log::read;
pub use writer::LogWriter;

use self::{
    console::ConsoleWriter,
    files::Waiting,
    format::Style,
    lines::Route,
    subscribe::{PendingSubscriber, Subscribed},
};
use crate::{
    error::Error,
    kernel::{
        fork_mutex::is_fork, metrics_table as names, service::Service, sink::Sink, stats::Stats,
    },
    observer::tracing_level,
    redact::Redactor,
    warn::warn,
};

/// The parts of the log: what their faults are shown under.
pub(crate) const FILES: &str = "log";
pub(crate) const CONSOLE: &str = "console";

/// The loggers, if there is anything to write to, and which of the parts do not work.
pub(crate) type Opened = (Option<Loggers>, Vec<(&'static str, Error)>);

/// Opens every logger of the configuration.
///
/// # Errors
///
/// When the configuration has mistakes; with `on_failure = "exit"`, when a file cannot be opened or the
/// console's thread cannot be started.
pub(crate) fn open(
    config: &Config,
    service: &Service,
    redactor: Arc<Redactor>,
    stats: &Arc<Stats>,
) -> Result<Opened, Error> {
    let log = &config.log;
    let style = Arc::new(Style::new(log, service));
    let mut faults = Vec::new();
    let (routes, waiting) = if log.enabled {
        let (routes, waiting, fault) = routes(config, stats, &style)?;
        faults.extend(fault.map(|error| (FILES, error)));
        (routes, Some(waiting))
    } else {
        (Vec::new(), None)
    };
    let console = match ConsoleWriter::start(log, &style, !routes.is_empty(), stats) {
        Ok(console) => console,
        Err(source) => {
            let error = Error::with("cannot start the console thread", source);
            if config.service.on_failure == OnFailure::Exit {
                return Err(error);
            }
            faults.push((CONSOLE, error));
            None
        }
    };
    if routes.is_empty() && console.is_none() {
        return Ok((None, faults));
    }
    let lines = Arc::new(Lines {
        routes,
        console,
        style,
        filter: filter(log),
        redactor,
        closed: AtomicBool::new(false),
        others: OnceLock::new(),
    });
    let loggers = Loggers {
        lines,
        waiting: waiting.map(Arc::new),
        stats: stats.clone(),
        pending: Arc::default(),
    };
    Ok((Some(loggers), faults))
}

/// The loggers of one observer.
pub(crate) struct Loggers {
    lines: Arc<Lines>,
    waiting: Option<Arc<Waiting>>,
    stats: Arc<Stats>,
    /// Set where the program may still install a subscriber of its own.
    pending: Arc<OnceLock<PendingSubscriber>>,
}

impl Loggers {
    /// Returns the sink for calls.
    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        self.lines.clone()
    }

    /// Gives the lines to the layers that the program has, or will have, in a subscriber of its own.
    pub(crate) fn install(&self) {
        layer::install(self.lines.clone());
    }

    /// Subscribes to events of `tracing` and `log`; `later`: with the first event, since the program may
    /// install a subscriber of its own first, which then has to include [`Layer`]. Returns `false` when
    /// it has, or still may.
    pub(crate) fn subscribe(&self, later: bool) -> bool {
        self.install();
        match subscribe::subscribe(&self.lines, later) {
            Subscribed::Ours => true,
            Subscribed::Theirs => false,
            Subscribed::Pending(pending) => {
                // Set once: an observer is started once.
                let _ = self.pending.set(pending);
                false
            }
        }
    }

    /// Returns a function that passes the events that are logged on to the other sinks.
    pub(crate) fn forward_events(&self) -> impl FnOnce(&[Arc<dyn Sink>]) + 'static {
        let lines = self.lines.clone();
        move |sinks| {
            let own = Arc::as_ptr(&lines).cast::<()>();
            let others = sinks.iter().filter(|s| Arc::as_ptr(s).cast::<()>() != own);
            // Set once: an observer is started once.
            let _ = lines.others.set(others.cloned().collect());
        }
    }

    /// Returns what copies the counters of the files to the metrics.
    pub(crate) fn publisher(&self) -> impl Fn() + Send + Sync + 'static {
        let (lines, stats) = (self.lines.clone(), self.stats.clone());
        let pending = self.pending.clone();
        move || {
            lines.publish(&stats);
            pending.get().iter().for_each(|pending| pending.look());
        }
    }

    /// Returns what opens the files that could not be opened, and then says which they are.
    pub(crate) fn attach(&self) -> impl FnMut() -> Result<String, Error> + Send + use<> {
        let (lines, waiting) = (self.lines.clone(), self.waiting.clone());
        move || {
            waiting.iter().try_for_each(|w| w.attach(&lines.routes))?;
            let files = files(&lines.routes);
            let names: Vec<_> = files
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            Ok(format!("the log files are written: {}", names.join(", ")))
        }
    }

    /// Writes what waits, within `limit`, and returns how many bytes are left.
    pub(crate) fn flush(&self, limit: Duration) -> u64 {
        self.try_attach();
        let pending = self.lines.flush(limit);
        self.lines.publish(&self.stats);
        pending
    }

    /// Writes what waits, within `limit`, closes the files and returns how many bytes are left. The
    /// second time it does nothing.
    pub(crate) fn close(&self, limit: Duration) -> u64 {
        self.try_attach();
        self.pending.get().iter().for_each(|pending| pending.end());
        let pending = self.lines.close(limit);
        self.lines.publish(&self.stats);
        pending
    }

    /// Opens the files that could not be opened: it may be the last chance. What is wrong has been said.
    fn try_attach(&self) {
        if let Some(waiting) = self.waiting.as_ref().filter(|_| !is_fork()) {
            let _ = waiting.attach(&self.lines.routes);
        }
    }

    /// Returns the files that they write.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files(&self.lines.routes)
    }
}

/// How long dropping loggers that are still open waits for their files.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

impl Drop for Loggers {
    fn drop(&mut self) {
        self.pending.get().iter().for_each(|pending| pending.end());
        self.lines.close(CLOSE_LIMIT);
    }
}

/// Returns the files that are written, or will be once they can be opened.
fn files(routes: &[Route]) -> Vec<PathBuf> {
    let path = |route: &Route| route.path.with_file_name(route.file.file_name());
    routes.iter().map(path).collect()
}

/// Returns where lines go, what is not open yet, and why.
fn routes(
    config: &Config,
    stats: &Stats,
    style: &Arc<Style>,
) -> Result<(Vec<Route>, Waiting, Option<Error>), Error> {
    let loggers = files::loggers(config)?;
    let strict = config.service.on_failure == OnFailure::Exit;
    let opened = files::open(&loggers, style, strict)?;
    let routes = loggers.into_iter().zip(opened.writers);
    let routes = routes.map(|(logger, file)| route(logger, file, stats));
    Ok((routes.collect(), opened.waiting, opened.fault))
}

fn route(logger: files::Logger, file: llm_observe_log::LogWriter, stats: &Stats) -> Route {
    let lines = stats.counter(names::LOG_LINES, &[("logger", &logger.name)]);
    Route {
        path: logger.log.dir.join(&logger.log.file),
        name: logger.name,
        file,
        format: logger.log.format,
        select: logger.select,
        lines,
    }
}

/// Returns which levels pass, by target: `RUST_LOG` where it is set, else `[log] level`.
fn filter(log: &Log) -> Targets {
    let configured =
        || Targets::new().with_default(LevelFilter::from_level(tracing_level(log.level)));
    let directives = std::env::var("RUST_LOG").ok();
    let Some(directives) = directives.filter(|text| !text.trim().is_empty()) else {
        return configured();
    };
    directives.parse().unwrap_or_else(|error| {
        warn(&format!(
            "RUST_LOG is not understood ({error}): write `level` or `target=level`, separated by \
             commas; `[log] level` is used instead"
        ));
        configured()
    })
}
