//! A call that is an operation and no annotated function: made by what receives or sends it.

use std::{
    any::Any,
    error::Error,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

use super::{
    call::Call,
    clock,
    context::{self, Ambient},
    describe,
    error_info::ErrorInfo,
    extra::Extra,
    ids::{SpanId, TraceId},
    operation::Operation,
    outcome::Outcome,
    propagation::AmbientGuard,
    request_context::RequestContext,
    site::Site,
};

/// A call that is an operation, such as a message that is processed. Dropped before its end, it is
/// recorded as cancelled.
///
/// ```
/// use llm_observe::{
///     Outcome, Site, operation::{Attribute, AttributeValue, Buckets, Instruments, Metric, Operation,
///     OperationCall, OperationSite, SpanKind, Unit}, redact::Redactor, testing,
/// };
///
/// /// A job from a queue.
/// #[derive(Debug)]
/// struct Job {
///     queue: &'static str,
///     attempt: u64,
/// }
///
/// impl Operation for Job {
///     fn attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
///         let name = Attribute::new("messaging.destination.name").short("queue");
///         visit(name, AttributeValue::text(self.queue));
///         let name = Attribute::new("job.attempt").short("attempt");
///         visit(name, AttributeValue::U64(self.attempt));
///     }
///
///     fn redact(&mut self, _: &Redactor) {} // no text from outside
/// }
///
/// static DURATION: Metric = Metric::histogram(
///     "messaging_process_duration_seconds",
///     &[],
///     Buckets::Durations(&[0.01, 0.1, 1.0, 10.0]),
///     "How long messages took to process.",
/// )
/// .unit(Unit::Seconds);
/// static METRICS: Instruments = Instruments { duration: &DURATION, active: None };
///
/// // One site for each queue, for the life of the program.
/// let site = OperationSite::new(SpanKind::Consumer, &METRICS);
/// let site = Site::for_operation("job", "process orders", module_path!(), site);
/// let site: &'static Site = Box::leak(Box::new(site));
///
/// let observer = testing::observe();
/// let mut call = OperationCall::start(site, Job { queue: "orders", attempt: 1 });
/// call.in_scope(|| { /* annotated functions called here are its children */ });
/// call.finish();
/// assert_eq!(observer.calls()[0].outcome, Outcome::Ok);
/// ```
#[must_use = "dropped, it is recorded as cancelled"]
pub struct OperationCall {
    call: Call,
    /// The request that it serves and what else its work carries; the thread's while that runs.
    ambient: Ambient,
}

impl OperationCall {
    /// Starts a call of `site` below the call that runs on this thread. Where nobody observes, it
    /// does nothing.
    pub fn start(site: &'static Site, operation: impl Operation) -> OperationCall {
        OperationCall::started(site, operation, None)
    }

    /// Starts a call below another span than the thread's: one of another process.
    pub fn start_below(
        site: &'static Site,
        operation: impl Operation,
        parent: (TraceId, SpanId),
    ) -> OperationCall {
        OperationCall::started(site, operation, Some(parent))
    }

    /// `parent`: the span that it is below, where that is not the thread's.
    fn started(
        site: &'static Site,
        operation: impl Operation,
        parent: Option<(TraceId, SpanId)>,
    ) -> OperationCall {
        let mut call = Call::new(site);
        let extra = call.extra();
        extra.operation = Some(Box::new(operation));
        extra.parent = parent;
        call.ensure_started();
        OperationCall::over(call, context::ambient())
    }

    /// Returns one over a call that has started, whose work carries `ambient`.
    pub(crate) fn over(call: Call, ambient: Ambient) -> OperationCall {
        OperationCall { call, ambient }
    }

    /// Returns whether it is observed.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.call.is_observed()
    }

    /// Returns the request that it serves.
    #[must_use]
    pub fn request(&self) -> Option<&RequestContext> {
        self.ambient.request.as_deref()
    }

    /// Returns what its work carries.
    pub(crate) fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    fn enter_ambient(&mut self) -> AmbientGuard {
        AmbientGuard::enter(std::mem::take(&mut self.ambient))
    }

    /// Returns its trace and its own span, to be told to another process.
    #[must_use]
    pub fn ids(&self) -> (TraceId, SpanId) {
        let ids = self.call.ids();
        (ids.trace, ids.span)
    }

    /// Returns how long it has been running.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.call.elapsed()
    }

    /// Returns its operation, where it is of that type.
    pub fn operation<T: Operation>(&mut self) -> Option<&mut T> {
        if !self.call.is_observed() {
            return None;
        }
        let any: &mut dyn Any = self.call.extra().operation.as_deref_mut()?;
        any.downcast_mut()
    }

    /// Runs `f` as its work: calls made in it are children, lines logged in it have its trace. A
    /// panic ends it and goes on.
    pub fn in_scope<T>(&mut self, f: impl FnOnce() -> T) -> T {
        match self.catch(f) {
            Ok(done) => done,
            Err(panic) => {
                self.end_panicked();
                resume_unwind(panic)
            }
        }
    }

    /// Polls `future` as its work: see [`OperationCall::in_scope`].
    pub async fn scope<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| self.in_scope(|| future.as_mut().poll(context))).await
    }

    /// Runs `f` as its work; `Err` when it panics, without ending it.
    #[inline]
    pub(crate) fn catch<T>(&mut self, f: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
        if !self.call.is_observed() {
            return Ok(f());
        }
        let before = context::replace_ambient(std::mem::take(&mut self.ambient));
        let entered = self.call.enter();
        let done = catch_unwind(AssertUnwindSafe(f));
        entered.leave(&mut self.call);
        self.ambient = context::replace_ambient(before);
        done
    }

    /// Ends it, with the failure that its operation's status stands for, or well.
    pub fn finish(mut self) {
        let operation = self.call.extra().operation.as_deref();
        let failure = operation.and_then(Operation::failure);
        self.end(failure);
    }

    /// Ends it with `error`.
    pub fn fail<E: Error + 'static>(self, error: &E) {
        let error = describe::error(std::any::type_name::<E>(), error);
        self.end_with(Outcome::Error, error);
    }

    /// Returns what is recorded on it, to add to.
    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.call.extra()
    }

    /// Ends it with that failure, or well, at a reading of the clock that may have passed.
    pub(crate) fn end_at(&mut self, failure: Option<(Outcome, ErrorInfo)>, at: u64) {
        if !self.call.is_observed() {
            return;
        }
        let _ambient = self.enter_ambient();
        let mut scope = self.call.take_scope();
        if let Some((outcome, error)) = failure {
            scope.failed(outcome, error);
        }
        self.call.end_at(scope, at);
    }

    /// Ends it as dropped before its end.
    pub(crate) fn end_cancelled(&mut self) {
        if self.call.is_observed() {
            let _ambient = self.enter_ambient();
            self.call.cancelled();
        }
    }

    /// Ends it with that failure.
    pub(crate) fn end_with(mut self, outcome: Outcome, error: ErrorInfo) {
        self.end(Some((outcome, error)));
    }

    /// Ends it as panicked.
    pub(crate) fn end_panicked(&mut self) {
        let _ambient = self.enter_ambient();
        self.call.panicked();
    }

    fn end(&mut self, failure: Option<(Outcome, ErrorInfo)>) {
        self.end_at(failure, clock::ticks());
    }
}

impl fmt::Debug for OperationCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("OperationCall");
        debug
            .field("observed", &self.is_observed())
            .finish_non_exhaustive()
    }
}

impl Drop for OperationCall {
    fn drop(&mut self) {
        self.end_cancelled();
    }
}
