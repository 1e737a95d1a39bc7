//! From settings to a running observer, part by part.

use std::{path::PathBuf, sync::Arc};

use llm_observe_config::{Config, Subscriber, suggest};

use super::{
    Embedded, Observer, Part,
    guarded::Guarded,
    operations::{self, KINDS},
    own_outlets::{OwnOutlets, StartOutlets},
    settings::{self, Settings},
    unused,
};
use crate::{
    error::Error,
    kernel::{dispatch, metric::Metric, panics, registry, sink::Sink, stats::Stats},
    log,
    metrics::Metrics,
    observer::{Dispatcher, Pipeline},
    redact::Redactor,
    server,
    upkeep::Upkeep,
    warn::warn,
};

/// Sets an observer up from code. What it does not set comes from the configuration.
#[derive(Default)]
#[must_use = "nothing is observed until `install`"]
pub struct Builder {
    embedded: Option<Embedded>,
    config: Option<Config>,
    file: Option<PathBuf>,
    redact: Option<Redaction>,
    own: OwnOutlets,
    sinks: Vec<Arc<dyn Sink>>,
    metrics: Vec<&'static Metric>,
    leaves_subscriber: bool,
}

/// What starts the outlets of the configuration and of the program.
const OUTLETS: &[StartOutlets] = &[
    #[cfg(feature = "delivery")]
    super::outlets::start,
];

type Redaction = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Builder {
    /// Uses what `init!()` embedded.
    #[doc(hidden)]
    pub fn embedded(mut self, embedded: Embedded) -> Builder {
        self.embedded = Some(embedded);
        self
    }

    /// Uses this configuration, and no file and no `LLM_OBSERVE_CONFIG`.
    pub fn config(mut self, config: Config) -> Builder {
        self.config = Some(config);
        self
    }

    /// Uses this file, and not `LLM_OBSERVE_CONFIG`.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Builder {
        self.file = Some(path.into());
        self
    }

    /// Asks `redact` for the text to use instead of one that is about to be written or sent, after
    /// everything else has been taken out of it; `None` leaves it.
    pub fn redact(
        mut self,
        redact: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Builder {
        self.redact = Some(Box::new(redact));
        self
    }

    /// Sends alerts to this channel too.
    #[cfg(feature = "delivery")]
    pub fn channel(mut self, channel: impl crate::alerts::Channel) -> Builder {
        self.own.channels.push(Arc::new(channel));
        self
    }

    /// Reports failures to this tracker too.
    #[cfg(feature = "delivery")]
    pub fn tracker(mut self, tracker: impl crate::trackers::Tracker) -> Builder {
        self.own.trackers.push(Arc::new(tracker));
        self
    }

    /// Hands the record of every call, and every logged line, to this sink too: see [`Sink`].
    pub fn sink(mut self, sink: impl Sink) -> Builder {
        self.sinks.push(Arc::new(Guarded::new(sink)));
        self
    }

    /// Adds the metrics of the program's own operations to the table, so that their histograms have
    /// the buckets that their rows give.
    pub fn metrics(mut self, table: impl IntoIterator<Item = &'static Metric>) -> Builder {
        self.metrics.extend(table);
        self
    }

    /// Installs no subscriber for `tracing` and no logger for `log`, and leaves both to the program, which may
    /// install its own before or after this. Its events come into the log files through
    /// [`Observer::layer`].
    ///
    /// `[log] subscriber = "program"` of the configuration does the same. Otherwise a subscriber is installed
    /// at once unless there is one, and a later `tracing_subscriber::fmt().init()` of the program panics, since a
    /// program has one subscriber. Only `init!()` knows whether the program may install its own.
    pub fn without_subscriber(mut self) -> Builder {
        self.leaves_subscriber = true;
        self
    }

    /// Starts everything and makes it the program's observer.
    ///
    /// # Errors
    ///
    /// When the program has, or had, an observer; when the configuration has mistakes, a log file
    /// cannot be opened, or the address of `[server] listen` cannot be bound. Nothing remote is
    /// asked.
    pub fn install(self) -> Result<Observer, Error> {
        if dispatch::is_installed() {
            return Err(twice());
        }
        let mut settings = self.settings()?;
        let leaves_subscriber = self.leaves_subscriber
            || log::is_layer_made()
            || settings.config.log.subscriber == Subscriber::Program;
        let mut running = Started::start(&settings, self.redact, leaves_subscriber)?;
        let own_channels = self.own.has_channels();
        let outlets = unused::Outlets {
            own_channels,
            running: running.outlets(&mut settings, self.own)?,
            slack_variable: settings::variable("SLACK_WEBHOOK_URL").is_some(),
        };
        running.own_sinks(self.sinks);
        let observer = running.observer(&settings, self.metrics)?;
        running.publish(&observer)?;
        let listening = running.serve(&settings, &observer)?;
        if !dispatch::install(observer.clone()) {
            return Err(twice());
        }
        panics::install();
        observer.register_sites();
        warn_of_unknown_events(&settings.config);
        let (config, tables) = (&settings.config, &settings.tables);
        let unused = unused::unused(config, tables, outlets, unused::BUILT);
        unused.iter().for_each(|message| warn(message));
        Ok(Observer {
            dispatcher: observer,
            parts: running.parts,
            threads: running.threads,
            listening,
        })
    }

    fn settings(&self) -> Result<Settings, Error> {
        match (&self.config, &self.file) {
            (Some(config), _) => Ok(Settings::over(config.clone(), self.embedded)),
            (None, Some(path)) => Settings::read(path, self.embedded),
            (None, None) => Settings::load(self.embedded),
        }
    }
}

/// Warns of annotated events that `[events]` of the configuration in force does not have.
///
/// The compiler has checked the embedded file. One that replaced it at start may have a misspelt
/// table, which would have no effect. This is no error: a dependency may have events of its own.
fn warn_of_unknown_events(config: &Config) {
    let Some(events) = &config.events else {
        return;
    };
    let mut missing: Vec<&str> = registry::all().map(|site| site.event).collect();
    missing.retain(|event| !events.contains_key(*event));
    missing.sort_unstable();
    missing.dedup();
    for event in missing {
        let near = suggest(event, events.keys().map(String::as_str));
        let near = near.map_or_else(String::new, |near| {
            format!(": is [events.{near}] meant for it?")
        });
        warn(&format!("the event `{event}` is not in [events]{near}"));
    }
}

fn twice() -> Error {
    Error::new("this program has an observer already: call init!() once, in main")
}

/// The parts that have been started so far; dropped, they stop again.
struct Started {
    stats: Arc<Stats>,
    redactor: Arc<Redactor>,
    sinks: Vec<Arc<dyn Sink>>,
    parts: Vec<Box<dyn Part>>,
    threads: Vec<Box<dyn Send + Sync>>,
    rounds: Vec<Box<dyn Fn() + Send + Sync>>,
    foreign_subscriber: bool,
    forward_events: Option<Forward>,
}

/// Gives the log the sinks that take the lines it logs.
type Forward = Box<dyn FnOnce(&[Arc<dyn Sink>])>;

impl Started {
    fn start(
        settings: &Settings,
        redact: Option<Redaction>,
        leaves_subscriber: bool,
    ) -> Result<Started, Error> {
        let mut redactor = Redactor::new(&settings.config.redact)?;
        if let Some(redact) = redact {
            redactor = redactor.custom(redact);
        }
        let mut running = Started {
            stats: Arc::default(),
            redactor: Arc::new(redactor),
            sinks: Vec::new(),
            parts: Vec::new(),
            threads: Vec::new(),
            rounds: Vec::new(),
            // One that is left to the program may come later.
            foreign_subscriber: leaves_subscriber
                || settings.installs.subscriber
                || tracing::dispatcher::has_been_set(),
            forward_events: None,
        };
        running.log(settings, leaves_subscriber)?;
        Ok(running)
    }

    fn log(&mut self, settings: &Settings, leaves_subscriber: bool) -> Result<(), Error> {
        let Some(loggers) = log::open(&settings.config, self.redactor.clone(), &self.stats)? else {
            return Ok(());
        };
        self.sinks.push(loggers.sink());
        self.forward_events = Some(Box::new(loggers.forward_events()));
        self.rounds.push(Box::new(loggers.publisher()));
        if leaves_subscriber {
            loggers.install();
        } else {
            self.foreign_subscriber = !loggers.subscribe(settings.installs.subscriber);
        }
        self.parts.push(Box::new(loggers));
        Ok(())
    }

    /// Starts the outlets; returns whether there are any.
    fn outlets(&mut self, settings: &mut Settings, mut own: OwnOutlets) -> Result<bool, Error> {
        let before = self.parts.len();
        for start in OUTLETS {
            let started = start(settings, &mut own, &self.redactor, &self.stats)?;
            if let Some((sinks, part)) = started {
                self.sinks.extend(sinks);
                self.parts.push(part);
            }
        }
        Ok(self.parts.len() > before)
    }

    /// Adds the program's own sinks, and lets all but the log have the lines that are logged.
    fn own_sinks(&mut self, own: Vec<Arc<dyn Sink>>) {
        self.sinks.extend(own);
        if let Some(forward) = self.forward_events.take() {
            forward(&self.sinks);
        }
    }

    fn observer(
        &mut self,
        settings: &Settings,
        own: Vec<&'static Metric>,
    ) -> Result<Arc<Dispatcher>, Error> {
        let table = [operations::metrics(), own].concat();
        let stats = self.stats.clone();
        let later = settings.installs.recorder;
        let (metrics, ours) = Metrics::global(&settings.config, &table, stats, later)?;
        if !ours {
            warn(
                "a metrics recorder is installed already and gets the metrics too; /metrics, the \
                 live page and Observer::metrics() have those of llm-observe alone",
            );
        }
        metrics.build_info(&settings.service.name, &settings.service.environment);
        let pipeline = Pipeline::new(
            settings.config.clone(),
            self.sinks.clone(),
            metrics,
            self.stats.clone(),
            self.redactor.clone(),
            self.foreign_subscriber,
        );
        Ok(Dispatcher::new(pipeline, KINDS))
    }

    fn publish(&mut self, observer: &Arc<Dispatcher>) -> Result<(), Error> {
        let rounds = std::mem::take(&mut self.rounds);
        let pipeline = observer.pipeline().clone();
        let round = move || {
            rounds.iter().for_each(|round| round());
            pipeline.look_for_stalls();
            pipeline.metrics.publish();
        };
        let upkeep = Upkeep::start(round)
            .map_err(|source| Error::with("cannot start the upkeep thread", source))?;
        self.threads.push(Box::new(upkeep));
        Ok(())
    }

    fn serve(
        &mut self,
        settings: &Settings,
        observer: &Arc<Dispatcher>,
    ) -> Result<Option<std::net::SocketAddr>, Error> {
        let pipeline = observer.pipeline().clone();
        let config = &settings.config.server;
        let render = move |live: bool| match live {
            true => pipeline.metrics.render_live(),
            false => pipeline.metrics.render(),
        };
        let Some(server) = server::start(config, render)? else {
            return Ok(None);
        };
        let address = server.address();
        self.threads.push(Box::new(server));
        Ok(Some(address))
    }
}
