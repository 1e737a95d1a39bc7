//! What is known of the models that calls named: bounded, and read without waiting.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, TryLockError},
};

use super::{plan::Plan, rates::Rates};

/// How many pairs of provider and model are known at once. One more, and it starts anew: those in use are
/// back after a call each.
const MOST: usize = 1_024;

/// What is known of a provider's model.
#[derive(Debug)]
pub(super) enum Known {
    /// It has no price.
    Unpriced,
    /// The configuration has its prices.
    Override(Rates),
    /// The table has.
    Planned(Plan),
}

/// By provider, empty where there is none, and model.
#[derive(Debug, Default)]
pub(super) struct Cache(RwLock<Models>);

#[derive(Debug, Default)]
struct Models {
    by_provider: HashMap<Box<str>, HashMap<Box<str>, Known>>,
    count: usize,
}

impl Cache {
    /// Returns what `read` does with what is known of a model. `None` where nothing is, or where it is
    /// just being written: nobody waits.
    pub(super) fn read<T>(
        &self,
        provider: Option<&str>,
        model: &str,
        read: impl FnOnce(&Known) -> T,
    ) -> Option<T> {
        let models = self.try_read()?;
        let known = models.by_provider.get(provider.unwrap_or_default())?;
        known.get(model).map(read)
    }

    /// Notes what is known of a model. Waits for readers, who take nanoseconds.
    pub(super) fn write(&self, provider: Option<&str>, model: &str, known: Known) {
        let mut models = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if models.count >= MOST {
            *models = Models::default();
        }
        let provider = provider.unwrap_or_default();
        if !models.by_provider.contains_key(provider) {
            models.by_provider.insert(provider.into(), HashMap::new());
        }
        let of_provider = models.by_provider.get_mut(provider);
        let new = of_provider.map(|of| of.insert(model.into(), known).is_none());
        models.count += usize::from(new == Some(true));
    }

    fn try_read(&self) -> Option<RwLockReadGuard<'_, Models>> {
        match self.0.try_read() {
            Ok(models) => Some(models),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_names_do_not_fill_the_memory() {
        let cache = Cache::default();
        for n in 0..10 * MOST {
            cache.write(Some("p"), &n.to_string(), Known::Unpriced);
        }
        let models = cache.0.read().unwrap();
        assert!(models.count <= MOST);
        let kept: usize = models.by_provider.values().map(HashMap::len).sum();
        assert_eq!(kept, models.count);
    }

    #[test]
    fn the_newest_is_known_and_nobody_waits_for_a_writer() {
        let cache = Cache::default();
        let known = |provider| cache.read(provider, "m", |known| matches!(known, Known::Unpriced));
        assert_eq!(known(None), None);
        cache.write(None, "m", Known::Unpriced);
        assert_eq!((known(None), known(Some("p"))), (Some(true), None));
        cache.write(None, "m", Known::Override(Rates::default()));
        assert_eq!(known(None), Some(false));
        let _writer = cache.0.write().unwrap();
        assert_eq!(known(None), None);
    }
}
