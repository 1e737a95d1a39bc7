//! A recorder that the program may install later: each number goes to it from then on.

use std::sync::{Arc, OnceLock};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use super::recorder::METADATA;

/// Returns whether the program has a recorder. The one that stands in for none has no size, as no recorder
/// that keeps anything has.
pub(super) fn is_installed() -> bool {
    metrics::with_recorder(|recorder| size_of_val(recorder) != 0)
}

/// Writes to the program's recorder, once there is one.
pub(super) struct LaterRecorder;

impl Recorder for LaterRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        metrics::with_recorder(|theirs| theirs.describe_counter(name, unit, help));
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        metrics::with_recorder(|theirs| theirs.describe_gauge(name, unit, help));
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        metrics::with_recorder(|theirs| theirs.describe_histogram(name, unit, help));
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Later::new(key, |r, key| {
            r.register_counter(key, &METADATA)
        })))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Later::new(key, |r, key| {
            r.register_gauge(key, &METADATA)
        })))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Later::new(key, |r, key| {
            r.register_histogram(key, &METADATA)
        })))
    }
}

/// The handle of one metric, registered with the first value that there is a recorder for.
struct Later<T> {
    key: Key,
    register: fn(&dyn Recorder, &Key) -> T,
    handle: OnceLock<T>,
}

impl<T> Later<T> {
    fn new(key: &Key, register: fn(&dyn Recorder, &Key) -> T) -> Later<T> {
        Later {
            key: key.clone(),
            register,
            handle: OnceLock::new(),
        }
    }

    fn with(&self, write: impl Fn(&T)) {
        if self.handle.get().is_none() && is_installed() {
            let handle = metrics::with_recorder(|theirs| (self.register)(theirs, &self.key));
            // Another thread's is the same.
            let _ = self.handle.set(handle);
        }
        self.handle.get().iter().for_each(|handle| write(handle));
    }
}

impl CounterFn for Later<Counter> {
    fn increment(&self, value: u64) {
        self.with(|counter| counter.increment(value));
    }

    fn absolute(&self, value: u64) {
        self.with(|counter| counter.absolute(value));
    }
}

impl GaugeFn for Later<Gauge> {
    fn increment(&self, value: f64) {
        self.with(|gauge| gauge.increment(value));
    }

    fn decrement(&self, value: f64) {
        self.with(|gauge| gauge.decrement(value));
    }

    fn set(&self, value: f64) {
        self.with(|gauge| gauge.set(value));
    }
}

impl HistogramFn for Later<Histogram> {
    fn record(&self, value: f64) {
        self.with(|histogram| histogram.record(value));
    }

    fn record_many(&self, value: f64, count: usize) {
        self.with(|histogram| histogram.record_many(value, count));
    }
}
