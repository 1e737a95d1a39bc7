//! The recorder's handles of one site or number, and how much of it they have got.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, Label, Recorder};

use super::{
    cells::labels,
    extremes::Extremes,
    recorder::METADATA,
    shard::{Sum, TIMED},
};
use crate::kernel::{
    metric::Metric,
    metrics_table as names,
    outcome::{ErrorClass, Outcome},
    site::Site,
    stats::{self, Number},
};

/// The handles of one site.
pub(super) struct Published {
    pub(super) calls: [Counter; Outcome::ALL.len()],
    pub(super) in_flight: Gauge,
    pub(super) slow: Counter,
    pub(super) items: Option<Counter>,
    pub(super) chunks: Option<Counter>,
    /// Registered with the first such failure.
    pub(super) classes: [Option<Counter>; ErrorClass::ALL.len()],
    /// Made with the first such end.
    pub(super) timed: [Option<Series>; TIMED.len()],
    /// Of all of them.
    pub(super) extremes: Extremes,
}

/// The histogram of one outcome; registered with its first value.
pub(super) struct Series {
    pub(super) histogram: Option<Histogram>,
    /// What was recorded so far, by bucket.
    pub(super) done: Vec<Sum>,
    /// Of an operation; those of a function are in [`Published`].
    pub(super) extremes: Extremes,
}

impl Series {
    pub(super) fn new(buckets: usize) -> Series {
        Series {
            histogram: None,
            done: vec![Sum::default(); buckets],
            extremes: Extremes::default(),
        }
    }
}

impl Published {
    pub(super) fn new(site: &'static Site, recorder: &dyn Recorder) -> Published {
        let calls = Outcome::ALL.map(|outcome| {
            let key = with(names::CALLS, site, "outcome", outcome.as_str());
            recorder.register_counter(&key, &METADATA)
        });
        for counter in &calls {
            counter.absolute(0);
        }
        let key = |metric: &'static Metric| Key::from_parts(metric.name, labels(site));
        Published {
            calls,
            in_flight: recorder.register_gauge(&key(names::IN_FLIGHT), &METADATA),
            slow: recorder.register_counter(&key(names::SLOW), &METADATA),
            items: site
                .has_items
                .then(|| recorder.register_counter(&key(names::ITEMS), &METADATA)),
            chunks: site
                .has_stream
                .then(|| recorder.register_counter(&key(names::STREAM_CHUNKS), &METADATA)),
            classes: [const { None }; ErrorClass::ALL.len()],
            timed: [const { None }; TIMED.len()],
            extremes: Extremes::default(),
        }
    }
}

/// Returns the key of a call metric that has one label more than its site.
pub(super) fn with(
    metric: &'static Metric,
    site: &'static Site,
    label: &'static str,
    value: &'static str,
) -> Key {
    let mut labels = labels(site);
    labels.push(Label::from_static_parts(label, value));
    Key::from_parts(metric.name, labels)
}

/// A number of [`stats`], and the handle that it is published through.
pub(super) enum PublishedNumber {
    Counter(stats::Counter, Counter, Option<u64>),
    Gauge(stats::Gauge, Gauge, Option<i64>),
}

impl PublishedNumber {
    pub(super) fn new(
        key: &Arc<stats::Key>,
        number: Number,
        recorder: &dyn Recorder,
    ) -> PublishedNumber {
        let labels = key.labels.iter();
        let labels: Vec<Label> = labels.map(|(k, v)| Label::new(*k, v.clone())).collect();
        let key = Key::from_parts(key.metric.name, labels);
        match number {
            Number::Counter(counter) => {
                let handle = recorder.register_counter(&key, &METADATA);
                PublishedNumber::Counter(counter, handle, None)
            }
            Number::Gauge(gauge) => {
                let handle = recorder.register_gauge(&key, &METADATA);
                PublishedNumber::Gauge(gauge, handle, None)
            }
        }
    }

    /// Sets the handle where the number has changed; `anew`: where it has not, too.
    pub(super) fn publish(&mut self, anew: bool) {
        match self {
            PublishedNumber::Counter(counter, handle, last) => {
                let now = counter.get();
                if anew || *last != Some(now) {
                    handle.absolute(now);
                    *last = Some(now);
                }
            }
            PublishedNumber::Gauge(gauge, handle, last) => {
                let now = gauge.get();
                if anew || *last != Some(now) {
                    handle.set(i64_as_f64(now));
                    *last = Some(now);
                }
            }
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "metrics are floats: exact up to 2^53"
)]
pub(super) fn as_f64(n: u64) -> f64 {
    n as f64
}

#[allow(
    clippy::cast_precision_loss,
    reason = "metrics are floats: exact up to 2^53"
)]
fn i64_as_f64(n: i64) -> f64 {
    n as f64
}
