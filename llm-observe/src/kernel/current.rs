//! The call that runs, for the program's own code in it.

use super::{
    capture::IntoValue,
    context,
    ids::{SpanId, TraceId},
    scope::CallScope,
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
}
