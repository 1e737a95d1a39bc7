//! From settings to a running observer, part by part.

use std::{path::PathBuf, sync::Arc};

use llm_observe_config::{Config, Subscriber, suggest};

use super::{
    Embedded, Observer,
    guarded::Guarded,
    own_outlets::OwnOutlets,
    settings::{self, Settings},
    started::{Redaction, Started},
    unused,
};
use crate::{
    error::Error,
    kernel::{dispatch, metric::Metric, panics, registry, sink::Sink},
    log,
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
    /// When the program has, or had, an observer, and when the configuration has mistakes. A part that
    /// cannot start (a log file cannot be opened, the address of `[server] listen` cannot be bound) is an
    /// error only with `on_failure = "exit"` in `[service]`; otherwise it is off, standard error and the
    /// metric `llm_observe_degraded` say so, and it is tried again until it works. Nothing remote is asked.
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
        running.serve(&settings, &observer)?;
        if !dispatch::install(observer.clone()) {
            return Err(twice());
        }
        panics::install();
        observer.register_sites();
        warn_of_unknown_events(&settings.config);
        let (config, tables) = (&settings.config, &settings.tables);
        let unused = unused::unused(config, tables, outlets, unused::BUILT);
        unused.iter().for_each(|message| warn(message));
        Ok(Observer::over(
            observer,
            running.parts,
            running.threads,
            running.listening,
        ))
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
