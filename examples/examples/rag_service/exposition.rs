//! Parses the Prometheus text format 0.0.4, as far as the table of the session needs it.

use std::collections::BTreeMap;

/// The samples of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Scrape {
    /// Parses a scrape. Skips comments and invalid lines.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self {
            samples: lines.filter_map(sample).collect(),
        }
    }

    /// Returns the sum of all samples of `name` whose labels include `labels`.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|sample| sample.value).sum()
    }

    /// Returns the values of a label among the samples of `name`, sorted.
    pub(crate) fn values(&self, name: &str, label: &str) -> Vec<&str> {
        let mut values: Vec<&str> = self
            .matching(name, &[])
            .filter_map(|sample| sample.labels.get(label).map(String::as_str))
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Returns the `quantile` (0 to 1) of a histogram, interpolated within its bucket as
    /// in PromQL's `histogram_quantile`; `None` without observations.
    pub(crate) fn quantile(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        quantile: f64,
    ) -> Option<f64> {
        let buckets = self.buckets(name, labels);
        let rank = quantile * buckets.last().filter(|(_, count)| *count > 0.0)?.1;
        let (mut lower, mut below) = (0.0, 0.0);
        for (upper, count) in buckets {
            if count >= rank && upper.is_infinite() {
                return Some(lower);
            }
            if count >= rank {
                return Some(lower + (upper - lower) * (rank - below) / (count - below));
            }
            (lower, below) = (upper, count);
        }
        None
    }

    /// Returns upper bounds and cumulative counts, summed over all other labels.
    fn buckets(&self, name: &str, labels: &[(&str, &str)]) -> Vec<(f64, f64)> {
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for sample in self.matching(&format!("{name}_bucket"), labels) {
            let Some(bound) = sample.labels.get("le").and_then(|le| le.parse().ok()) else {
                continue;
            };
            match buckets.iter_mut().find(|(known, _)| *known == bound) {
                Some((_, count)) => *count += sample.value,
                None => buckets.push((bound, sample.value)),
            }
        }
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        buckets
    }

    fn matching(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| {
            let has = |(key, value): &(&str, &str)| {
                sample.labels.get(*key).is_some_and(|found| found == value)
            };
            sample.name == name && labels.iter().all(has)
        })
    }
}

/// Parses `name{label="value",...} number`.
fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.trim_end().rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    Some(Sample {
        name: name.to_owned(),
        labels: labels_of(labels)?,
        value,
    })
}

fn labels_of(mut rest: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    while !rest.starts_with('}') {
        let (key, after) = rest.trim_start_matches(',').split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.insert(key.to_owned(), value);
        rest = after;
    }
    Some(labels)
}

/// Parses up to the closing quote, and decodes the escapes `\\`, `\"` and `\n`.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP calls_total Calls
# TYPE calls_total counter
calls_total{event="a",outcome="ok"} 3
calls_total{event="a",outcome="error"} 1
calls_total{event="b \"x\"",outcome="ok"} 2
up 1

seconds_bucket{event="a",le="0.1"} 2
seconds_bucket{event="a",le="0.2"} 4
seconds_bucket{event="a",le="+Inf"} 4
"#;

    #[test]
    fn samples_are_summed_over_labels_not_given() {
        let scrape = Scrape::parse(TEXT);
        assert_eq!(scrape.sum("calls_total", &[("event", "a")]), 4.0);
        assert_eq!(scrape.sum("calls_total", &[("event", "b \"x\"")]), 2.0);
        assert_eq!(scrape.sum("up", &[]), 1.0);
        assert_eq!(scrape.sum("calls_total", &[("event", "c")]), 0.0);
        assert_eq!(scrape.values("calls_total", "outcome"), ["error", "ok"]);
    }

    #[test]
    fn quantiles_are_interpolated_as_prometheus_does() {
        let scrape = Scrape::parse(TEXT);
        let at = |quantile| scrape.quantile("seconds", &[("event", "a")], quantile);
        assert!(at(0.25).is_some_and(|value| (value - 0.05).abs() < 1e-9));
        assert!(at(0.75).is_some_and(|value| (value - 0.15).abs() < 1e-9));
        assert_eq!(scrape.quantile("seconds", &[("event", "b")], 0.5), None);
    }

    #[test]
    fn an_open_label_is_no_sample() {
        assert_eq!(
            Scrape::parse("calls_total{event=\"a 1\n")
                .values("calls_total", "event")
                .len(),
            0
        );
    }
}
