//! Log lines: from the records of calls and from events of `tracing`, to rotated files and the
//! console.
//!
//! `layer` receives events, through the subscriber that `subscribe` installs; [`format`] formats lines, [`escape`] makes texts safe for them, [`lines`]
//! hands each one to the files that [`select`] it. The files are those of the crate [`llm_observe_log`].

mod console;
mod escape;
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
    io::IsTerminal,
    path::PathBuf,
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

use llm_observe_config::{Config, Console, Log};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

pub use layer::Layer;
pub(crate) use layer::{is_layer_made, layer};
pub(crate) use lines::Lines;
pub use llm_observe_log::read;
pub use writer::LogWriter;

use self::{
    console::ConsoleWriter,
    format::Style,
    lines::Route,
    select::Select,
    subscribe::{PendingSubscriber, Subscribed},
};
use crate::{
    error::Error,
    kernel::{metrics_table as names, sink::Sink, stats::Stats},
    observer::tracing_level,
    redact::Redactor,
    warn::warn,
};

/// Opens every logger of the configuration. Returns `None` when there is nothing to write to.
pub(crate) fn open(
    config: &Config,
    redactor: Arc<Redactor>,
    stats: &Arc<Stats>,
) -> Result<Option<Loggers>, Error> {
    let log = &config.log;
    let routes = if log.enabled {
        routes(config, stats)?
    } else {
        Vec::new()
    };
    let console = console(log, stats)?;
    if routes.is_empty() && console.is_none() {
        return Ok(None);
    }
    let style = Style {
        timezone: log.timezone,
        max_value_bytes: usize::try_from(log.max_value_bytes).unwrap_or(usize::MAX),
    };
    let lines = Arc::new(Lines {
        routes,
        console,
        style,
        filter: filter(log),
        redactor,
        closed: AtomicBool::new(false),
        others: OnceLock::new(),
    });
    Ok(Some(Loggers {
        lines,
        stats: stats.clone(),
        pending: Arc::default(),
    }))
}

/// The loggers of one observer.
pub(crate) struct Loggers {
    lines: Arc<Lines>,
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

    /// Writes what waits, within `limit`, and returns how many bytes are left.
    pub(crate) fn flush(&self, limit: Duration) -> u64 {
        let pending = self.lines.flush(limit);
        self.lines.publish(&self.stats);
        pending
    }

    /// Returns the files that they write.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let routes = self.lines.routes.iter();
        routes.map(|route| route.path.clone()).collect()
    }
}

/// How long a program that ends waits for each file.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

impl Drop for Loggers {
    fn drop(&mut self) {
        self.pending.get().iter().for_each(|pending| pending.end());
        self.lines.close(CLOSE_LIMIT);
    }
}

fn routes(config: &Config, stats: &Stats) -> Result<Vec<Route>, Error> {
    let own = config.loggers.iter().map(|(name, logger)| {
        let select = Some(Select::of(logger));
        route(name, &logger.resolve(&config.log), select, stats)
    });
    // The main file is last: by then it is known whether an exclusive logger has taken the line.
    own.chain(std::iter::once_with(|| {
        route("app", &config.log, None, stats)
    }))
    .collect()
}

fn route(name: &str, log: &Log, select: Option<Select>, stats: &Stats) -> Result<Route, Error> {
    let file = options::open(log).map_err(|source| {
        let context = format!(
            "logger `{name}` cannot write to `dir` of [log], {:?}",
            log.dir
        );
        Error::with(context, source)
    })?;
    let lines = stats.counter(names::LOG_LINES, &[("logger", name)]);
    Ok(Route {
        name: name.to_owned(),
        path: log.dir.join(&log.file),
        file,
        format: log.format,
        select,
        lines,
    })
}

fn console(log: &Log, stats: &Stats) -> Result<Option<ConsoleWriter>, Error> {
    let enabled = match log.console {
        Console::Always => true,
        Console::Never => false,
        Console::Auto => std::io::stderr().is_terminal(),
    };
    if !enabled {
        return Ok(None);
    }
    let labels = [("logger", "console")];
    let lost = [("logger", "console"), ("reason", "overflow")];
    let written = stats.counter(names::LOG_LINES, &labels);
    let lost = stats.counter(names::LOG_LINES_LOST, &lost);
    let console = ConsoleWriter::start(written, lost)
        .map_err(|source| Error::with("cannot start the console thread", source))?;
    Ok(Some(console))
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
