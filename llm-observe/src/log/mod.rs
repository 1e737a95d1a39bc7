//! Log files: lines in, rotated files out, nothing lost in between.
//!
//! [`layer`] and the records of calls make lines, [`format`] writes them, [`lines`] decides which
//! file they go to. Under [`file`] is the engine that gets them there: [`ring`] and [`spool`] keep
//! lines until they are written, even if the process dies, [`writer`] is the thread that writes
//! them, [`target`] the file, [`rotation`], [`retention`] and [`compress`] what becomes of it.

mod append;
mod by_hand;
mod compress;
mod console;
mod core;
mod disk;
#[cfg(all(test, unix))]
mod engine_tests;
mod escape;
#[cfg(test)]
mod faulty_disk;
mod file;
mod format;
mod layer;
mod lines;
#[cfg(test)]
mod model_tests;
pub mod read;
mod retention;
mod ring;
mod rotation;
mod settings;
mod spool;
mod system;
mod target;
mod timestamp;
mod writer;

use std::{
    io::IsTerminal,
    path::PathBuf,
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

use llm_observe_config::{Console as When, Format, Log, Rotate, Timezone};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt};

pub use by_hand::LogWriter;
pub use layer::Layer;
pub(crate) use lines::Lines;

use self::{
    console::Console,
    file::LogFile,
    format::Style,
    lines::{Route, Select},
    settings::Hooks,
};
use crate::{
    error::Error,
    init::{FlushReport, Part, Settings, say, variable},
    kernel::{metric_names as names, sink::Sink, stats::Stats},
    observer::tracing_level,
    redact::Redactor,
};

/// Opens every logger of the configuration; `None` when there is nothing to write to.
pub(crate) fn open(
    settings: &Settings,
    redactor: Arc<Redactor>,
    stats: &Arc<Stats>,
) -> Result<Option<Loggers>, Error> {
    let log = &settings.config.log;
    let routes = if log.enabled {
        routes(settings, stats)?
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
    }))
}

/// The loggers of one observer.
pub(crate) struct Loggers {
    lines: Arc<Lines>,
    stats: Arc<Stats>,
}

impl Loggers {
    /// Returns where calls go.
    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        self.lines.clone()
    }

    /// Makes events of `tracing` and `log` come here too; `false` when the program has a
    /// subscriber of its own, which then has to include [`Layer`].
    pub(crate) fn subscribe(&self) -> bool {
        layer::install(self.lines.clone());
        // A program may have its own `log` logger; its records then stay there.
        let _ = tracing_log::LogTracer::init();
        let ours = tracing_subscriber::registry().with(Layer::over(self.lines.clone()));
        tracing::subscriber::set_global_default(ours).is_ok()
    }

    /// Returns what lets all sinks but this one have the events that are logged.
    pub(crate) fn forward_events(&self) -> impl FnOnce(&[Arc<dyn Sink>]) + 'static {
        let lines = self.lines.clone();
        move |sinks| {
            let own = Arc::as_ptr(&lines).cast::<()>();
            let others = sinks.iter().filter(|s| Arc::as_ptr(s).cast::<()>() != own);
            // Set once: an observer is started once.
            let _ = lines.others.set(others.cloned().collect());
        }
    }

    /// Brings the counts of the files into the metrics.
    pub(crate) fn publisher(&self) -> impl Fn() + Send + Sync + 'static {
        let (lines, stats) = (self.lines.clone(), self.stats.clone());
        move || lines.publish(&stats)
    }
}

/// How long a program that ends waits for each file.
const CLOSE: Duration = Duration::from_secs(1);

impl Drop for Loggers {
    fn drop(&mut self) {
        self.lines.close(CLOSE);
    }
}

impl Part for Loggers {
    fn flush(&self, limit: Duration, report: &mut FlushReport) {
        report.pending_bytes += self.lines.flush(limit);
        self.lines.publish(&self.stats);
    }

    fn files(&self) -> Vec<PathBuf> {
        self.lines
            .routes
            .iter()
            .map(|route| route.path.clone())
            .collect()
    }
}

fn routes(settings: &Settings, stats: &Stats) -> Result<Vec<Route>, Error> {
    let config = &settings.config;
    let own = config.loggers.iter().map(|(name, logger)| {
        let select = Some(Select::of(logger));
        route(name, &logger.resolve(&config.log), select, stats)
    });
    // The main file last: by then it is known whether an exclusive logger has taken the line.
    own.chain(std::iter::once_with(|| {
        route("app", &config.log, None, stats)
    }))
    .collect()
}

fn route(name: &str, log: &Log, select: Option<Select>, stats: &Stats) -> Result<Route, Error> {
    let file = LogFile::open(engine_settings(log), name, hooks(log)).map_err(|source| {
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

fn engine_settings(log: &Log) -> settings::Settings {
    settings::Settings {
        dir: log.dir.clone(),
        file: log.file.clone(),
        max_bytes: log.max_bytes,
        rotate: match log.rotate {
            Rotate::Never => settings::Rotate::Never,
            Rotate::Hourly => settings::Rotate::Hourly,
            Rotate::Daily => settings::Rotate::Daily,
        },
        timezone: match log.timezone {
            Timezone::Utc => settings::Timezone::Utc,
            Timezone::Local => settings::Timezone::Local,
        },
        backups: log.backups,
        max_age: log.max_age,
        max_total_bytes: log.max_total_bytes,
        compress: log.compress,
        mode: log.mode,
        shared: log.shared,
        follow_symlinks: log.follow_symlinks,
        spool_bytes: log.buffer_bytes,
        max_wait: log.max_wait,
    }
}

/// What the engine asks of us: to say in the file's own format where lines are missing.
fn hooks(log: &Log) -> Hooks {
    Hooks {
        lost_line: match (log.format, log.timezone) {
            (Format::Json, _) => format::lost_json,
            (Format::Text, Timezone::Utc) => format::lost_text,
            (Format::Text, Timezone::Local) => format::lost_text_local,
        },
        say,
        ..Hooks::default()
    }
}

fn console(log: &Log, stats: &Stats) -> Result<Option<Console>, Error> {
    let wanted = match log.console {
        When::Always => true,
        When::Never => false,
        When::Auto => std::io::stderr().is_terminal(),
    };
    if !wanted {
        return Ok(None);
    }
    let labels = [("logger", "console")];
    let lost = [("logger", "console"), ("reason", "overflow")];
    let written = stats.counter(names::LOG_LINES, &labels);
    let lost = stats.counter(names::LOG_LINES_LOST, &lost);
    let console = Console::start(written, lost)
        .map_err(|source| Error::with("cannot start the console thread", source))?;
    Ok(Some(console))
}

/// Returns which levels pass, by target: `RUST_LOG` where it is set, else `[log] level`.
fn filter(log: &Log) -> Targets {
    let configured =
        || Targets::new().with_default(LevelFilter::from_level(tracing_level(log.level)));
    let Some(directives) = variable("RUST_LOG") else {
        return configured();
    };
    directives.parse().unwrap_or_else(|error| {
        say(&format!(
            "RUST_LOG is not understood ({error}): write `level` or `target=level`, separated by \
             commas; `[log] level` is used instead"
        ));
        configured()
    })
}
