//! What a metric is: one row of the table that everything about metrics is made from.

/// A metric: one row of the table of metrics.
///
/// Registration, the help text and the buckets of a scrape, and the tables of the documents come
/// from here. Tests compare the documents, the live page and real scrapes with it.
///
/// ```
/// use llm_observe::operation::{Buckets, Metric, Unit};
///
/// static DURATION: Metric = Metric::histogram(
///     "messaging_process_duration_seconds",
///     &["messaging_destination_name"],
///     Buckets::Durations(&[0.01, 0.1, 1.0, 10.0]),
///     "How long messages took to process.",
/// )
/// .unit(Unit::Seconds)
/// .optional(&[("error_type", "where it failed")]);
/// ```
#[derive(Debug)]
#[cfg_attr(
    not(test),
    allow(
        dead_code,
        reason = "the labels are for documents and tests to compare"
    )
)]
pub struct Metric {
    /// The name in Prometheus form. Dashboards rely on it.
    pub(crate) name: &'static str,
    pub(crate) kind: MetricKind,
    pub(crate) unit: Unit,
    /// The labels that every series has.
    pub(crate) labels: &'static [&'static str],
    /// The labels that only some series have, each with the condition: "where it failed".
    pub(crate) optional: &'static [(&'static str, &'static str)],
    /// The upper bounds of a histogram.
    pub(crate) buckets: Buckets,
    /// One sentence, as the `# HELP` line has it.
    pub(crate) help: &'static str,
}

/// The kind of a metric, as Prometheus has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

/// The unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// A count, or a share.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// The upper bounds of a histogram's buckets, ascending.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Buckets {
    /// It is no histogram.
    None,
    /// Durations in seconds. `[metrics] duration_buckets` replaces them, `extra_buckets` adds to
    /// them.
    Durations(&'static [f64]),
    /// Fixed bounds, which the configuration does not change.
    Fixed(&'static [f64]),
}

impl Buckets {
    /// Returns the bounds, before the configuration changes them.
    pub(crate) const fn bounds(self) -> &'static [f64] {
        match self {
            Buckets::None => &[],
            Buckets::Durations(bounds) | Buckets::Fixed(bounds) => bounds,
        }
    }
}

impl MetricKind {
    /// Returns the name in the `# TYPE` line.
    #[cfg(test)]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }
}

impl Metric {
    const fn new(
        kind: MetricKind,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Metric {
        Metric {
            name,
            kind,
            unit: Unit::None,
            labels,
            optional: &[],
            buckets: Buckets::None,
            help,
        }
    }

    /// Returns a number that only grows.
    #[must_use]
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Metric {
        Metric::new(MetricKind::Counter, name, labels, help)
    }

    /// Returns a number that goes up and down.
    #[must_use]
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Metric {
        Metric::new(MetricKind::Gauge, name, labels, help)
    }

    /// Returns a distribution of numbers.
    #[must_use]
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        buckets: Buckets,
        help: &'static str,
    ) -> Metric {
        Metric {
            buckets,
            ..Metric::new(MetricKind::Histogram, name, labels, help)
        }
    }

    /// Sets what its numbers are.
    #[must_use]
    pub const fn unit(mut self, unit: Unit) -> Metric {
        self.unit = unit;
        self
    }

    /// Adds labels that only some series have, each with the condition.
    #[must_use]
    pub const fn optional(mut self, labels: &'static [(&'static str, &'static str)]) -> Metric {
        self.optional = labels;
        self
    }
}
