//! The rings of all threads.

use std::{
    cell::OnceCell,
    sync::{Arc, Weak},
};

use super::{
    breadcrumb::Breadcrumb,
    ring::{BreadcrumbRing, MOST_REPORTED},
};
use crate::kernel::{fork_mutex::ForkMutex, ids::TraceId};

/// How many threads are searched: a program with more has most of them idle.
const MOST_THREADS: usize = 256;

type SharedRing = Arc<ForkMutex<BreadcrumbRing>>;

static RINGS: ForkMutex<Vec<Weak<ForkMutex<BreadcrumbRing>>>> = ForkMutex::new(Vec::new());

thread_local! {
    static OWN: OnceCell<SharedRing> = const { OnceCell::new() };
}

/// Returns the latest breadcrumbs of that trace, from every thread, and those of this thread that
/// belong to no trace, oldest first. A ring that is locked at this moment is skipped: nobody waits.
pub(crate) fn before(trace: TraceId) -> Vec<Breadcrumb> {
    let own = OWN.try_with(|own| own.get().cloned()).ok().flatten();
    let others: Vec<SharedRing> = RINGS.lock().map_or_else(Vec::new, |rings| {
        let living = rings.iter().rev().filter_map(Weak::upgrade);
        let is_own = |ring: &SharedRing| own.as_ref().is_some_and(|own| Arc::ptr_eq(own, ring));
        let others = living.filter(|ring| !is_own(ring));
        others.take(MOST_THREADS).collect()
    });
    let mut found = Vec::new();
    if let Some(own) = own
        && let Some(own) = own.lock()
    {
        own.find(&[trace, TraceId::default()], &mut found);
    }
    for ring in others {
        if let Some(ring) = ring.try_lock() {
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
        // None in a fork, if another thread of the parent was reading this one's.
        if let Some(mut ring) = own.get_or_init(register).lock() {
            write(&mut ring);
        }
    });
}

#[cold]
fn register() -> SharedRing {
    let ring = Arc::new(ForkMutex::new(BreadcrumbRing::new()));
    if let Some(mut rings) = RINGS.lock() {
        rings.retain(|ring| ring.strong_count() > 0);
        rings.push(Arc::downgrade(&ring));
    }
    ring
}
