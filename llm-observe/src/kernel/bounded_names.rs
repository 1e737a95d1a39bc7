//! Names from outside that become label values. Their number is bounded; further ones share one value.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    metrics_table::OVER_LIMIT,
    stats::{Counter, Stats},
};
use crate::redact::Redactor;

/// The name that stands for all names beyond the bound.
pub(crate) const OTHER: &str = "_other";

/// Longer names become [`OTHER`].
const MAX_NAME: usize = 128;

/// The names that occurred so far, up to a maximum.
pub(crate) struct BoundedNames {
    known: RwLock<HashSet<Arc<str>>>,
    max_names: usize,
    over_limit: Counter,
    redactor: Arc<Redactor>,
}

impl BoundedNames {
    /// Returns an empty set of up to `max_names` values of `label`, which counts uses of further ones.
    pub(crate) fn new(label: &'static str, max_names: u32, stats: &Stats) -> BoundedNames {
        BoundedNames {
            known: RwLock::default(),
            max_names: usize::try_from(max_names).unwrap_or(usize::MAX),
            over_limit: stats.counter(OVER_LIMIT, &[("label", label)]),
            redactor: Arc::default(),
        }
    }

    /// Takes secrets out of new names by the rules of `redactor`.
    pub(crate) fn redacted_by(self, redactor: &Arc<Redactor>) -> BoundedNames {
        BoundedNames {
            redactor: redactor.clone(),
            ..self
        }
    }

    /// Returns `name`, or [`OTHER`] beyond the bound.
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
        let name = &*self.redactor.redact_label(name);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let fits = name.len() <= MAX_NAME && (known.len() < self.max_names || known.contains(name));
        if !fits {
            self.over_limit.add(1);
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
    fn names_beyond_the_bound_share_one_value() {
        let stats = Stats::default();
        let names = BoundedNames::new("model", 2, &stats);
        let long = "x".repeat(129);
        let seen = ["a", "b", "c", "a", &long].map(|name| names.bounded(name).to_string());
        assert_eq!(seen, ["a", "b", OTHER, "a", OTHER]);
        let key = format!("sk-proj-{}", "aB3dE5".repeat(6));
        let fresh = BoundedNames::new("model", 2, &stats);
        assert_eq!(&*fresh.bounded(&key), "[redacted]");
        let labels = [("label", "model")];
        let over = stats.counter(OVER_LIMIT, &labels);
        assert_eq!(over.get(), 2);
    }
}
