//! The recorder of the `metrics` facade, as the table of metrics describes it.

use std::{collections::HashMap, sync::Arc};

use llm_observe_config::Config;
use metrics::{Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use super::{both::BothRecorders, cells::Bounds, later::LaterRecorder};
use crate::{
    error::Error,
    kernel::{
        metric::{Buckets, Metric, MetricKind, Unit},
        metrics_table as names,
    },
};

/// The recorder that is written to.
pub(super) enum RecorderHandle {
    /// Ours, which is the program's too.
    Global,
    /// Ours, beside the one that the program had installed before: both get everything.
    Beside(PrometheusRecorder),
    /// Ours, beside the one that the program may install later.
    BesideLater(PrometheusRecorder),
    /// Ours, of this observer alone.
    Scoped(PrometheusRecorder),
}

impl RecorderHandle {
    pub(super) fn with<T>(&self, f: impl FnOnce(&dyn Recorder) -> T) -> T {
        match self {
            RecorderHandle::Global => metrics::with_recorder(|r| f(r)),
            RecorderHandle::Beside(own) => {
                metrics::with_recorder(|theirs| f(&BothRecorders(own, theirs)))
            }
            RecorderHandle::BesideLater(own) => f(&BothRecorders(own, &LaterRecorder)),
            RecorderHandle::Scoped(recorder) => f(recorder),
        }
    }

    /// Passes the recorder that is not ours to `f`, where there is one.
    pub(super) fn with_foreign(&self, f: impl FnOnce(&dyn Recorder)) {
        if self.is_foreign() {
            metrics::with_recorder(|theirs| f(theirs));
        }
    }

    /// Returns whether one that is not ours is written to.
    pub(super) const fn is_foreign(&self) -> bool {
        matches!(
            self,
            RecorderHandle::Beside(_) | RecorderHandle::BesideLater(_)
        )
    }
}

/// The origin of every metric, which the facade asks for.
pub(super) const METADATA: Metadata<'static> =
    Metadata::new("llm_observe", metrics::Level::INFO, Some("llm_observe"));

/// Returns a Prometheus recorder with the buckets of every histogram of the table.
pub(super) fn prometheus(
    config: &Config,
    table: &[&'static Metric],
) -> Result<PrometheusRecorder, Error> {
    let mut builder = PrometheusBuilder::new();
    for metric in histograms(table) {
        let name = Matcher::Full(metric.name.to_owned());
        builder = builder
            .set_buckets_for_metric(name, &bounds(config, metric.buckets))
            .map_err(|e| Error::with("the buckets of [metrics] cannot be used", e))?;
    }
    Ok(builder.build_recorder())
}

/// Gives every metric of the table its help text and unit.
pub(super) fn describe(table: &[&'static Metric], recorder: &dyn Recorder) {
    for metric in table {
        let (name, help) = (metric.name.into(), metric.help.into());
        let unit = match metric.unit {
            Unit::None => None,
            Unit::Seconds => Some(metrics::Unit::Seconds),
            Unit::Bytes => Some(metrics::Unit::Bytes),
        };
        match metric.kind {
            MetricKind::Counter => recorder.describe_counter(name, unit, help),
            MetricKind::Gauge => recorder.describe_gauge(name, unit, help),
            MetricKind::Histogram => recorder.describe_histogram(name, unit, help),
        }
    }
}

/// The bounds of the histograms of durations, by the name of the metric.
pub(super) struct AllBounds {
    calls: Arc<Bounds>,
    by_name: HashMap<&'static str, Arc<Bounds>>,
}

impl AllBounds {
    pub(super) fn new(config: &Config, table: &[&'static Metric]) -> AllBounds {
        let of = |metric: &Metric| Bounds::new(&bounds(config, metric.buckets));
        AllBounds {
            calls: of(names::DURATION),
            by_name: histograms(table)
                .map(|metric| (metric.name, of(metric)))
                .collect(),
        }
    }

    /// Returns the bounds of the durations of calls.
    pub(super) fn of_calls(&self) -> &Arc<Bounds> {
        &self.calls
    }

    /// Returns the bounds of a metric's durations: its own where it is in no table.
    pub(super) fn of(&self, metric: &Metric) -> Arc<Bounds> {
        let known = self.by_name.get(metric.name).cloned();
        known.unwrap_or_else(|| Bounds::new(metric.buckets.bounds()))
    }
}

fn histograms(table: &[&'static Metric]) -> impl Iterator<Item = &'static Metric> {
    let all = table.iter().copied();
    all.filter(|metric| metric.kind == MetricKind::Histogram)
}

/// Returns the bounds that the configuration makes of a metric's own. Those that cannot be used are
/// left out: the configuration was checked.
fn bounds(config: &Config, buckets: Buckets) -> Vec<f64> {
    let Buckets::Durations(usual) = buckets else {
        return buckets.bounds().to_vec();
    };
    let replaced = config.metrics.duration_buckets.clone();
    let mut bounds = replaced.unwrap_or_else(|| usual.to_vec());
    bounds.extend(&config.metrics.extra_buckets);
    bounds.retain(|b| b.is_finite() && *b > 0.0);
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_changes_the_buckets_of_durations_alone() {
        let text = "[metrics]\nduration_buckets = [1, 2]\nextra_buckets = [1.5]\n";
        let config = Config::parse(text, "test.toml".as_ref()).unwrap();
        assert_eq!(bounds(&config, names::DURATION.buckets), [1.0, 1.5, 2.0]);
        let scores = names::QUALITY.buckets;
        assert_eq!(bounds(&config, scores), scores.bounds());
        assert_eq!(
            bounds(&Config::default(), names::DURATION.buckets).len(),
            20
        );
    }
}
