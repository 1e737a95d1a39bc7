//! The rings of all threads.

use std::{
    cell::OnceCell,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{
    breadcrumb::Breadcrumb,
    ring::{BreadcrumbRing, MOST_REPORTED},
};
use crate::kernel::ids::TraceId;

/// How many threads are searched: a program with more has most of them idle.
const MOST_THREADS: usize = 256;

type SharedRing = Arc<Mutex<BreadcrumbRing>>;

static RINGS: Mutex<Vec<Weak<Mutex<BreadcrumbRing>>>> = Mutex::new(Vec::new());

thread_local! {
    static OWN: OnceCell<SharedRing> = const { OnceCell::new() };
}

/// Returns the latest breadcrumbs of that trace, from every thread, and those of this thread that
/// belong to no trace, oldest first. A ring that is locked at this moment is skipped: nobody waits.
pub(crate) fn before(trace: TraceId) -> Vec<Breadcrumb> {
    let own = OWN.try_with(|own| own.get().cloned()).ok().flatten();
    let others: Vec<SharedRing> = {
        let rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let living = rings.iter().rev().filter_map(Weak::upgrade);
        let is_own = |ring: &SharedRing| own.as_ref().is_some_and(|own| Arc::ptr_eq(own, ring));
        let others = living.filter(|ring| !is_own(ring));
        others.take(MOST_THREADS).collect()
    };
    let mut found = Vec::new();
    if let Some(own) = own {
        let own = own.lock().unwrap_or_else(PoisonError::into_inner);
        own.find(&[trace, TraceId::default()], &mut found);
    }
    for ring in others {
        if let Ok(ring) = ring.try_lock() {
            ring.find(&[trace], &mut found);
        }
    }
    found.sort_by_key(|breadcrumb| breadcrumb.time);
    found.drain(..found.len().saturating_sub(MOST_REPORTED));
    found
}

#[inline]
pub(super) fn push(write: impl FnOnce(&mut BreadcrumbRing)) {
    // A thread that is being torn down keeps nothing more.
    let _ = OWN.try_with(|own| {
        let ring = own.get_or_init(register).lock();
        write(&mut ring.unwrap_or_else(PoisonError::into_inner));
    });
}

#[cold]
fn register() -> SharedRing {
    let ring = Arc::new(Mutex::new(BreadcrumbRing::new()));
    let mut rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
    rings.retain(|ring| ring.strong_count() > 0);
    rings.push(Arc::downgrade(&ring));
    ring
}
