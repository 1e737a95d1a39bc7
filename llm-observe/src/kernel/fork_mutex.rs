//! A lock that no call waits for without end in a forked process. Knows nothing of what it protects.
//!
//! `fork` copies the memory, but only one thread. A lock that another thread held at that moment stays
//! locked in the child: the thread that would release it is not there. A call does without what such a
//! lock protects.

use std::{
    process,
    sync::{
        Mutex, MutexGuard, TryLockError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// How often a thread of a fork yields before it does without. A thread that is there holds a lock for
/// microseconds.
const MOST_YIELDS: u32 = 1_000;

/// The process that the first observer, or the first timeout, was in; 0 before.
static HOME: AtomicU32 = AtomicU32::new(0);

/// Notes which process this is, before it can fork.
pub(crate) fn remember_process() {
    // Of two threads that note it, both note the same.
    let _ = HOME.compare_exchange(0, process::id(), Ordering::Relaxed, Ordering::Relaxed);
}

/// Returns whether this process was forked from the one that the observer was started in: it has none of
/// the observer's threads. One system call.
pub(crate) fn is_fork() -> bool {
    let home = HOME.load(Ordering::Relaxed);
    home != 0 && home != process::id()
}

/// A mutex that can be given up on in a fork.
#[derive(Debug, Default)]
pub(crate) struct ForkMutex<T>(Mutex<T>);

impl<T> ForkMutex<T> {
    pub(crate) const fn new(value: T) -> ForkMutex<T> {
        ForkMutex(Mutex::new(value))
    }

    /// Locks it. `None` in a fork, where it is most likely locked for ever. Panics of other threads
    /// leave it usable.
    #[inline]
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.try_lock() {
            Some(guard) => Some(guard),
            None => self.wait(),
        }
    }

    /// Locks it, unless somebody has.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    #[cold]
    fn wait(&self) -> Option<MutexGuard<'_, T>> {
        if is_fork() {
            return (0..MOST_YIELDS).find_map(|_| {
                thread::yield_now();
                self.try_lock()
            });
        }
        Some(
            self.0
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        )
    }
}
