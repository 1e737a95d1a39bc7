//! Where calls report to: the observer of the program, or one of this thread alone.
//!
//! [`Core`] is what an observer consists of; [`Active`] is its view of one annotated function,
//! worked out once. Knows sinks only as [`Sink`].

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use llm_observe_config::{Config, Event};
use tracing::Level;

use crate::{
    call::{Call, Ended, Extra, Ids},
    clock, context,
    metrics::{Metrics, SiteMetrics},
    names,
    outcome::Outcome,
    record::{ErrorInfo, Fields, Record, Sink, Value},
    redact::Redactor,
    registry,
    site::Site,
    spans::SpanSite,
    stalls::Stalls,
    stats::{Gauge, Stats},
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

/// An observer's view of one annotated function: the attribute's settings over the event's.
pub(crate) struct Active {
    core: Arc<Core>,
    site: &'static Site,
    metrics: Arc<SiteMetrics>,
    spans: Option<SpanSite>,
    /// Nanoseconds from which on a call is slow.
    slow: u64,
    /// The level of the line of a successful call.
    level: Level,
    /// The share of successful calls that write a line.
    sample: f64,
    /// How long a call may run, and the number of those that have run longer.
    stalled: Option<(Duration, Gauge)>,
    only_counted: bool,
}

impl Active {
    fn new(core: Arc<Core>, site: &'static Site) -> Active {
        let event = core
            .config
            .events
            .as_ref()
            .and_then(|events| events.get(site.event));
        let slow = site.slow.or(event.and_then(|e: &Event| e.slow));
        let stalled = site
            .stalled
            .or(event.and_then(|e: &Event| e.stalled))
            .map(|limit| {
                let labels = [("event", site.event), ("function", site.function())];
                (limit, core.stats.gauge(names::STALLED, &labels))
            });
        Active {
            level: level(site, event),
            sample: site.sample.or(event.and_then(|e| e.sample)).unwrap_or(1.0),
            metrics: core.metrics.site(site),
            spans: core.spans.then(|| SpanSite::of(site)),
            slow: slow.map_or(u64::MAX, nanos),
            only_counted: core.sinks.is_empty()
                && !core.spans
                && !records(site)
                && stalled.is_none(),
            stalled,
            core,
            site,
        }
    }

    /// Returns whether a call of the site is counted and timed, and nothing else of it is wanted
    /// by anybody: then it needs no place in a trace.
    #[inline]
    pub(crate) fn is_only_counted(&self) -> bool {
        self.only_counted
    }

    /// Takes note of a call that starts.
    #[inline]
    pub(crate) fn started(&self, call: &mut Call) {
        self.metrics.started();
        if let Some((limit, gauge)) = &self.stalled {
            self.core
                .stalls
                .started(self.site, call.ids(), *limit, gauge);
        }
        if let Some(spans) = &self.spans {
            let ids = call.ids();
            let extra = call.extra();
            extra.tracing = Some(spans.open(ids, extra.links.as_ref()));
        }
    }

    /// Makes the one record of a call and hands it to every sink.
    #[inline]
    pub(crate) fn ended(&self, ids: Ids, extra: Option<Box<Extra>>, ended: Ended) {
        self.metrics.ended(ended.outcome, ended.nanos);
        if self.stalled.is_some() {
            self.core.stalls.ended(ids.span, self.core.sinks());
        }
        let counted = self.only_counted && ended.nanos <= self.slow && ended.error.is_none();
        if counted {
            return;
        }
        self.hand_over(ids, extra, ended);
    }

    fn hand_over(&self, ids: Ids, mut extra: Option<Box<Extra>>, mut ended: Ended) {
        let below = extra.as_mut().and_then(|extra| extra.below.take());
        let passed_on = match (&mut ended.error, &below) {
            (Some(error), below) => {
                // Compared as they are, told only after redaction.
                let same = below.as_ref().is_some_and(|below| is_same(error, below));
                let seen_above = error.clone();
                self.redact(error);
                pass_on(ids, seen_above);
                same
            }
            (None, _) => false,
        };
        if let Some(extra) = &mut extra {
            self.redact_fields(&mut extra.fields);
        }
        let span = extra.as_ref().and_then(|extra| extra.tracing.clone());
        let record = self.record(ids, extra.as_deref(), &ended, passed_on);
        self.metrics.details(&record);
        for sink in &self.core.sinks {
            sink.record(&record);
        }
        if let (Some(spans), Some(span)) = (&self.spans, span) {
            spans.close(&span, &record);
        }
    }

    fn record<'a>(
        &self,
        ids: Ids,
        extra: Option<&'a Extra>,
        ended: &'a Ended,
        passed_on: bool,
    ) -> Record<'a> {
        Record {
            site: self.site,
            outcome: ended.outcome,
            time: clock::wall_micros(ended.end),
            duration: Duration::from_nanos(ended.nanos),
            trace_id: ids.trace,
            span_id: ids.span,
            parent_id: ids.parent,
            error: ended.error.as_deref(),
            fields: extra.map_or(const { &Fields::EMPTY }, |extra| &extra.fields),
            items: extra.and_then(|extra| extra.items),
            quality: extra.and_then(|extra| extra.quality),
            slow: ended.nanos > self.slow,
            expected: ended.expected,
            passed_on,
            ok_level: self.level,
            sampled: self.is_sampled(ended.outcome),
        }
    }

    fn is_sampled(&self, outcome: Outcome) -> bool {
        self.sample >= 1.0 || outcome != Outcome::Ok || fastrand::f64() < self.sample
    }

    fn redact(&self, error: &mut ErrorInfo) {
        let redactor = &self.core.redactor;
        for text in std::iter::once(&mut error.message).chain(&mut error.chain) {
            if let Cow::Owned(clean) = redactor.redact(text) {
                *text = clean;
            }
        }
    }

    fn redact_fields(&self, fields: &mut Fields) {
        for (_, value) in fields.iter_mut() {
            if let Value::Str(text) = value
                && let Cow::Owned(clean) = self.core.redactor.redact(text)
            {
                *text = clean;
            }
        }
    }
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Active").finish_non_exhaustive()
    }
}

/// Returns whether the attribute records anything on a call.
fn records(site: &Site) -> bool {
    site.has_items || site.has_quality || !site.fields.is_empty()
}

/// Returns the attribute's level where it names one other than the usual, else the event's.
fn level(site: &Site, event: Option<&Event>) -> Level {
    match event.and_then(|event| event.level) {
        Some(configured) if site.level == Level::INFO => tracing_level(configured),
        _ => site.level,
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

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Leaves the error with the call above, which may pass it on.
fn pass_on(ids: Ids, error: Box<ErrorInfo>) {
    context::change(|current| {
        if current.site.is_some() && current.span == ids.parent {
            current.extra.get_or_insert_default().below = Some(error);
        }
    });
}

/// Returns whether `error` is `below` again: the same, or one that wraps or quotes it.
fn is_same(error: &ErrorInfo, below: &ErrorInfo) -> bool {
    if below.message.is_empty() {
        return error.type_name == below.type_name;
    }
    std::iter::once(&error.message)
        .chain(&error.chain)
        .any(|text| text.contains(&below.message))
        || matches!((error.chain.last(), below.chain.last()), (Some(a), Some(b)) if a == b)
}
