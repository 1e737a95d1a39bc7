//! Where calls report to: the observer of the program, or one of this thread alone.
//!
//! [`Core`] is what an observer consists of; [`Active`] is its view of one annotated function,
//! worked out once. Knows sinks only as [`Sink`].

mod active;
mod passing;

pub(crate) use active::Active;

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use llm_observe_config::Config;
use tracing::Level;

use crate::{
    http::Http,
    kernel::{registry, sink::Sink, site::Site, stats::Stats},
    metrics::Metrics,
    redact::Redactor,
    stalls::Stalls,
};

/// How many observers there are: the program's counts as one, and so does each scoped one. While
/// it is 0, an annotated call costs one load and one branch.
static OBSERVERS: AtomicUsize = AtomicUsize::new(0);
static SCOPED: AtomicUsize = AtomicUsize::new(0);
static GLOBAL: OnceLock<Arc<Core>> = OnceLock::new();

thread_local! {
    static OF_THREAD: RefCell<Option<Arc<Core>>> = const { RefCell::new(None) };
}

/// Returns whether anybody observes at all.
#[inline]
pub(crate) fn is_on() -> bool {
    OBSERVERS.load(Ordering::Relaxed) != 0
}

/// Makes `core` the program's observer; `false` when there was one already.
pub(crate) fn install(core: Arc<Core>) -> bool {
    let mut fresh = false;
    GLOBAL.get_or_init(|| {
        fresh = true;
        core
    });
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
pub(crate) fn global(site: &'static Site) -> Option<&'static Active> {
    match site.active.get() {
        Some(active) => Some(active),
        None => first_look(site),
    }
}

#[cold]
fn first_look(site: &'static Site) -> Option<&'static Active> {
    let core = GLOBAL.get()?;
    // One for each annotated function, for the life of the program.
    Some(
        site.active
            .get_or_init(|| Box::leak(Box::new(Active::new(core.clone(), site)))),
    )
}

/// Returns the view that this thread's scoped observer has of `site`.
#[inline]
pub(crate) fn scoped(site: &'static Site) -> Option<Arc<Active>> {
    if SCOPED.load(Ordering::Relaxed) == 0 {
        return None;
    }
    scoped_core().map(|core| core.active(site))
}

/// Returns this thread's scoped observer.
pub(crate) fn scoped_core() -> Option<Arc<Core>> {
    OF_THREAD
        .try_with(|core| core.borrow().clone())
        .ok()
        .flatten()
}

/// Shows the observer that this thread's calls report to, its own or the program's, to `see`.
pub(crate) fn with_core<T>(see: impl FnOnce(&Arc<Core>) -> T) -> Option<T> {
    if !is_on() {
        return None;
    }
    if SCOPED.load(Ordering::Relaxed) != 0
        && let Some(core) = scoped_core()
    {
        return Some(see(&core));
    }
    GLOBAL.get().map(see)
}

/// Makes `core` this thread's observer and returns the one before.
pub(crate) fn replace_scoped(core: Option<Arc<Core>>) -> Option<Arc<Core>> {
    OF_THREAD.try_with(|own| own.replace(core)).ok().flatten()
}

/// Counts a scoped observer in, so that calls look for it.
pub(crate) fn scoped_begins() {
    SCOPED.fetch_add(1, Ordering::Release);
    OBSERVERS.fetch_add(1, Ordering::Release);
}

/// Counts a scoped observer out.
pub(crate) fn scoped_ends() {
    SCOPED.fetch_sub(1, Ordering::Release);
    OBSERVERS.fetch_sub(1, Ordering::Release);
}

/// What an observer consists of.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) sinks: Vec<Arc<dyn Sink>>,
    pub(crate) metrics: Metrics,
    pub(crate) stats: Arc<Stats>,
    pub(crate) redactor: Arc<Redactor>,
    /// Whether a subscriber other than ours wants spans and events of calls.
    pub(crate) spans: bool,
    /// What it does about HTTP requests.
    pub(crate) http: Http,
    stalls: Stalls,
    sites: Mutex<HashMap<usize, Arc<Active>>>,
}

impl Core {
    pub(crate) fn new(
        config: Config,
        sinks: Vec<Arc<dyn Sink>>,
        metrics: Metrics,
        stats: Arc<Stats>,
        redactor: Arc<Redactor>,
        spans: bool,
    ) -> Arc<Core> {
        let (sites, stalls) = (Mutex::default(), Stalls::default());
        Arc::new(Core {
            http: Http::new(&config, &stats),
            config,
            sinks,
            metrics,
            stats,
            redactor,
            spans,
            stalls,
            sites,
        })
    }

    /// Makes the metrics of every annotated function of the program, at 0.
    pub(crate) fn register_sites(&self) {
        for site in registry::all() {
            self.metrics.site(site);
        }
    }

    /// Tells the sinks of calls that have stalled.
    pub(crate) fn look_for_stalls(&self) {
        self.stalls.look(self.sinks());
    }

    fn sinks(&self) -> impl Iterator<Item = &dyn Sink> + Clone {
        self.sinks.iter().map(|sink| &**sink)
    }

    fn active(self: &Arc<Core>, site: &'static Site) -> Arc<Active> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let address = std::ptr::from_ref(site).addr();
        sites
            .entry(address)
            .or_insert_with(|| Arc::new(Active::new(self.clone(), site)))
            .clone()
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

/// Returns the level of `tracing` that a configured one stands for.
pub(crate) fn tracing_level(level: llm_observe_config::Level) -> Level {
    use llm_observe_config::Level as Configured;
    match level {
        Configured::Trace => Level::TRACE,
        Configured::Debug => Level::DEBUG,
        Configured::Info => Level::INFO,
        Configured::Warn => Level::WARN,
        Configured::Error => Level::ERROR,
    }
}
