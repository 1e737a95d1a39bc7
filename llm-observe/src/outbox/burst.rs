//! Between the callers and a background thread: what repeats is counted, not queued. A burst of
//! equal failures costs one entry and is still counted exactly.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Condvar, PoisonError},
    time::{Duration, Instant},
};

use crate::kernel::fork_mutex::{ForkMutex, is_fork};

/// A bounded set of different items that wait to be taken; equal ones are merged.
pub(super) struct Burst<T> {
    state: ForkMutex<BurstState<T>>,
    wake: Condvar,
    hasher: RandomState,
    most: usize,
}

struct BurstState<T> {
    items: Vec<T>,
    index: HashMap<u64, usize>,
    /// The number of the latest flush that was requested.
    requested: u64,
    /// The number of the latest flush that is complete.
    completed: u64,
    closed: bool,
}

/// What [`Burst::take`] returns.
pub(super) struct Taken<T> {
    pub(super) items: Vec<T>,
    /// The flush to complete once the items are processed.
    pub(super) flush: Option<u64>,
    pub(super) closed: bool,
}

impl<T> Taken<T> {
    /// Nothing, and nothing after it: the thread is in a fork.
    const LAST: Taken<T> = Taken {
        items: Vec::new(),
        flush: None,
        closed: true,
    };
}

impl<T> Burst<T> {
    /// Returns an empty set for at most `most` different items.
    pub(super) fn new(most: usize) -> Burst<T> {
        let state = BurstState {
            items: Vec::new(),
            index: HashMap::new(),
            requested: 0,
            completed: 0,
            closed: false,
        };
        Burst {
            state: ForkMutex::new(state),
            wake: Condvar::new(),
            hasher: RandomState::new(),
            most,
        }
    }

    /// Merges into the item of the same key, or adds the first one. Returns `false` when there is no
    /// room for a further key, and where no thread would take it: in a fork, and once it is closed.
    pub(super) fn add(
        &self,
        key: impl Hash,
        merge: impl FnOnce(&mut T),
        first: impl FnOnce() -> T,
    ) -> bool {
        let hash = self.hasher.hash_one(key);
        let state = self.state.lock();
        let Some(mut state) = state.filter(|state| !state.closed && !is_fork()) else {
            return false;
        };
        let known = state.index.get(&hash).copied();
        if let Some(item) = known.and_then(|at| state.items.get_mut(at)) {
            merge(item);
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

    /// Waits until there is something to do, at most until `until`, and takes everything.
    pub(super) fn take(&self, until: Option<Instant>) -> Taken<T> {
        let Some(mut state) = self.state.lock() else {
            return Taken::LAST;
        };
        while state.items.is_empty() && state.requested == state.completed && !state.closed {
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
            flush: (state.requested != state.completed).then_some(state.requested),
            closed: state.closed,
        }
    }

    /// Completes the requested flushes up to number `flush`.
    pub(super) fn complete(&self, flush: u64) {
        if let Some(mut state) = self.state.lock() {
            state.completed = flush;
        }
        self.wake.notify_all();
    }

    /// Has the thread process everything, and waits for it up to `limit`.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let state = self.state.lock();
        let Some(mut state) = state.filter(|_| !is_fork()) else {
            return false;
        };
        state.requested += 1;
        let flush = state.requested;
        self.wake.notify_all();
        let waiting = |state: &mut BurstState<T>| state.completed < flush && !state.closed;
        state = self
            .wake
            .wait_timeout_while(state, limit, waiting)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        state.completed >= flush
    }

    /// Has the thread end once it has taken everything.
    pub(super) fn close(&self) {
        if let Some(mut state) = self.state.lock() {
            state.closed = true;
        }
        self.wake.notify_all();
    }
}
