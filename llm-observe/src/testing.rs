//! Observers for tests: they see the calls of one thread, and nobody else's.
//!
//! ```
//! use llm_observe::{Outcome, observe, testing};
//!
//! #[observe(event = "embedding")]
//! fn embed(text: &str) -> Result<usize, String> {
//!     if text.is_empty() { Err("nothing to embed".to_owned()) } else { Ok(text.len()) }
//! }
//!
//! let seen = testing::observe();
//! embed("").unwrap_err();
//! let calls = seen.calls();
//! assert_eq!(calls.len(), 1);
//! assert_eq!(calls[0].outcome, Outcome::Error);
//! assert_eq!(calls[0].error.as_ref().unwrap().message, "nothing to embed");
//! ```
//!
//! With a channel's feature on, [`TestObserver::alerts`] tells which messages would have been sent.

use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use llm_observe_config::Config;

use crate::{
    error::Error,
    kernel::{
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        outcome::Outcome,
        panics,
        record::Record,
        request::{Exchange, Request},
        sink::Sink,
        site::Site,
        stats::Stats,
        value::Fields,
    },
    metrics::Metrics,
    observer::{self, Core},
    redact::Redactor,
};

/// Observes this thread, with nothing but defaults, until the returned value is dropped.
pub fn observe() -> TestObserver {
    TestObserver::over(Config::default(), Redactor::default())
}

/// Observes this thread with that configuration, until the returned value is dropped. Log files,
/// channels and trackers of it are not opened.
///
/// # Errors
///
/// When the text has mistakes.
pub fn observe_with(config: &str) -> Result<TestObserver, Error> {
    let config = Config::parse(config, "llm-observe.toml".as_ref())
        .map_err(|e| Error::with("the configuration has mistakes", e))?;
    let redactor = Redactor::new(&config.redact)?;
    Ok(TestObserver::over(config, redactor))
}

/// One call that ended while the observer looked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The annotated function.
    pub site: &'static Site,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Duration,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own span.
    pub span_id: SpanId,
    /// The span it was called from.
    pub parent_id: SpanId,
    /// The error, for every failure.
    pub error: Option<ErrorInfo>,
    /// What was recorded on it.
    pub fields: Fields,
    /// The number of things it processed.
    pub items: Option<u64>,
    /// The score of its result.
    pub quality: Option<f64>,
    /// Whether it took longer than `slow`.
    pub slow: bool,
    /// Whether its error was expected.
    pub expected: bool,
    /// Whether its error had been recorded by a call below it.
    pub passed_on: bool,
    /// The HTTP request that it belongs to.
    pub request: Option<Request>,
    /// What was asked and answered, where the call itself is an HTTP request.
    pub exchange: Option<Exchange>,
    /// Whether an error tracker would have got it.
    pub reported: bool,
    /// The level of its line.
    pub level: tracing::Level,
}

impl Call {
    fn of(record: &Record<'_>) -> Call {
        Call {
            site: record.site,
            outcome: record.outcome,
            duration: record.duration,
            trace_id: record.trace_id,
            span_id: record.span_id,
            parent_id: record.parent_id,
            error: record.error.cloned(),
            fields: record.fields.clone(),
            items: record.items,
            quality: record.quality,
            slow: record.slow,
            expected: record.expected,
            passed_on: record.passed_on,
            request: record.request.cloned(),
            exchange: record.exchange.cloned(),
            reported: record.is_reportable(),
            level: record.level(),
        }
    }

    /// Returns the event's name.
    #[must_use]
    pub fn event(&self) -> &'static str {
        self.site.event
    }

    /// Returns the function's module path and name.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.site.function()
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<Call>>);

impl Sink for Seen {
    fn record(&self, record: &Record<'_>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Call::of(record));
    }
}

/// An observer of one thread; stops when dropped. Observers nest: the innermost sees the calls.
#[must_use = "the observer stops when this is dropped; bind it: `let seen = ...`"]
pub struct TestObserver {
    alerts: Rehearsed,
    seen: Arc<Seen>,
    core: Arc<Core>,
    before: Option<Arc<Core>>,
    /// It belongs to the thread it was made on.
    thread: PhantomData<*const ()>,
}

impl TestObserver {
    fn over(config: Config, redactor: Redactor) -> TestObserver {
        panics::install();
        let stats = Arc::new(Stats::default());
        let metrics = Metrics::of_thread(&config, stats.clone());
        let (seen, redactor) = (Arc::new(Seen::default()), Arc::new(redactor));
        let alerts = Rehearsed::new(&config);
        let mut sinks: Vec<Arc<dyn Sink>> = vec![seen.clone()];
        sinks.extend(alerts.sink());
        let core = Core::new(config, sinks, metrics, stats, redactor, false);
        observer::scoped_begins();
        let before = observer::replace_scoped(Some(core.clone()));
        TestObserver {
            alerts,
            seen,
            core,
            before,
            thread: PhantomData,
        }
    }

    /// Returns the calls that have ended so far, in the order they ended.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.seen
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the calls of one event.
    #[must_use]
    pub fn calls_of(&self, event: &str) -> Vec<Call> {
        self.calls()
            .into_iter()
            .filter(|call| call.event() == event)
            .collect()
    }

    /// Returns the alerts that the calls so far would have sent, as if their groups were complete:
    /// one message for a burst, each with the channel it would go to (`any` where the
    /// configuration has none).
    #[cfg(feature = "delivery")]
    #[must_use]
    pub fn alerts(&self) -> Vec<(String, crate::alerts::Notice)> {
        self.alerts.messages()
    }

    /// Returns the figures of this observer alone, as Prometheus text; empty without the `metrics`
    /// feature.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.core.metrics.render().unwrap_or_default()
    }

    /// Returns a handle that makes this observer see the calls of other threads too.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.core.clone())
    }
}

impl fmt::Debug for TestObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestObserver")
            .field("calls", &self.calls().len())
            .finish_non_exhaustive()
    }
}

impl Drop for TestObserver {
    fn drop(&mut self) {
        observer::replace_scoped(self.before.take());
        observer::scoped_ends();
    }
}

/// Takes a [`TestObserver`] observer to another thread.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Core>);

impl Handle {
    /// Runs `f` on this thread, with its calls seen by the observer.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        struct Restore(Option<Arc<Core>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                observer::replace_scoped(self.0.take());
                observer::scoped_ends();
            }
        }
        observer::scoped_begins();
        let _restore = Restore(observer::replace_scoped(Some(self.0.clone())));
        f()
    }
}

#[cfg(feature = "delivery")]
mod rehearsed {
    use std::sync::Arc;

    use super::{Config, Sink};
    use crate::alerts::{AlertRecorder, Notice};

    /// The alerts of a test; `None` where their settings make no sense.
    pub(super) struct Rehearsed(Option<Arc<AlertRecorder>>);

    impl Rehearsed {
        pub(super) fn new(config: &Config) -> Rehearsed {
            Rehearsed(AlertRecorder::new(config).ok().map(Arc::new))
        }

        pub(super) fn sink(&self) -> Option<Arc<dyn Sink>> {
            self.0.clone().map(|rehearsal| rehearsal as Arc<dyn Sink>)
        }

        pub(super) fn messages(&self) -> Vec<(String, Notice)> {
            self.0
                .as_ref()
                .map(|rehearsal| rehearsal.messages())
                .unwrap_or_default()
        }
    }
}

#[cfg(not(feature = "delivery"))]
mod rehearsed {
    use std::sync::Arc;

    use super::{Config, Sink};

    pub(super) struct Rehearsed(());

    impl Rehearsed {
        pub(super) fn new(_: &Config) -> Rehearsed {
            Rehearsed(())
        }

        pub(super) fn sink(&self) -> Option<Arc<dyn Sink>> {
            None
        }
    }
}

use rehearsed::Rehearsed;
