//! Takes the call and the request that a thread works for along to another task or thread, and the
//! scoped observer of a test with them.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{
    context::{self, Current},
    dispatch::{self, Dispatch, ScopedGuard},
    ids::{SpanId, TraceId},
    request_context::RequestContext,
};

/// Makes a request the thread's, until this is dropped.
pub(crate) struct RequestGuard(Option<Arc<RequestContext>>);

impl RequestGuard {
    #[inline]
    pub(crate) fn enter(request: Option<Arc<RequestContext>>) -> RequestGuard {
        RequestGuard(context::replace_request(request))
    }
}

impl Drop for RequestGuard {
    #[inline]
    fn drop(&mut self) {
        context::replace_request(self.0.take());
    }
}

/// Takes the current call and request along: what `future` calls and logs belongs to them, on
/// whatever task and thread it is polled.
///
/// ```
/// use llm_observe::{in_current_call, observe};
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
/// Calls made in it are children of the call it was taken from. Their failures are reported and
/// alerted where they happened. They are not taken for the cause of a failure of that call, which
/// may have ended long before. A test observer that sees the current call sees them too.
pub fn in_current_call<F: Future>(future: F) -> InCurrentCall<F> {
    InCurrentCall {
        future: Some(future),
        captured: Captured::current(),
    }
}

pin_project! {
    /// A future that belongs to the call and the request in which it was made: see
    /// [`in_current_call`].
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct InCurrentCall<F> {
        #[pin]
        future: Option<F>,
        captured: Captured,
    }

    impl<F> PinnedDrop for InCurrentCall<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                // What is cancelled with it belongs to the same call.
                let _entered = this.captured.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F: Future> Future for InCurrentCall<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = this.captured.enter();
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

/// The call and the request that a thread worked for, and the observer that it reported to.
struct Captured {
    trace: TraceId,
    span: SpanId,
    request: Option<Arc<RequestContext>>,
    observer: Option<Arc<dyn Dispatch>>,
}

impl Captured {
    fn current() -> Captured {
        let (trace, span) = context::parent();
        Captured {
            trace,
            span,
            request: context::request(),
            observer: dispatch::scoped_observer(),
        }
    }

    /// Makes them the thread's.
    fn enter(&self) -> ContextGuard {
        // No site: nothing is recorded on a call from another thread than its own.
        let current = Current {
            trace: self.trace,
            span: self.span,
            ..Current::NONE
        };
        let observer = self.observer.clone();
        ContextGuard {
            before: Some(context::replace(current)),
            _request: RequestGuard::enter(self.request.clone()),
            _observer: observer.map(|observer| ScopedGuard::enter(Some(observer))),
        }
    }
}

/// The thread in another call and request than its own, until this is dropped.
struct ContextGuard {
    before: Option<Current>,
    _request: RequestGuard,
    _observer: Option<ScopedGuard>,
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            context::replace(before);
        }
    }
}
