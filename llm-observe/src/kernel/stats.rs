//! What the toolkit counts about itself: lines, deliveries, losses.
//!
//! Plain numbers that every module can add to, with or without the `metrics` feature; the
//! metrics module publishes them. Knows no sink.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

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

/// The name and labels of one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) labels: Vec<(&'static str, String)>,
}

impl Key {
    fn new(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
        let labels = labels.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        Key { name, labels }
    }
}

/// One number, as [`Stats::for_each`] shows it.
pub(crate) enum Cell {
    Counter(Counter),
    Gauge(Gauge),
}

/// All numbers of one observer.
#[derive(Default)]
pub(crate) struct Stats {
    cells: Mutex<Vec<(Key, Cell)>>,
}

impl Stats {
    /// Returns the counter of that name and labels, made at 0 when it is new.
    pub(crate) fn counter(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        let key = Key::new(name, labels);
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let known = cells.iter().find_map(|(k, cell)| match cell {
            Cell::Counter(counter) if *k == key => Some(counter.clone()),
            _ => None,
        });
        known.unwrap_or_else(|| {
            let counter = Counter::default();
            cells.push((key, Cell::Counter(counter.clone())));
            counter
        })
    }

    /// Returns the gauge of that name and labels, made at 0 when it is new.
    pub(crate) fn gauge(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        let key = Key::new(name, labels);
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let known = cells.iter().find_map(|(k, cell)| match cell {
            Cell::Gauge(gauge) if *k == key => Some(gauge.clone()),
            _ => None,
        });
        known.unwrap_or_else(|| {
            let gauge = Gauge::default();
            cells.push((key, Cell::Gauge(gauge.clone())));
            gauge
        })
    }

    /// Shows every number to `see`, in the order they were made.
    pub(crate) fn for_each(&self, mut see: impl FnMut(&Key, &Cell)) {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, cell) in cells.iter() {
            see(key, cell);
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

    #[test]
    fn the_same_key_is_the_same_number() {
        let stats = Stats::default();
        stats.counter("n", &[("a", "1")]).add(2);
        stats.counter("n", &[("a", "1")]).add(3);
        stats.counter("n", &[("a", "2")]).add(1);
        assert_eq!(stats.counter("n", &[("a", "1")]).get(), 5);
        let mut seen = 0;
        stats.for_each(|_, _| seen += 1);
        assert_eq!(seen, 2);
    }
}
