//! Counters and gauges of what happens besides calls: lines, deliveries, losses.
//!
//! Plain numbers that every module can add to, with or without the `metrics` feature; the
//! metrics module publishes them. Knows no sink.

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use super::{fork_mutex::ForkMutex, metric::Metric};

/// A count that only grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<AtomicU64>);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Takes over a count that is kept elsewhere.
    pub(crate) fn raise_to(&self, total: u64) {
        self.0.fetch_max(total, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<AtomicI64>);

impl Gauge {
    pub(crate) fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Which number it is: the metric and the values of its labels.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) metric: &'static Metric,
    pub(crate) labels: Vec<(&'static str, String)>,
}

impl Key {
    fn new(metric: &'static Metric, labels: &[(&'static str, &str)]) -> Key {
        let labels = labels.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        Key { metric, labels }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.metric.name == other.metric.name && self.labels == other.labels
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.metric.name.hash(state);
        self.labels.hash(state);
    }
}

/// One number.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    Counter(Counter),
    Gauge(Gauge),
}

/// All numbers of one observer.
#[derive(Default)]
pub(crate) struct Stats {
    numbers: ForkMutex<Numbers>,
}

#[derive(Default)]
struct Numbers {
    /// In the order they were made.
    all: Vec<(Arc<Key>, Number)>,
    places: HashMap<Arc<Key>, usize>,
}

impl Numbers {
    fn get_or_make(&mut self, key: Key, new: Number) -> Number {
        if let Some(place) = self.places.get(&key) {
            let known = self.all.get(*place);
            return known.map_or(new, |(_, number)| number.clone());
        }
        let key = Arc::new(key);
        self.places.insert(key.clone(), self.all.len());
        self.all.push((key, new.clone()));
        new
    }
}

impl Stats {
    /// Returns the counter of that metric with those labels, made at 0 when it is new.
    pub(crate) fn counter(
        &self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
    ) -> Counter {
        let new = Number::Counter(Counter::default());
        match self.get_or_make(Key::new(metric, labels), new) {
            Number::Counter(counter) => counter,
            // A gauge of that name: the table has one kind for each.
            Number::Gauge(_) => Counter::default(),
        }
    }

    /// Returns the gauge of that metric with those labels, made at 0 when it is new.
    pub(crate) fn gauge(&self, metric: &'static Metric, labels: &[(&'static str, &str)]) -> Gauge {
        let new = Number::Gauge(Gauge::default());
        match self.get_or_make(Key::new(metric, labels), new) {
            Number::Gauge(gauge) => gauge,
            Number::Counter(_) => Gauge::default(),
        }
    }

    /// Returns the numbers that were made after the first `known` ones, in the order they were made.
    pub(crate) fn made_after(&self, known: usize) -> Vec<(Arc<Key>, Number)> {
        let numbers = self.numbers.lock();
        numbers
            .and_then(|numbers| Some(numbers.all.get(known..)?.to_vec()))
            .unwrap_or_default()
    }

    /// In a fork it may be one that nobody else has.
    fn get_or_make(&self, key: Key, new: Number) -> Number {
        match self.numbers.lock() {
            Some(mut numbers) => numbers.get_or_make(key, new),
            None => new,
        }
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stats").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: &Metric = &Metric::counter("n", &["a"], "");
    const M: &Metric = &Metric::gauge("m", &[], "");

    #[test]
    fn the_same_key_is_the_same_number() {
        let stats = Stats::default();
        stats.counter(N, &[("a", "1")]).add(2);
        stats.counter(N, &[("a", "1")]).add(3);
        stats.counter(N, &[("a", "2")]).add(1);
        assert_eq!(stats.counter(N, &[("a", "1")]).get(), 5);
        assert_eq!(stats.made_after(0).len(), 2);
    }

    #[test]
    fn what_was_made_later_comes_later() {
        let stats = Stats::default();
        stats.counter(N, &[("a", "1")]);
        let known = stats.made_after(0).len();
        stats.gauge(M, &[]).set(7);
        let later = stats.made_after(known);
        assert!(matches!(later.as_slice(), [(key, Number::Gauge(gauge))]
            if key.metric.name == "m" && gauge.get() == 7));
        assert!(stats.made_after(2).is_empty());
        assert!(stats.made_after(3).is_empty());
    }
}
