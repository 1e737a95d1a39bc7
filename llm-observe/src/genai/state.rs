//! What each observer keeps for operations of models.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use llm_observe_config::{self as config, Conventions};

use super::{Cost, Prices, answer::Answer, budgets::Budgets, content::CaptureSettings, metrics};
use crate::{
    kernel::{bounded_names::BoundedNames, carried::TENANT, context::Ambient, stats::Stats},
    metrics::Metrics,
    observer::Setup,
};

/// What an observer keeps for operations of models.
pub(crate) struct GenAiState {
    pub(super) conventions: Conventions,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stats: Arc<Stats>,
    /// The bounds of the times between chunks, in nanoseconds.
    pub(super) chunk_bounds: Arc<[u64]>,
    /// The values of labels so far.
    pub(super) models: BoundedNames,
    pub(super) providers: BoundedNames,
    /// `None` unless they are a label.
    pub(super) tenants: Option<BoundedNames>,
    pub(super) budgets: Budgets,
    pub(super) capture: CaptureSettings,
    prices: OnceLock<Prices>,
    configured_prices: config::Prices,
    /// Whether the observer is that of a test.
    scoped: bool,
}

impl GenAiState {
    pub(super) fn new(setup: &Setup<'_>) -> GenAiState {
        let (config, stats) = (setup.config, setup.stats);
        let limit = config.metrics.max_label_values;
        let names = |label| BoundedNames::new(label, limit, stats).redacted_by(setup.redactor);
        let state = GenAiState {
            conventions: config.genai.conventions,
            metrics: setup.metrics.clone(),
            stats: stats.clone(),
            chunk_bounds: setup.metrics.bounds(metrics::PER_CHUNK).into(),
            models: names("model"),
            providers: names("provider"),
            tenants: config.genai.tenant_label.then(|| names("tenant")),
            capture: CaptureSettings::new(&config.genai),
            budgets: Budgets::start(setup),
            prices: OnceLock::new(),
            configured_prices: config.prices.clone(),
            scoped: setup.scoped,
        };
        // What is wrong with a file of prices shows at the start.
        if !config.prices.is_empty() {
            state.prepare();
        }
        state
    }

    /// Has the prices read in the background, with the first operation: a program without any has no
    /// thread for them.
    pub(super) fn prepare(&self) {
        self.prices();
    }

    fn prices(&self) -> &Prices {
        self.prices.get_or_init(|| match self.scoped {
            true => Prices::on_use(&self.configured_prices, self.stats.clone()),
            false => Prices::start(&self.configured_prices, self.stats.clone()),
        })
    }

    /// Returns the label of the tenant that some work is for.
    pub(super) fn tenant(&self, of: &Ambient) -> Option<Arc<str>> {
        let tenant = of.carried.as_ref()?.get(TENANT)?;
        Some(self.tenants.as_ref()?.bounded(tenant))
    }

    /// Returns what an answer has cost: what the provider reports, else what its tokens cost.
    pub(super) fn cost(
        &self,
        provider: Option<&str>,
        requested: Option<&str>,
        answer: &Answer,
    ) -> Cost {
        if let Some(cost) = answer.reported_usd.and_then(Cost::reported) {
            return cost;
        }
        let (Some(model), Some(usage)) = (answer.model.as_deref().or(requested), &answer.usage)
        else {
            return Cost::Unpriced;
        };
        self.prices()
            .cost(provider, model, usage, SystemTime::now())
    }
}

impl fmt::Debug for GenAiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenAiState").finish_non_exhaustive()
    }
}
