//! Names from outside that become label values: so many of them, and one for all others.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    http::sites::OTHER,
    kernel::{
        metrics_table::OVER_LIMIT,
        stats::{Counter, Stats},
    },
};

/// The longest name that is one of its own.
const LONGEST: usize = 128;

/// The names that were seen, up to a number.
pub(crate) struct Names {
    known: RwLock<HashSet<Arc<str>>>,
    most: usize,
    over: Counter,
}

impl Names {
    /// Returns a set that takes `most` names for that label, and counts the uses of others.
    pub(crate) fn new(label: &'static str, most: u32, stats: &Stats) -> Names {
        Names {
            known: RwLock::default(),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            over: stats.counter(OVER_LIMIT, &[("label", label)]),
        }
    }

    /// Returns `name`, or what stands for all beyond the bound.
    pub(crate) fn bounded(&self, name: &str) -> Arc<str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return known.clone();
        }
        drop(known);
        self.add(name)
    }

    #[cold]
    fn add(&self, name: &str) -> Arc<str> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let fits = name.len() <= LONGEST && (known.len() < self.most || known.contains(name));
        if !fits {
            self.over.add(1);
            return OTHER.into();
        }
        let name: Arc<str> = name.into();
        known.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_bound_are_one() {
        let stats = Stats::default();
        let names = Names::new("model", 2, &stats);
        let long = "x".repeat(129);
        let seen = ["a", "b", "c", "a", &long].map(|name| names.bounded(name).to_string());
        assert_eq!(seen, ["a", "b", OTHER, "a", OTHER]);
        let labels = [("label", "model")];
        let over = stats.counter(OVER_LIMIT, &labels);
        assert_eq!(over.get(), 2);
    }
}
