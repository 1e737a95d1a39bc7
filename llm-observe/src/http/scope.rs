//! Which request and which call a thread works for, while it works for them, and the way to take
//! both along to another task.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::kernel::{
    context::{self, Current},
    ids::{SpanId, TraceId},
    request::Request,
};

/// Makes a request the thread's, until this is dropped.
pub(crate) struct Scope(Option<Arc<Request>>);

impl Scope {
    #[inline]
    pub(crate) fn enter(request: Option<Arc<Request>>) -> Scope {
        Scope(context::replace_request(request))
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        context::replace_request(self.0.take());
    }
}

/// Takes the current call and request along: what `future` calls and logs belongs to them, on
/// whatever task and thread it is polled.
///
/// ```
/// use llm_observe::{http::in_current_call, observe};
///
/// # #[observe]
/// # async fn embed(text: String) -> usize { text.len() }
/// #[observe]
/// async fn answer(question: String) -> usize {
///     let found = in_current_call(embed(question));
///     // tokio::spawn(found).await
///     # found.await
/// }
/// ```
///
/// Calls made in it are children of the call it was taken from. What they fail with is theirs: it
/// is reported and alerted where it happened, and not taken for the cause of a failure of that call,
/// which may have ended long before.
pub fn in_current_call<F: Future>(future: F) -> InCurrentCall<F> {
    let (trace, span) = context::parent();
    InCurrentCall {
        future: Some(future),
        trace,
        span,
        request: context::request(),
    }
}

pin_project! {
    /// A future that belongs to the call and the request in which it was made: see
    /// [`in_current_call`].
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct InCurrentCall<F> {
        #[pin]
        future: Option<F>,
        trace: TraceId,
        span: SpanId,
        request: Option<Arc<Request>>,
    }

    impl<F> PinnedDrop for InCurrentCall<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                // What is cancelled with it belongs to the same call.
                let _there = There::enter(*this.trace, *this.span, this.request);
                this.future.set(None);
            }
        }
    }
}

impl<F: Future> Future for InCurrentCall<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _there = There::enter(*this.trace, *this.span, this.request);
        let polled = match this.future.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => return Poll::Pending,
        };
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

/// The thread in another call and request than its own, until this is dropped.
struct There {
    before: Option<Current>,
    _request: Scope,
}

impl There {
    fn enter(trace: TraceId, span: SpanId, request: &Option<Arc<Request>>) -> There {
        // No site: nothing is recorded on a call from another thread than its own.
        let current = Current {
            trace,
            span,
            ..Current::NONE
        };
        There {
            before: Some(context::replace(current)),
            _request: Scope::enter(request.clone()),
        }
    }
}

impl Drop for There {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            context::replace(before);
        }
    }
}
