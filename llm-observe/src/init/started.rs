//! The parts of an observer as they are started, one after the other.
//!
//! A mistake in the configuration is an error. What cannot start is one with `on_failure = "exit"`;
//! otherwise it is [`Degraded`].

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use llm_observe_config::OnFailure;

use super::{
    Part, Settings,
    degraded::{Attempt, Degraded, TryAtFlush},
    late_outlets::LateOutlets,
    operations::{self, KINDS},
    own_outlets::{OwnOutlets, StartOutlets},
};
use crate::{
    error::Error,
    kernel::{metric::Metric, metrics_table as names, sink::Sink, stats::Stats},
    log,
    metrics::Metrics,
    observer::{Dispatcher, Pipeline},
    redact::Redactor,
    server::{self, Server},
    upkeep::Upkeep,
    warn::warn,
};

pub(super) type Redaction = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What starts the outlets of the configuration and of the program.
const OUTLETS: &[StartOutlets] = &[
    #[cfg(feature = "delivery")]
    super::outlets::start,
];

/// The parts that have been started so far; dropped, they stop again.
pub(super) struct Started {
    stats: Arc<Stats>,
    redactor: Arc<Redactor>,
    sinks: Vec<Arc<dyn Sink>>,
    pub(super) parts: Vec<Box<dyn Part>>,
    pub(super) threads: Vec<Box<dyn Send + Sync>>,
    rounds: Vec<Box<dyn Fn() + Send + Sync>>,
    foreign_subscriber: bool,
    forward_events: Option<Forward>,
    /// Whether what cannot start is an error.
    exits: bool,
    degraded: Arc<Degraded>,
    pub(super) listening: Arc<OnceLock<SocketAddr>>,
}

/// Gives the log the sinks that take the lines it logs.
type Forward = Box<dyn FnOnce(&[Arc<dyn Sink>])>;

impl Started {
    pub(super) fn start(
        settings: &Settings,
        redact: Option<Redaction>,
        leaves_subscriber: bool,
    ) -> Result<Started, Error> {
        let mut redactor = Redactor::new(&settings.config.redact)?;
        if let Some(redact) = redact {
            redactor = redactor.custom(redact);
        }
        let stats = Arc::<Stats>::default();
        let mut running = Started {
            degraded: Arc::new(Degraded::new(stats.clone())),
            stats,
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
            exits: settings.config.service.on_failure == OnFailure::Exit,
            listening: Arc::default(),
        };
        let at_flush = TryAtFlush(running.degraded.clone());
        running.parts.push(Box::new(at_flush));
        running.log(settings, leaves_subscriber)?;
        Ok(running)
    }

    fn log(&mut self, settings: &Settings, leaves_subscriber: bool) -> Result<(), Error> {
        let (loggers, faults) = log::open(
            &settings.config,
            &settings.service,
            self.redactor.clone(),
            &self.stats,
        )?;
        for (part, error) in faults {
            match loggers.as_ref().filter(|_| part == log::FILES) {
                Some(loggers) => {
                    let (effect, attach) = ("lines wait in memory", Box::new(loggers.attach()));
                    self.degraded.add(part, effect, &error, attach);
                }
                None => {
                    let effect = "no lines go to the console";
                    self.degraded.add_for_good(part, effect, &error);
                }
            }
        }
        let Some(loggers) = loggers else {
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
    pub(super) fn outlets(
        &mut self,
        settings: &mut Settings,
        mut own: OwnOutlets,
    ) -> Result<bool, Error> {
        let before = self.parts.len();
        for start in OUTLETS {
            let again = own.clone();
            match start(settings, &mut own, &self.redactor, &self.stats) {
                Ok(None) => {}
                Ok(Some(started)) => {
                    show_no_folder(&self.degraded, started.no_folder);
                    self.sinks.extend(started.sinks);
                    self.parts.push(started.part);
                }
                // Any other one is a mistake.
                Err(error) if error.io_kind().is_some() && !self.exits => {
                    self.late_outlets(*start, settings.clone(), again, &error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.parts.len() > before)
    }

    /// Takes outlets that cannot start as they are, and tries them again.
    fn late_outlets(
        &mut self,
        start: StartOutlets,
        mut settings: Settings,
        own: OwnOutlets,
        error: &Error,
    ) {
        let outlets = LateOutlets::default();
        self.sinks.push(Arc::new(outlets.clone()));
        self.parts.push(Box::new(outlets.clone()));
        let (redactor, stats) = (self.redactor.clone(), self.stats.clone());
        let degraded = Arc::downgrade(&self.degraded);
        let attempt = move || {
            if let Some(started) = start(&mut settings, &mut own.clone(), &redactor, &stats)? {
                if let Some(degraded) = degraded.upgrade() {
                    show_no_folder(&degraded, started.no_folder);
                }
                outlets.set(started.sinks, started.part);
            }
            Ok("alerts and reports are on".to_owned())
        };
        let effect = "alerts and reports are off";
        self.degraded
            .add("delivery", effect, error, Box::new(attempt));
    }

    /// Starts a part. Where that is not possible, it is tried again, or that is an error.
    fn start_part(
        &self,
        name: &'static str,
        effect: &str,
        mut start: impl FnMut() -> Result<String, Error> + Send + 'static,
    ) -> Result<(), Error> {
        match start() {
            Err(error) if !self.exits => {
                self.degraded.add(name, effect, &error, Box::new(start));
                Ok(())
            }
            started => started.map(drop),
        }
    }

    /// Adds the program's own sinks, and lets all but the log have the lines that are logged.
    pub(super) fn own_sinks(&mut self, own: Vec<Arc<dyn Sink>>) {
        self.sinks.extend(own);
        if let Some(forward) = self.forward_events.take() {
            forward(&self.sinks);
        }
    }

    pub(super) fn observer(
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

    /// Starts the thread that publishes metrics, looks for stalled calls, and tries what is off.
    pub(super) fn publish(&mut self, observer: &Arc<Dispatcher>) -> Result<(), Error> {
        let rounds = std::mem::take(&mut self.rounds);
        let pipeline = observer.pipeline().clone();
        let degraded = Arc::downgrade(&self.degraded);
        let round: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
            rounds.iter().for_each(|round| round());
            pipeline.look_for_stalls();
            pipeline.metrics.publish();
            if let Some(degraded) = degraded.upgrade() {
                degraded.round(Instant::now());
            }
        });
        let thread = Arc::new(Mutex::new(None));
        self.threads.push(Box::new(thread.clone()));
        self.threads.push(Box::new(self.degraded.clone()));
        let degraded = Arc::downgrade(&self.degraded);
        let start = move || {
            let round = round.clone();
            let upkeep = Upkeep::start(move || round())
                .map_err(|source| Error::with("cannot start the upkeep thread", source))?;
            *thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(upkeep);
            if let Some(degraded) = degraded.upgrade() {
                degraded.watch();
            }
            Ok("the upkeep thread runs".to_owned())
        };
        let effect = "metrics are brought up to date only when they are asked for, and stalled calls are \
                      not noticed";
        self.start_part("upkeep", effect, start)
    }

    pub(super) fn serve(
        &mut self,
        settings: &Settings,
        observer: &Arc<Dispatcher>,
    ) -> Result<(), Error> {
        let pipeline = observer.pipeline().clone();
        let degraded = Arc::downgrade(&self.degraded);
        let render = move |live: bool| {
            if let Some(degraded) = degraded.upgrade() {
                degraded.try_unless_watched();
            }
            match live {
                true => pipeline.metrics.render_live(),
                false => pipeline.metrics.render(),
            }
        };
        let Some(server) = server::configured(&settings.config.server, render)? else {
            return Ok(());
        };
        let server = Arc::new(server);
        self.threads.push(Box::new(server.clone()));
        let start = self.start_server(server);
        self.start_part("server", "/metrics and the live page are off", start)
    }

    /// Returns what starts the server and shows its address.
    fn start_server(
        &self,
        server: Arc<Server>,
    ) -> impl FnMut() -> Result<String, Error> + Send + use<> {
        let (listening, stats) = (self.listening.clone(), self.stats.clone());
        let (wanted, moves) = (server.wanted(), !self.exits);
        let mut first = true;
        move || {
            let first = std::mem::take(&mut first);
            let address = server.start(moves)?;
            // Started once.
            let _ = listening.set(address);
            let label = [("address", &*address.to_string())];
            stats.gauge(names::SERVER_INFO, &label).set(1);
            let place = format!("/metrics and the live page are at http://{address}/");
            if first && wanted.port() != 0 && wanted != address {
                warn(&format!("port {} is in use: {place}", wanted.port()));
            }
            Ok(place)
        }
    }
}

/// Says that the outbox works in memory, and tries its folder again.
fn show_no_folder(degraded: &Degraded, no_folder: Option<(Error, Attempt)>) {
    if let Some((error, attempt)) = no_folder {
        let effect = "reports and alerts that wait are in memory only";
        degraded.add("outbox", effect, &error, attempt);
    }
}
