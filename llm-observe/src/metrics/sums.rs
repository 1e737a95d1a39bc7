//! Counters of fractions, such as a cost. The `metrics` facade has counters of whole numbers alone, so
//! these are written into the text of a scrape here. A recorder that the program had installed before
//! gets each as a gauge that only grows.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::{Mutex, PoisonError},
};

use metrics::{Key, Label};

use super::{Metrics, live::write_label, recorder::METADATA};
use crate::kernel::metric::Metric;

/// The most series that one metric has; what is beyond goes to one whose labels are all [`OTHER`].
const MOST_SERIES: usize = 1_000;

/// The value of every label of what shares a series.
const OTHER: &str = "_other";

type Labels = Vec<(&'static str, String)>;

/// All counters of fractions, by metric and labels.
#[derive(Default)]
pub(super) struct Sums(Mutex<BTreeMap<&'static str, Sum>>);

struct Sum {
    metric: &'static Metric,
    series: BTreeMap<Labels, f64>,
}

impl Sums {
    /// Adds `value` to a series; returns the labels that it is counted under.
    fn add(&self, metric: &'static Metric, labels: Labels, value: f64) -> Labels {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = all.entry(metric.name).or_insert_with(|| Sum {
            metric,
            series: BTreeMap::new(),
        });
        let is_full = sum.series.len() >= MOST_SERIES && !sum.series.contains_key(&labels);
        let labels = if is_full { others(labels) } else { labels };
        *sum.series.entry(labels.clone()).or_default() += value;
        labels
    }

    /// Writes them as a scrape has them.
    fn write(&self, out: &mut String) -> fmt::Result {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, sum) in &*all {
            writeln!(out, "# HELP {name} {}", sum.metric.help)?;
            writeln!(out, "# TYPE {name} counter")?;
            for (labels, value) in &sum.series {
                write!(out, "{name}{{")?;
                for (label, value) in labels {
                    write_label(out, &Label::new(*label, value.clone()))?;
                }
                // Prometheus takes a comma after the last label; other readers do not.
                if out.ends_with(',') {
                    out.pop();
                }
                writeln!(out, "}} {value}")?;
            }
            out.push('\n');
        }
        Ok(())
    }
}

fn others(labels: Labels) -> Labels {
    let labels = labels.into_iter();
    labels.map(|(name, _)| (name, OTHER.to_owned())).collect()
}

impl Metrics {
    /// Adds a fraction to a counter. What is negative or no number is not added. For what happens
    /// seldom: it takes a lock.
    pub(crate) fn add_fraction(
        &self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        let labels = labels.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let labels = self.sums.add(metric, labels, value);
        self.recorder.with_foreign(|recorder| {
            let labels = labels.into_iter();
            let labels: Vec<Label> = labels.map(|(k, v)| Label::new(k, v)).collect();
            let key = Key::from_parts(metric.name, labels);
            recorder.register_gauge(&key, &METADATA).increment(value);
        });
    }

    pub(super) fn write_sums(&self, out: &mut String) {
        // Writing to a string does not fail.
        let _ = self.sums.write(out);
    }
}

#[cfg(test)]
mod tests {
    use llm_observe_config::Config;

    use super::*;
    use crate::kernel::metrics_table as names;

    static COST: Metric = Metric::counter("cost_usd_total", &["model"], "What calls cost.");

    #[test]
    fn fractions_add_up_and_what_is_none_is_left_out() {
        let metrics = Metrics::of_thread(&Config::default(), names::TABLE, Default::default());
        for value in [0.25, 0.5, f64::NAN, f64::INFINITY, -1.0, 0.0] {
            metrics.add_fraction(&COST, &[("model", "a\"b")], value);
        }
        let text = metrics.render().unwrap();
        assert!(text.contains("# TYPE cost_usd_total counter\n"), "{text}");
        assert!(
            text.contains("cost_usd_total{model=\"a\\\"b\"} 0.75\n"),
            "{text}"
        );
    }

    #[test]
    fn series_beyond_the_bound_share_one() {
        let metrics = Metrics::of_thread(&Config::default(), names::TABLE, Default::default());
        for n in 0..MOST_SERIES + 5 {
            metrics.add_fraction(&COST, &[("model", &n.to_string())], 1.0);
        }
        let text = metrics.render().unwrap();
        assert!(
            text.contains("cost_usd_total{model=\"_other\"} 5\n"),
            "{text}"
        );
        assert_eq!(text.matches("cost_usd_total{").count(), MOST_SERIES + 1);
    }
}
