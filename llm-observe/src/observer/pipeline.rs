//! What a record goes through: redaction, metrics, spans, sinks.

use std::{fmt, sync::Arc};

use llm_observe_config::Config;
use tracing::Level;

use super::stalls::Stalls;
use crate::{
    kernel::{sink::Sink, stats::Stats},
    metrics::Metrics,
    redact::Redactor,
};

/// What every site of an observer shares.
pub(crate) struct Pipeline {
    pub(crate) config: Config,
    pub(crate) sinks: Vec<Arc<dyn Sink>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) redactor: Arc<Redactor>,
    /// Whether a subscriber other than ours wants spans and events of calls.
    pub(crate) spans: bool,
    /// For the life of the program, as the names of fields are.
    pub(super) baggage_keys: &'static [&'static str],
    pub(super) stalls: Stalls,
}

impl Pipeline {
    /// Returns one that hands records to `sinks`.
    pub(crate) fn new(
        config: Config,
        sinks: Vec<Arc<dyn Sink>>,
        metrics: Metrics,
        stats: Arc<Stats>,
        redactor: Arc<Redactor>,
        spans: bool,
    ) -> Pipeline {
        let leak = |key: &String| -> &'static str { key.clone().leak() };
        let baggage_keys: Vec<_> = config.http.baggage.iter().map(leak).collect();
        Pipeline {
            baggage_keys: baggage_keys.leak(),
            config,
            sinks,
            metrics: Arc::new(metrics),
            stats,
            redactor,
            spans,
            stalls: Stalls::default(),
        }
    }

    /// Hands calls that have newly stalled to the sinks.
    pub(crate) fn look_for_stalls(&self) {
        self.stalls.look(&self.redactor, self.sinks());
    }

    pub(super) fn sinks(&self) -> impl Iterator<Item = &dyn Sink> + Clone {
        self.sinks.iter().map(|sink| &**sink)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

/// Returns the level of `tracing` that a configured one stands for.
pub(crate) fn tracing_level(level: llm_observe_config::Level) -> Level {
    use llm_observe_config::Level as Configured;
    match level {
        Configured::Trace => Level::TRACE,
        Configured::Debug => Level::DEBUG,
        Configured::Info => Level::INFO,
        Configured::Warn => Level::WARN,
        Configured::Error => Level::ERROR,
    }
}
