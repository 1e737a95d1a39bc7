//! Two recorders as one: each number goes to both.

use std::sync::Arc;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// Writes to both recorders.
pub(super) struct BothRecorders<'a>(pub(super) &'a dyn Recorder, pub(super) &'a dyn Recorder);

impl Recorder for BothRecorders<'_> {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.describe_counter(name.clone(), unit, help.clone());
        self.1.describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.describe_gauge(name.clone(), unit, help.clone());
        self.1.describe_gauge(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.describe_histogram(name.clone(), unit, help.clone());
        self.1.describe_histogram(name, unit, help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let both = [self.0, self.1].map(|recorder| recorder.register_counter(key, metadata));
        Counter::from_arc(Arc::new(Both(both)))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        let both = [self.0, self.1].map(|recorder| recorder.register_gauge(key, metadata));
        Gauge::from_arc(Arc::new(Both(both)))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let both = [self.0, self.1].map(|recorder| recorder.register_histogram(key, metadata));
        Histogram::from_arc(Arc::new(Both(both)))
    }
}

/// The handles of one metric in both recorders.
struct Both<T>([T; 2]);

impl CounterFn for Both<Counter> {
    fn increment(&self, value: u64) {
        self.0.iter().for_each(|one| one.increment(value));
    }

    fn absolute(&self, value: u64) {
        self.0.iter().for_each(|one| one.absolute(value));
    }
}

impl GaugeFn for Both<Gauge> {
    fn increment(&self, value: f64) {
        self.0.iter().for_each(|one| one.increment(value));
    }

    fn decrement(&self, value: f64) {
        self.0.iter().for_each(|one| one.decrement(value));
    }

    fn set(&self, value: f64) {
        self.0.iter().for_each(|one| one.set(value));
    }
}

impl HistogramFn for Both<Histogram> {
    fn record(&self, value: f64) {
        self.0.iter().for_each(|one| one.record(value));
    }

    fn record_many(&self, value: f64, count: usize) {
        self.0.iter().for_each(|one| one.record_many(value, count));
    }
}
