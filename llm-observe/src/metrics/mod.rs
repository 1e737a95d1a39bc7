//! Call figures through the `metrics` facade: names, and the cells that calls add to.
//!
//! A call adds to plain atomic cells of its own site; about once a second, and before every
//! scrape, [`Metrics::publish`] moves what they gained to the recorder. Knows no server.

mod cells;
mod models;
pub(crate) mod names;
mod operations;
mod publish;
mod shard;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use llm_observe_config::Config;
use metrics::{Key, Label, Metadata, Recorder};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

pub(crate) use cells::SiteMetrics;
pub(crate) use operations::OperationMetrics;

use crate::{
    error::Error,
    kernel::{operation::OperationSite, site::Site, stats::Stats},
};
use cells::Bounds;

/// Upper bounds of the call duration histogram, in seconds: from a cache hit to a long streamed
/// answer, each at most 2.5 times the one before.
pub(crate) const DURATION_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0,
    40.0, 80.0, 160.0, 320.0, 640.0,
];

/// Upper bounds of the histograms of HTTP requests, in seconds: what the OpenTelemetry HTTP
/// conventions advise, and beyond it what the answers of models take.
const REQUEST_BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    120.0,
];

/// Upper bounds of the quality histogram.
const QUALITY_BUCKETS: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Where the figures of one observer go.
pub(crate) struct Metrics {
    recorder: Target,
    handle: Option<PrometheusHandle>,
    bounds: Arc<Bounds>,
    request_bounds: Arc<Bounds>,
    sites: Mutex<Vec<Arc<SiteMetrics>>>,
    operations: Mutex<Vec<Arc<OperationMetrics>>>,
    stats: Arc<Stats>,
}

/// The recorder that is written to.
enum Target {
    /// The program's global one, ours or not.
    Global,
    /// One of this observer alone.
    Scoped(PrometheusRecorder),
}

impl Metrics {
    /// Installs the Prometheus recorder for the program. Where one is installed already, that one
    /// is used, and the second value is `false`.
    pub(crate) fn global(config: &Config, stats: Arc<Stats>) -> Result<(Metrics, bool), Error> {
        let recorder = recorder(config)?;
        let handle = recorder.handle();
        let ours = metrics::set_global_recorder(recorder).is_ok();
        let handle = ours.then_some(handle);
        Ok((Metrics::over(Target::Global, handle, config, stats), ours))
    }

    /// Keeps the figures to this observer. Buckets that cannot be used are left out: the
    /// configuration was checked.
    pub(crate) fn of_thread(config: &Config, stats: Arc<Stats>) -> Metrics {
        let recorder =
            recorder(config).unwrap_or_else(|_| PrometheusBuilder::new().build_recorder());
        let handle = Some(recorder.handle());
        Metrics::over(Target::Scoped(recorder), handle, config, stats)
    }

    fn over(
        recorder: Target,
        handle: Option<PrometheusHandle>,
        config: &Config,
        stats: Arc<Stats>,
    ) -> Metrics {
        let metrics = Metrics {
            recorder,
            handle,
            bounds: Bounds::new(&bounds(config, DURATION_BUCKETS)),
            request_bounds: Bounds::new(&bounds(config, REQUEST_BUCKETS)),
            sites: Mutex::default(),
            operations: Mutex::default(),
            stats,
        };
        metrics.with_recorder(names::describe);
        metrics
    }

    /// Returns the cells of `site`, made when they are new; its counters exist at 0 from then on.
    pub(crate) fn site(&self, site: &'static Site) -> Arc<SiteMetrics> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sites.iter().find(|s| s.is_of(site)) {
            return known.clone();
        }
        let cells = Arc::new(self.with_recorder(|r| SiteMetrics::new(site, &self.bounds, r)));
        sites.push(cells.clone());
        cells
    }

    /// Returns the cells of a site of operations, made when they are new.
    pub(crate) fn operations(&self, site: &'static OperationSite) -> Arc<OperationMetrics> {
        let mut all = self
            .operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|s| s.is_of(site)) {
            return known.clone();
        }
        let new = Arc::new(OperationMetrics::new(site, self.request_bounds.clone()));
        all.push(new.clone());
        new
    }

    /// Records one value of a histogram. For what happens seldom: it looks the series up.
    pub(crate) fn observe(&self, name: &'static str, labels: &[(&'static str, &str)], value: f64) {
        let labels = labels.iter();
        let labels: Vec<_> = labels
            .map(|(k, v)| Label::new(*k, (*v).to_owned()))
            .collect();
        let key = Key::from_parts(name, labels);
        self.with_recorder(|r| r.register_histogram(&key, &METADATA).record(value));
    }

    /// Says which build this is: `llm_observe_build_info`.
    pub(crate) fn build_info(&self, service: &str, environment: &str) {
        let labels = vec![
            Label::from_static_parts("version", env!("CARGO_PKG_VERSION")),
            Label::new("service", service.to_owned()),
            Label::new("environment", environment.to_owned()),
        ];
        let key = Key::from_parts(names::BUILD_INFO, labels);
        self.with_recorder(|r| r.register_gauge(&key, &METADATA).set(1.0));
    }

    /// Returns the figures as Prometheus text, up to date; `None` where the recorder is not ours.
    pub(crate) fn render(&self) -> Option<String> {
        self.publish();
        self.handle.as_ref().map(PrometheusHandle::render)
    }

    fn with_recorder<T>(&self, f: impl FnOnce(&dyn Recorder) -> T) -> T {
        match &self.recorder {
            Target::Global => metrics::with_recorder(|r| f(r)),
            Target::Scoped(recorder) => f(recorder),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// What the facade wants to know of where a metric is used.
pub(crate) const METADATA: Metadata<'static> =
    Metadata::new("llm_observe", metrics::Level::INFO, Some("llm_observe"));

fn bounds(config: &Config, usual: &[f64]) -> Vec<f64> {
    let mut bounds = config
        .metrics
        .duration_buckets
        .clone()
        .unwrap_or_else(|| usual.to_vec());
    bounds.extend(&config.metrics.extra_buckets);
    bounds.retain(|b| b.is_finite() && *b > 0.0);
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

fn recorder(config: &Config) -> Result<PrometheusRecorder, Error> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    let calls = bounds(config, DURATION_BUCKETS);
    let requests = bounds(config, REQUEST_BUCKETS);
    let models = bounds(config, models::DURATION_BUCKETS);
    PrometheusBuilder::new()
        .set_buckets_for_metric(full(names::DURATION), &calls)
        .and_then(|b| b.set_buckets_for_metric(full(names::HTTP_SERVER), &requests))
        .and_then(|b| b.set_buckets_for_metric(full(names::HTTP_CLIENT), &requests))
        .and_then(|b| b.set_buckets_for_metric(full(names::QUALITY), QUALITY_BUCKETS))
        .and_then(|b| b.set_buckets_for_metric(full(names::GENAI_TOKENS), models::TOKEN_BUCKETS))
        .and_then(|b| b.set_buckets_for_metric(full(names::GENAI_DURATION), &models))
        .and_then(|b| b.set_buckets_for_metric(full(names::GENAI_FIRST_CHUNK), &models))
        .map(PrometheusBuilder::build_recorder)
        .map_err(|source| Error::with("the buckets of [metrics] cannot be used", source))
}
