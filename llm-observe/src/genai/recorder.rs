//! Adds an operation of a model that has ended to the metrics. Models take milliseconds at best, so each
//! value goes to the recorder at once.

use std::{sync::Arc, time::Duration};

use super::{
    Cost, Usage,
    chunk_times::ChunkTimes,
    metrics::{
        COST, DURATION, FIRST_CHUNK, PER_CHUNK, TOKEN_USAGE, TOKENS, UNPRICED, USAGE_MISSING,
    },
    state::GenAiState,
};
use crate::kernel::{bounded_names::OTHER, metric::Metric};

type Labels<'a> = Vec<(&'static str, &'a str)>;

/// An operation of a model that has ended.
pub(super) struct EndedOperation<'a> {
    pub(super) operation: &'static str,
    pub(super) provider: Option<&'a str>,
    pub(super) requested: Option<&'a str>,
    pub(super) answered: Option<&'a str>,
    /// `server_address` and `server_port`, where they are known.
    pub(super) server: &'a [(&'static str, String)],
    pub(super) error_type: Option<&'a str>,
    pub(super) duration: Duration,
    pub(super) first_chunk: Option<Duration>,
    pub(super) chunks: Option<&'a ChunkTimes>,
}

/// What an operation has taken, where no operation below it has counted that.
pub(super) struct Taken<'a> {
    pub(super) event: &'a str,
    pub(super) usage: Option<Usage>,
    pub(super) cost: Cost,
    /// The label of the tenant that it was for.
    pub(super) tenant: Option<Arc<str>>,
}

/// The names that labels have, bounded in number.
struct Names {
    provider: Arc<str>,
    requested: Option<Arc<str>>,
    answered: Option<Arc<str>>,
}

impl EndedOperation<'_> {
    /// Adds its times.
    pub(super) fn record_times(&self, state: &GenAiState) {
        self.times(state, &self.names(state));
    }

    /// Adds what it has taken.
    pub(super) fn record_taken(&self, state: &GenAiState, taken: &Taken<'_>) {
        let names = self.names(state);
        self.token_usage(state, &names, taken);
        let model = names.answered.as_ref().or(names.requested.as_ref());
        let labels = [
            ("event", taken.event),
            ("provider", &*names.provider),
            ("model", model.map_or(OTHER, |model| &**model)),
        ];
        let tenant = taken.tenant.as_deref().map(|tenant| ("tenant", tenant));
        let labels: Labels<'_> = labels.into_iter().chain(tenant).collect();
        taken.add(state, &labels);
    }

    /// Counts that its tokens are not known.
    pub(super) fn missing(&self, state: &GenAiState, event: &str) {
        let names = self.names(state);
        let model = names.answered.as_ref().or(names.requested.as_ref());
        let labels = [
            ("event", event),
            ("provider", &*names.provider),
            ("model", model.map_or(OTHER, |model| &**model)),
        ];
        state.stats.counter(USAGE_MISSING, &labels).add(1);
    }

    fn names(&self, state: &GenAiState) -> Names {
        Names {
            provider: self
                .provider
                .map_or_else(|| OTHER.into(), |name| state.providers.bounded(name)),
            requested: self.requested.map(|model| state.models.bounded(model)),
            answered: self.answered.map(|model| state.models.bounded(model)),
        }
    }

    fn labels<'l>(&'l self, names: &'l Names) -> Labels<'l> {
        let own = [
            ("gen_ai_operation_name", Some(self.operation)),
            ("gen_ai_provider_name", Some(&*names.provider)),
            ("gen_ai_request_model", names.requested.as_deref()),
            ("gen_ai_response_model", names.answered.as_deref()),
        ];
        let own = own.into_iter().filter_map(|(k, v)| Some((k, v?)));
        let server = self.server.iter().map(|(k, v)| (*k, v.as_str()));
        own.chain(server).collect()
    }

    fn times(&self, state: &GenAiState, names: &Names) {
        let mut labels = self.labels(names);
        labels.extend(self.error_type.map(|error| ("error_type", error)));
        let observe = |metric: &'static Metric, time: Duration| {
            state.metrics.observe(metric, &labels, time.as_secs_f64());
        };
        observe(DURATION, self.duration);
        if let Some(first) = self.first_chunk {
            observe(FIRST_CHUNK, first);
        }
        let chunks = self.chunks.into_iter().flat_map(ChunkTimes::iter);
        for (count, mean) in chunks {
            state.metrics.observe_many(PER_CHUNK, &labels, mean, count);
        }
    }

    fn token_usage(&self, state: &GenAiState, names: &Names, taken: &Taken<'_>) {
        let usage = taken.usage.unwrap_or_default();
        for (kind, tokens) in [("input", usage.input), ("output", usage.output)] {
            let Some(tokens) = tokens else { continue };
            let mut labels = self.labels(names);
            labels.push(("gen_ai_token_type", kind));
            state.metrics.observe(TOKEN_USAGE, &labels, as_f64(tokens));
        }
    }
}

impl Taken<'_> {
    fn add(&self, state: &GenAiState, labels: &[(&'static str, &str)]) {
        let usage = self.usage.unwrap_or_default();
        for (kind, tokens) in [
            ("input", usage.input),
            ("output", usage.output),
            ("cache_read", usage.cache_read),
            ("cache_creation", usage.cache_creation),
            ("reasoning", usage.reasoning),
        ] {
            let Some(tokens) = tokens else { continue };
            let labels = [labels, &[("type", kind)]].concat();
            state.stats.counter(TOKENS, &labels).add(tokens);
        }
        match self.cost.usd() {
            Some(usd) => state.metrics.add_fraction(COST, labels, usd),
            None => {
                let labels: Labels<'_> = labels
                    .iter()
                    .filter(|(name, _)| *name != "tenant")
                    .copied()
                    .collect();
                state.stats.counter(UNPRICED, &labels).add(1);
            }
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "metrics are floats: exact up to 2^53"
)]
fn as_f64(n: u64) -> f64 {
    n as f64
}
