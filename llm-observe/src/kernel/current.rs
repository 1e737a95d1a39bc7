//! The call that runs, for the program's own code in it.

use super::{
    capture::IntoValue,
    context, dispatch,
    ids::{SpanId, TraceId},
    propagation::Surroundings,
    scope::CallScope,
    trace_parent::TraceParent,
};

/// The innermost annotated call that runs on this thread: see [`current`].
#[derive(Clone, Copy, Debug)]
pub struct CurrentCall {
    trace: TraceId,
    span: SpanId,
}

/// Returns the innermost annotated call, or operation, that runs on this thread.
///
/// ```
/// use llm_observe::{observe, testing};
///
/// #[observe(fields(tokens))]
/// fn answer(question: &str) -> usize {
///     let tokens = question.split(' ').count();
///     llm_observe::current().record("tokens", tokens);
///     tokens
/// }
///
/// let observer = testing::observe();
/// answer("how many words");
/// assert_eq!(observer.calls()[0].fields.get("tokens").unwrap().to_string(), "3");
/// ```
#[must_use]
pub fn current() -> CurrentCall {
    let (trace, span) = context::parent();
    CurrentCall { trace, span }
}

impl CurrentCall {
    /// Returns the trace it belongs to; `None` outside of all calls.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        (!self.trace.is_none()).then_some(self.trace)
    }

    /// Returns its own span; `None` outside of all calls.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        (!self.span.is_none()).then_some(self.span)
    }

    /// Records `value` under `name`; a later value replaces an earlier one. Nothing is recorded
    /// when the call has ended or runs on another thread, and where a call is only counted since
    /// nothing takes its record.
    pub fn record(&self, name: &'static str, value: impl IntoValue) {
        // Its `Display` is the program's own code: the thread's call is not borrowed meanwhile.
        let value = value.to_value();
        if context::parent().1 == self.span {
            CallScope::on_current(|scope| scope.record(name, value));
        }
    }

    /// Returns its trace and its span as a `traceparent` (W3C Trace Context, level 1), for a queue or
    /// another protocol; `None` outside of all calls. On the other side,
    /// [`continue_trace`](crate::continue_trace) takes it.
    ///
    /// ```
    /// use llm_observe::{observe, testing};
    ///
    /// #[observe]
    /// fn enqueue() -> Option<String> {
    ///     llm_observe::current().traceparent()
    /// }
    ///
    /// let observer = testing::observe();
    /// let header = enqueue().unwrap();
    /// let call = &observer.calls()[0];
    /// assert_eq!(header, format!("00-{}-{}-01", call.trace_id, call.span_id));
    /// ```
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        let (trace, span) = (self.trace_id()?, self.span_id()?);
        let flags = context::look_ambient(|ambient| ambient.trace_flags())?;
        Some(TraceParent { trace, span, flags }.to_string())
    }

    /// Returns the `tracestate` that came with the trace, to be passed on beside
    /// [`CurrentCall::traceparent`].
    #[must_use]
    pub fn tracestate(&self) -> Option<String> {
        self.trace_id()?;
        let state = |ambient: &context::Ambient| ambient.trace_state().map(str::to_owned);
        context::look_ambient(state).flatten()
    }

    /// Returns a `baggage` header (W3C Baggage) with the values that `[http] baggage` names, where the
    /// context has any. [`Context::baggage`](crate::Context::baggage) takes it.
    #[must_use]
    pub fn baggage(&self) -> Option<String> {
        let keys = dispatch::baggage_keys();
        context::look_ambient(|ambient| ambient.carried.as_ref()?.baggage(keys)).flatten()
    }

    /// Takes the call, and the request and the context of this thread, along with a closure, for
    /// another thread.
    ///
    /// ```
    /// use llm_observe::{observe, testing};
    ///
    /// #[observe]
    /// fn embed(text: &str) -> usize {
    ///     text.len()
    /// }
    ///
    /// #[observe]
    /// fn answer(question: &'static str) -> usize {
    ///     let work = llm_observe::current().wrap(move || embed(question));
    ///     std::thread::spawn(work).join().unwrap_or_default()
    /// }
    ///
    /// let observer = testing::observe();
    /// assert_eq!(answer("why?"), 4);
    /// let (embed, answer) = (&observer.calls()[0], &observer.calls()[1]);
    /// assert_eq!(embed.parent_id, answer.span_id);
    /// ```
    pub fn wrap<F, T>(self, f: F) -> impl FnOnce() -> T + use<F, T>
    where
        F: FnOnce() -> T,
    {
        let surroundings = Surroundings::of_call((self.trace, self.span));
        move || {
            let _entered = surroundings.enter();
            f()
        }
    }

    /// As [`CurrentCall::wrap`], for a closure that is called many times with one argument: what
    /// `map` and `for_each` of rayon take.
    ///
    /// ```
    /// use llm_observe::{observe, testing};
    ///
    /// #[observe]
    /// fn embed(text: &&str) -> usize {
    ///     text.len()
    /// }
    ///
    /// #[observe]
    /// fn embed_all(texts: &[&str]) -> usize {
    ///     // texts.par_iter().map(llm_observe::current().wrap_fn(embed)).sum()
    ///     texts.iter().map(llm_observe::current().wrap_fn(embed)).sum()
    /// }
    ///
    /// let observer = testing::observe();
    /// assert_eq!(embed_all(&["one", "three"]), 8);
    /// assert_eq!(observer.calls().len(), 3);
    /// ```
    pub fn wrap_fn<F, A, T>(self, f: F) -> impl Fn(A) -> T + use<F, A, T>
    where
        F: Fn(A) -> T,
    {
        let surroundings = Surroundings::of_call((self.trace, self.span));
        move |argument| {
            let _entered = surroundings.enter();
            f(argument)
        }
    }
}
