//! Where calls report to: the program's observer, or one of this thread alone. What an observer
//! is, the kernel knows by [`Dispatch`] alone.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    extra::{GlobalView, SiteObserver},
    fork_mutex,
    site::Site,
};

/// An observer, as calls see it.
pub(crate) trait Dispatch: fmt::Debug + Send + Sync + 'static {
    /// Returns its view of `site`.
    fn site(&self, site: &'static Site) -> Arc<dyn SiteObserver>;

    /// Returns what it keeps for a kind of operation.
    fn extension(&self, of: TypeId) -> Option<&Arc<dyn Any + Send + Sync>>;

    /// Returns the keys of baggage that work carries.
    fn baggage_keys(&self) -> &'static [&'static str];
}

/// How many observers there are: the program's counts as one, and so does each scoped one. While
/// it is 0, an annotated call costs one load and one branch.
static OBSERVERS: AtomicUsize = AtomicUsize::new(0);
static SCOPED: AtomicUsize = AtomicUsize::new(0);
static GLOBAL: OnceLock<Arc<dyn Dispatch>> = OnceLock::new();

thread_local! {
    static OF_THREAD: RefCell<Option<Arc<dyn Dispatch>>> = const { RefCell::new(None) };
}

/// Returns whether there is any observer.
#[inline]
pub(crate) fn is_on() -> bool {
    OBSERVERS.load(Ordering::Relaxed) != 0
}

/// Makes `observer` the program's; `false` when there was one already.
pub(crate) fn install(observer: Arc<dyn Dispatch>) -> bool {
    fork_mutex::remember_process();
    let fresh = GLOBAL.set(observer).is_ok();
    if fresh {
        OBSERVERS.fetch_add(1, Ordering::Release);
    }
    fresh
}

/// Returns whether the program has, or had, an observer.
pub(crate) fn is_installed() -> bool {
    GLOBAL.get().is_some()
}

/// Ends the program's observer: later calls run as if they were not annotated.
pub(crate) fn uninstall() {
    OBSERVERS.fetch_sub(1, Ordering::Release);
}

/// Returns the program's observer's view of `site`.
#[inline]
pub(super) fn global(site: &'static Site) -> Option<&'static GlobalView> {
    match site.global.get() {
        Some(view) => Some(view),
        None => first_view(site),
    }
}

#[cold]
fn first_view(site: &'static Site) -> Option<&'static GlobalView> {
    let observer = GLOBAL.get()?;
    Some(site.global.get_or_init(|| {
        // One for each site, for the life of the program.
        let observer: &'static Arc<dyn SiteObserver> = Box::leak(Box::new(observer.site(site)));
        GlobalView {
            is_only_counted: observer.is_only_counted(),
            observer: &**observer,
        }
    }))
}

/// Returns the view that this thread's scoped observer has of `site`.
#[inline]
pub(super) fn scoped(site: &'static Site) -> Option<Arc<dyn SiteObserver>> {
    if SCOPED.load(Ordering::Relaxed) == 0 {
        return None;
    }
    scoped_observer().map(|observer| observer.site(site))
}

/// Returns this thread's scoped observer.
pub(crate) fn scoped_observer() -> Option<Arc<dyn Dispatch>> {
    if SCOPED.load(Ordering::Relaxed) == 0 {
        return None;
    }
    OF_THREAD
        .try_with(|own| own.borrow().clone())
        .ok()
        .flatten()
}

/// Passes what the observer of this thread's calls, its own or the program's, keeps for a kind of
/// operation to `f`.
pub(crate) fn with_extension<T: Any + Send + Sync, R>(
    f: impl FnOnce(&Arc<dyn Any + Send + Sync>, &T) -> R,
) -> Option<R> {
    if !is_on() {
        return None;
    }
    let scoped = scoped_observer();
    let observer = scoped.as_ref().or_else(|| GLOBAL.get())?;
    let extension = observer.extension(TypeId::of::<T>())?;
    Some(f(extension, extension.downcast_ref()?))
}

/// Returns the keys of baggage that the observer of this thread's calls names.
pub(crate) fn baggage_keys() -> &'static [&'static str] {
    if !is_on() {
        return &[];
    }
    let scoped = scoped_observer();
    let observer = scoped.as_ref().or_else(|| GLOBAL.get());
    observer.map_or(&[], |observer| observer.baggage_keys())
}

/// This thread with another scoped observer, until this is dropped.
#[derive(Debug)]
pub(crate) struct ScopedGuard {
    before: Option<Arc<dyn Dispatch>>,
}

impl ScopedGuard {
    /// Makes `observer` this thread's.
    pub(crate) fn enter(observer: Option<Arc<dyn Dispatch>>) -> ScopedGuard {
        ScopedGuard {
            before: replace(observer),
        }
    }
}

impl Drop for ScopedGuard {
    fn drop(&mut self) {
        replace(self.before.take());
    }
}

fn replace(observer: Option<Arc<dyn Dispatch>>) -> Option<Arc<dyn Dispatch>> {
    OF_THREAD
        .try_with(|own| own.replace(observer))
        .ok()
        .flatten()
}

/// Counts a scoped observer, so that calls look for it, until this is dropped.
#[derive(Debug)]
pub(crate) struct ScopedCount(());

impl ScopedCount {
    /// Counts one more.
    pub(crate) fn new() -> ScopedCount {
        fork_mutex::remember_process();
        SCOPED.fetch_add(1, Ordering::Release);
        OBSERVERS.fetch_add(1, Ordering::Release);
        ScopedCount(())
    }
}

impl Drop for ScopedCount {
    fn drop(&mut self) {
        SCOPED.fetch_sub(1, Ordering::Release);
        OBSERVERS.fetch_sub(1, Ordering::Release);
    }
}
