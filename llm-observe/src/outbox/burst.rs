//! Between the callers and a background thread: what repeats is counted, not queued, so that a
//! burst of equal failures costs one entry and is still counted exactly.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A bounded set of different things that wait to be taken; equal ones are merged.
pub(crate) struct Burst<T> {
    state: Mutex<State<T>>,
    wake: Condvar,
    hasher: RandomState,
    most: usize,
}

struct State<T> {
    items: Vec<T>,
    index: HashMap<u64, usize>,
    /// Counts up with every request to flush.
    asked: u64,
    answered: u64,
    closed: bool,
}

/// What was taken.
pub(crate) struct Taken<T> {
    pub(crate) items: Vec<T>,
    /// The flush to answer once the items are dealt with.
    pub(crate) flush: Option<u64>,
    pub(crate) closed: bool,
}

impl<T> Burst<T> {
    /// Returns an empty set for at most `most` different things.
    pub(crate) fn new(most: usize) -> Burst<T> {
        let state = State {
            items: Vec::new(),
            index: HashMap::new(),
            asked: 0,
            answered: 0,
            closed: false,
        };
        Burst {
            state: Mutex::new(state),
            wake: Condvar::new(),
            hasher: RandomState::new(),
            most,
        }
    }

    /// Merges into the one of the same key, or adds a first one. Returns `false` when there is
    /// no room for a further key.
    pub(crate) fn add(
        &self,
        key: impl Hash,
        again: impl FnOnce(&mut T),
        first: impl FnOnce() -> T,
    ) -> bool {
        let hash = self.hasher.hash_one(key);
        let mut state = self.state();
        let known = state.index.get(&hash).copied();
        if let Some(item) = known.and_then(|at| state.items.get_mut(at)) {
            again(item);
            return true;
        }
        if state.items.len() >= self.most {
            return false;
        }
        let at = state.items.len();
        state.index.insert(hash, at);
        state.items.push(first());
        drop(state);
        if at == 0 {
            self.wake.notify_all();
        }
        true
    }

    /// Waits until there is something to do, but not beyond `until`, and takes all there is.
    pub(crate) fn take(&self, until: Option<Instant>) -> Taken<T> {
        let mut state = self.state();
        while state.items.is_empty() && state.asked == state.answered && !state.closed {
            let left = until.map(|at| at.saturating_duration_since(Instant::now()));
            match left {
                Some(left) if left.is_zero() => break,
                Some(left) => {
                    state = self
                        .wake
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => {
                    state = self
                        .wake
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner)
                }
            }
        }
        state.index.clear();
        Taken {
            items: std::mem::take(&mut state.items),
            flush: (state.asked != state.answered).then_some(state.asked),
            closed: state.closed,
        }
    }

    /// Says that everything up to the flush `asked` is dealt with.
    pub(crate) fn answer(&self, asked: u64) {
        self.state().answered = asked;
        self.wake.notify_all();
    }

    /// Asks the thread to deal with everything, and waits for it up to `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        let mut state = self.state();
        state.asked += 1;
        let asked = state.asked;
        self.wake.notify_all();
        let waiting = |state: &mut State<T>| state.answered < asked && !state.closed;
        state = self
            .wake
            .wait_timeout_while(state, limit, waiting)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        state.answered >= asked
    }

    /// Ends the thread once it has taken what there is.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
