//! What a kind of operation is set up from, once for each observer.

use std::{any::Any, sync::Arc, time::Duration};

use llm_observe_config::Config;

use crate::{
    kernel::{metric::Metric, sink::Sink, stats::Stats},
    metrics::Metrics,
    redact::Redactor,
};

/// What an observer keeps for a kind of operation.
pub(crate) type Extension = Arc<dyn Any + Send + Sync>;

/// A kind of operation: what it keeps for each observer, and its metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperationKind {
    /// Makes what it keeps. Calls find it by its type.
    pub(crate) setup: fn(&Setup<'_>) -> Extension,
    /// Writes what it keeps, within a limit; the last time where the observer ends.
    pub(crate) flush: fn(&Extension, limit: Duration, last: bool),
    /// The metrics of its conventions.
    pub(crate) metrics: &'static [&'static Metric],
}

/// What a kind of operation is set up from.
pub(crate) struct Setup<'a> {
    pub(crate) config: &'a Config,
    pub(crate) stats: &'a Arc<Stats>,
    pub(crate) metrics: &'a Arc<Metrics>,
    pub(crate) redactor: &'a Arc<Redactor>,
    pub(crate) sinks: &'a [Arc<dyn Sink>],
    /// Whether the observer is that of a test, and not of the program.
    pub(crate) scoped: bool,
}
