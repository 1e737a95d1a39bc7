//! Observers for tests: each sees the calls of its own thread, and of work that was taken along.
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
//! With a channel's feature on, [`TestObserver::alerts`] returns the messages that would have been sent.

use std::{
    any::{Any, TypeId},
    fmt,
    future::Future,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use llm_observe_config::Config;

#[cfg(feature = "genai")]
use crate::genai::{operation::Snapshot, state::GenAiState};
use crate::{
    error::Error,
    init::operations::{self, KINDS},
    kernel::{
        dispatch::{Dispatch, ScopedCount, ScopedGuard},
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        outcome::Outcome,
        panics,
        record::Record,
        request_context::RequestContext,
        sink::{LogEvent, Sink},
        site::Site,
        stats::Stats,
        value::{Fields, Value},
    },
    metrics::Metrics,
    observer::{Dispatcher, Pipeline},
    redact::{Redacted, Redactor},
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

/// One call that the observer saw end.
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
    /// The number of items that the stream it returned has yielded; `None` when it returned none.
    pub chunks: Option<u64>,
    /// The score of its result.
    pub quality: Option<f64>,
    /// Whether it took longer than `slow`.
    pub slow: bool,
    /// Whether its error was expected.
    pub expected: bool,
    /// Whether its error had been recorded by a call below it.
    pub passed_on: bool,
    /// The request that it belongs to.
    pub request: Option<RequestContext>,
    /// The attributes of its operation, under the names of their conventions.
    pub attributes: Vec<(String, Value)>,
    operation: Option<Arc<dyn Any + Send + Sync>>,
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
            chunks: record.chunks,
            quality: record.quality,
            slow: record.slow,
            expected: record.expected,
            passed_on: record.passed_on,
            request: record.request.cloned(),
            attributes: attributes(record),
            operation: record.operation.and_then(|operation| operation.snapshot()),
            reported: record.is_reported(),
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

    /// Returns an attribute of its operation, such as `http.response.status_code`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        let mut all = self.attributes.iter();
        all.find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns its operation, where that is of type `T` and keeps a copy of itself for tests:
    /// `http::Exchange` does.
    #[must_use]
    pub fn operation<T: Any>(&self) -> Option<&T> {
        self.operation.as_deref()?.downcast_ref()
    }
}

#[cfg(feature = "genai")]
impl Call {
    /// Returns the tokens that its operation has taken, as far as they are known.
    #[must_use]
    pub fn usage(&self) -> Option<crate::genai::Usage> {
        self.operation::<Snapshot>()?.usage
    }

    /// Returns what its operation has cost; [`Cost::Unpriced`](crate::genai::Cost::Unpriced) where that is
    /// not known, and for what is no operation of a model.
    #[must_use]
    pub fn cost(&self) -> crate::genai::Cost {
        let snapshot = self.operation::<Snapshot>();
        snapshot.map(|snapshot| snapshot.cost).unwrap_or_default()
    }
}

fn attributes(record: &Record<'_>) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    if let Some(operation) = record.operation {
        operation.attributes(&mut |attribute, value| {
            if !attribute.name().is_empty() {
                all.push((attribute.name().to_owned(), value.to_value()));
            }
        });
    }
    all
}

/// A line that the observer itself has written besides those of calls: the result of an evaluation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// Its level.
    pub level: tracing::Level,
    /// The module of the call, where that is known.
    pub target: String,
    /// Its message: `gen_ai.evaluation.result`.
    pub message: String,
    /// Its fields, such as `gen_ai.evaluation.score.value`.
    pub fields: Vec<(&'static str, Value)>,
    /// The trace of its call.
    pub trace_id: TraceId,
    /// The span of its call.
    pub span_id: SpanId,
}

impl Event {
    /// Returns the value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value> {
        let mut all = self.fields.iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<Call>>, Mutex<Vec<Event>>);

impl Sink for Seen {
    fn record(&self, record: &Redacted<Record<'_>>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Call::of(record));
    }

    fn event(&self, event: &Redacted<LogEvent<'_>>) {
        let event = Event {
            level: event.level,
            target: event.target.to_owned(),
            message: event.message.to_owned(),
            fields: event.fields.to_vec(),
            trace_id: event.trace_id,
            span_id: event.span_id,
        };
        let mut events = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event);
    }
}

/// An observer of one thread; stops when dropped. Observers nest: the innermost sees the calls.
///
/// Work of other tasks and threads reports to it too, where it was taken along with
/// [`in_current_call`](crate::in_current_call), by [`TestObserver::scope`], or through a
/// [`TestObserver::handle`].
#[must_use = "the observer stops when this is dropped; bind it: `let observer = ...`"]
pub struct TestObserver {
    alerts: RecordedAlerts,
    seen: Arc<Seen>,
    dispatcher: Arc<Dispatcher>,
    // In this order: the thread's observer is put back before it is counted out.
    _thread: ScopedGuard,
    _count: ScopedCount,
    /// It belongs to the thread it was made on.
    not_send: PhantomData<*const ()>,
}

impl TestObserver {
    fn over(config: Config, redactor: Redactor) -> TestObserver {
        panics::install();
        let stats = Arc::new(Stats::default());
        let metrics = Metrics::of_thread(&config, &operations::metrics(), stats.clone());
        let (seen, redactor) = (Arc::new(Seen::default()), Arc::new(redactor));
        let alerts = RecordedAlerts::new(&config);
        let mut sinks: Vec<Arc<dyn Sink>> = vec![seen.clone()];
        sinks.extend(alerts.sink());
        let pipeline = Pipeline::new(config, sinks, metrics, stats, redactor, false);
        let dispatcher = Dispatcher::scoped(pipeline, KINDS);
        TestObserver {
            alerts,
            seen,
            _count: ScopedCount::new(),
            _thread: ScopedGuard::enter(Some(dispatcher.clone())),
            dispatcher,
            not_send: PhantomData,
        }
    }

    /// Runs `future` with its calls seen by this observer, on whatever thread it is polled.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.handle().scope(future)
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

    /// Returns the lines that the observer has written besides those of calls, such as results of
    /// evaluations. What a program logs itself is not among them.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let events = self.seen.1.lock();
        events.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until no evaluation of `evaluate` waits or runs, at most `limit`. Returns whether none does.
    #[cfg(feature = "genai")]
    #[must_use]
    pub fn wait_for_evaluations(&self, limit: Duration) -> bool {
        let state = self.dispatcher.extension(TypeId::of::<GenAiState>());
        let state = state.and_then(|state| state.downcast_ref::<GenAiState>());
        state.is_none_or(|state| state.wait_for_evaluations(limit))
    }

    /// Returns the alerts that the calls so far would have sent, as if their groups were complete:
    /// one message for a burst, each with the channel it would go to (`any` where the
    /// configuration has none).
    #[cfg(feature = "delivery")]
    #[must_use]
    pub fn alerts(&self) -> Vec<(String, crate::alerts::Notice)> {
        self.alerts.messages()
    }

    /// Returns the metrics of this observer alone, as Prometheus text; empty without the `metrics`
    /// feature.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.dispatcher
            .pipeline()
            .metrics
            .render()
            .unwrap_or_default()
    }

    /// Returns a handle that makes this observer see the calls of other threads too.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.dispatcher.clone())
    }
}

impl fmt::Debug for TestObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestObserver")
            .field("calls", &self.calls().len())
            .finish_non_exhaustive()
    }
}

/// Takes a [`TestObserver`] to another thread or task.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Dispatcher>);

impl Handle {
    /// Returns how many references keep the observer alive, this handle's among them.
    #[doc(hidden)]
    #[must_use]
    pub fn references(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Runs `f` on this thread, with its calls seen by the observer.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _count = ScopedCount::new();
        let _thread = ScopedGuard::enter(Some(self.0.clone()));
        f()
    }

    /// Runs `future` with its calls seen by the observer, on whatever thread it is polled.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let observer: Arc<dyn Dispatch> = self.0.clone();
        async move {
            let _count = ScopedCount::new();
            let mut future = std::pin::pin!(future);
            let poll = |context: &mut std::task::Context<'_>| {
                let _thread = ScopedGuard::enter(Some(observer.clone()));
                future.as_mut().poll(context)
            };
            std::future::poll_fn(poll).await
        }
    }
}

#[cfg(feature = "delivery")]
mod recorded_alerts {
    use std::sync::Arc;

    use super::{Config, Sink};
    use crate::alerts::{AlertRecorder, Notice};

    /// The alerts of a test; `None` where their settings make no sense.
    pub(super) struct RecordedAlerts(Option<Arc<AlertRecorder>>);

    impl RecordedAlerts {
        pub(super) fn new(config: &Config) -> RecordedAlerts {
            RecordedAlerts(AlertRecorder::new(config).ok().map(Arc::new))
        }

        pub(super) fn sink(&self) -> Option<Arc<dyn Sink>> {
            self.0.clone().map(|recorder| recorder as Arc<dyn Sink>)
        }

        pub(super) fn messages(&self) -> Vec<(String, Notice)> {
            self.0
                .as_ref()
                .map(|recorder| recorder.messages())
                .unwrap_or_default()
        }
    }
}

#[cfg(not(feature = "delivery"))]
mod recorded_alerts {
    use std::sync::Arc;

    use super::{Config, Sink};

    pub(super) struct RecordedAlerts(());

    impl RecordedAlerts {
        pub(super) fn new(_: &Config) -> RecordedAlerts {
            RecordedAlerts(())
        }

        pub(super) fn sink(&self) -> Option<Arc<dyn Sink>> {
            None
        }
    }
}

use recorded_alerts::RecordedAlerts;
