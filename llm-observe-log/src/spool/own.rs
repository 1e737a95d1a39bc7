//! Which spools this process has open. Record locks do not keep a process from itself, and closing any
//! descriptor of a file ends them, so that no spool may be opened twice.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// With the process, since a fork has the list of its parent, but not the locks.
static OPEN: Mutex<BTreeSet<(u32, u64)>> = Mutex::new(BTreeSet::new());

/// The right of one place in this process to have the spool of that id open.
#[derive(Debug)]
pub(super) struct Own(u32, u64);

impl Own {
    /// Returns the right to a new spool, with an id that no other has.
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let id = fastrand::u64(..)
                ^ (u64::from(std::process::id()) << 32)
                ^ COUNT.fetch_add(1, Ordering::Relaxed);
            if let Some(own) = Self::of(id) {
                return own;
            }
        }
    }

    /// Returns the right to the spool of that id, unless this process has it open.
    pub(super) fn of(id: u64) -> Option<Self> {
        let pid = std::process::id();
        let new = list().insert((pid, id));
        new.then(|| Self(pid, id))
    }
}

fn list() -> MutexGuard<'static, BTreeSet<(u32, u64)>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As it stands in the file's name.
impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.1)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        list().remove(&(self.0, self.1));
    }
}
