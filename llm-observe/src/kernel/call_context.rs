//! What a program says of the work it does: whose it is, and which trace of another process it
//! belongs to.

use std::sync::Arc;

use super::{
    carried::{CONVERSATION, Carried, TENANT, TraceOrigin, USER},
    context, dispatch,
    ids::{SpanId, TraceId},
    propagation::{Surroundings, WithContext},
    request_context::SAMPLED,
    trace_parent::{self, TraceParent},
};

/// The ids that every line and record of some work has, and the trace that it continues: see
/// [`context()`] and [`continue_trace`].
#[derive(Clone, Debug, Default)]
#[must_use = "a context does nothing until something runs in it: `scope` or `in_scope`"]
pub struct Context {
    /// The span that its work is below; `None` for the call that it runs in.
    parent: Option<(TraceId, SpanId)>,
    carried: Arc<Carried>,
}

/// Returns the context of this thread's work, to add to and to run other work in.
///
/// ```
/// use llm_observe::{observe, testing};
///
/// #[observe]
/// async fn answer(question: &str) -> usize {
///     question.len()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let observer = testing::observe();
/// llm_observe::context()
///     .conversation("c-1")
///     .user("u-1")
///     .tenant("acme")
///     .scope(answer("why?"))
///     .await;
/// let call = &observer.calls()[0];
/// assert_eq!(call.fields.get("gen_ai.conversation.id").unwrap().to_string(), "c-1");
/// assert_eq!(call.fields.get("user.id").unwrap().to_string(), "u-1");
/// assert_eq!(call.fields.get("tenant").unwrap().to_string(), "acme");
/// # }
/// ```
///
/// Every line, record, report and span below it has these values, across tasks and threads that the
/// call is taken along to. They are redacted like all others. Where a call records a field of the same
/// name itself, it keeps its own.
pub fn context() -> Context {
    let carried = context::look_ambient(|ambient| ambient.carried.clone()).flatten();
    Context {
        parent: None,
        carried: carried.unwrap_or_default(),
    }
}

/// Returns a context whose work belongs to the trace of a `traceparent`, as another process has
/// written it with [`CurrentCall::traceparent`](crate::CurrentCall::traceparent): for queues, and for
/// protocols other than HTTP.
///
/// ```
/// use llm_observe::{observe, testing};
///
/// #[observe]
/// fn process(job: &str) {
///     assert!(!job.is_empty());
/// }
///
/// let observer = testing::observe();
/// let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// llm_observe::continue_trace(sent).in_scope(|| process("a job"));
/// let call = &observer.calls()[0];
/// assert_eq!(call.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert_eq!(call.parent_id.to_string(), "b7ad6b7169203331");
/// ```
///
/// With an invalid one, calls start traces of their own. The format is that of W3C Trace Context, level
/// 1; of a later version the known part is read.
pub fn continue_trace(traceparent: impl AsRef<[u8]>) -> Context {
    let parent = TraceParent::parse(traceparent.as_ref());
    let mut context = context();
    let carried = Arc::make_mut(&mut context.carried);
    carried.set_trace(Some(match parent {
        // Unknown flags are not passed on (section 3.2.2.5).
        Some(parent) => TraceOrigin {
            flags: parent.flags & SAMPLED,
            state: None,
        },
        None => TraceOrigin::HERE,
    }));
    let ids = parent.map(|parent| (parent.trace, parent.span));
    context.parent = Some(ids.unwrap_or_default());
    context
}

impl Context {
    /// Sets the conversation: `gen_ai.conversation.id`.
    pub fn conversation(self, id: impl AsRef<str>) -> Context {
        self.with(CONVERSATION, id.as_ref())
    }

    /// Sets the user: `user.id`.
    pub fn user(self, id: impl AsRef<str>) -> Context {
        self.with(USER, id.as_ref())
    }

    /// Sets the tenant: `tenant`.
    pub fn tenant(self, id: impl AsRef<str>) -> Context {
        self.with(TENANT, id.as_ref())
    }

    /// At most 256 bytes of a value are kept. An empty one removes what an outer context has set.
    fn with(mut self, name: &'static str, value: &str) -> Context {
        Arc::make_mut(&mut self.carried).set(name, value);
        self
    }

    /// Sets the `tracestate` that came with the `traceparent`, to be passed on. One that is longer
    /// than 512 bytes or invalid is dropped, and so is one beside an invalid `traceparent`.
    pub fn tracestate(mut self, tracestate: impl AsRef<[u8]>) -> Context {
        if self.parent.is_some_and(|(trace, _)| !trace.is_none()) {
            let state = trace_parent::trace_state(tracestate.as_ref());
            Arc::make_mut(&mut self.carried).set_state(state);
        }
        self
    }

    /// Adds the values of a `baggage` header (W3C Baggage) that `[http] baggage` names; others are
    /// dropped, and so are all without an observer.
    pub fn baggage(mut self, baggage: impl AsRef<[u8]>) -> Context {
        let keys = dispatch::baggage_keys();
        Arc::make_mut(&mut self.carried).add_baggage(baggage.as_ref(), keys);
        self
    }

    /// Returns a value by the name that lines have it under: `gen_ai.conversation.id`, `user.id`,
    /// `tenant`, or a key of `[http] baggage`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.carried.get(name)
    }

    /// Runs a future or a stream in this context, on whatever task and thread it is polled.
    ///
    /// The call that it is polled in remains the one that its calls are below, unless the context
    /// [continues a trace](continue_trace). To spawn it, take that call along too:
    /// `llm_observe::spawn(context.scope(future))`.
    pub fn scope<F>(&self, future: F) -> WithContext<F> {
        WithContext::new(future, self.surroundings())
    }

    /// Runs `f` in this context.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _entered = self.surroundings().enter();
        f()
    }

    /// Returns its values over those that surround it.
    fn surroundings(&self) -> Surroundings {
        let over = |outer: &Arc<Carried>| match Arc::ptr_eq(outer, &self.carried) {
            true => self.carried.clone(),
            false => Arc::new(self.carried.over(outer)),
        };
        let over_outer = context::look_ambient(|ambient| ambient.carried.as_ref().map(over));
        let carried = over_outer.flatten().unwrap_or_else(|| self.carried.clone());
        Surroundings::of_context(carried, self.parent)
    }
}
