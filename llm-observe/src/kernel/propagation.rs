//! Takes the call, the request and the context that a thread works for along to another task or
//! thread, and the scoped observer of a test with them.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{
    carried::Carried,
    context::{self, Ambient, Current},
    dispatch::{self, Dispatch, ScopedGuard},
    ids::{SpanId, TraceId},
    operation::Shared,
    request_context::RequestContext,
    site::Site,
};

/// Makes a request and a context the thread's, until this is dropped.
pub(crate) struct AmbientGuard(Ambient);

impl AmbientGuard {
    #[inline]
    pub(crate) fn enter(ambient: Ambient) -> AmbientGuard {
        AmbientGuard(context::replace_ambient(ambient))
    }
}

impl Drop for AmbientGuard {
    #[inline]
    fn drop(&mut self) {
        context::replace_ambient(std::mem::take(&mut self.0));
    }
}

/// Takes the current call, request and context along: what a future or a stream calls and logs
/// belongs to them, on whatever task and thread it is polled.
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
///
/// [`CurrentCallExt`] has it as a method, and `spawn` (feature `tokio`) spawns it besides.
pub fn in_current_call<F>(future: F) -> InCurrentCall<F> {
    WithContext::new(future, Surroundings::current())
}

/// Takes the current call along with a future or a stream, as a method: see [`in_current_call`].
///
/// ```
/// use llm_observe::{CurrentCallExt as _, observe, testing};
///
/// #[observe]
/// async fn embed(text: &'static str) -> usize {
///     text.len()
/// }
///
/// #[observe]
/// async fn answer() -> usize {
///     let mut chunks = tokio::task::JoinSet::new();
///     for text in ["one", "two", "three"] {
///         chunks.spawn(embed(text).in_current_call());
///     }
///     chunks.join_all().await.into_iter().sum()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let observer = testing::observe();
/// assert_eq!(observer.scope(answer()).await, 11);
/// let answer = &observer.calls_of("answer")[0];
/// let chunks = observer.calls_of("embed");
/// assert_eq!(chunks.len(), 3);
/// assert!(chunks.iter().all(|chunk| chunk.parent_id == answer.span_id));
/// # }
/// ```
pub trait CurrentCallExt: Sized {
    /// Takes the current call, request and context along.
    fn in_current_call(self) -> InCurrentCall<Self> {
        in_current_call(self)
    }
}

impl<F> CurrentCallExt for F {}

/// A future or a stream that belongs to the call in which it was made: see [`in_current_call`].
pub type InCurrentCall<F> = WithContext<F>;

pin_project! {
    /// A future or a stream that runs in a call or a context of its own, on whatever task and thread
    /// it is polled: see [`in_current_call`] and [`Context::scope`](crate::Context::scope).
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct WithContext<F> {
        #[pin]
        inner: Option<F>,
        surroundings: Surroundings,
    }

    impl<F> PinnedDrop for WithContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                // What is cancelled with it belongs to the same call.
                let _entered = this.surroundings.enter();
                this.inner.set(None);
            }
        }
    }
}

impl<F> WithContext<F> {
    pub(super) fn new(inner: F, surroundings: Surroundings) -> WithContext<F> {
        WithContext {
            inner: Some(inner),
            surroundings,
        }
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = this.surroundings.enter();
        let polled = match this.inner.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => return Poll::Pending,
        };
        if polled.is_ready() {
            this.inner.set(None);
        }
        polled
    }
}

impl<S: Stream> Stream for WithContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let _entered = this.surroundings.enter();
        let polled = match this.inner.as_mut().as_pin_mut() {
            Some(stream) => stream.poll_next(cx),
            None => return Poll::Ready(None),
        };
        if matches!(polled, Poll::Ready(None)) {
            this.inner.set(None);
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), S::size_hint)
    }
}

impl<F> fmt::Debug for WithContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithContext").finish_non_exhaustive()
    }
}

/// Runs `f` in the place of a call of `site` that has ended. What operations share is not there.
pub(crate) fn in_ended_call(call: (TraceId, SpanId), site: &'static Site, f: impl FnOnce()) {
    let mut surroundings = Surroundings::of_call(call);
    surroundings.site = Some(site);
    if let Some(rest) = &mut surroundings.rest {
        rest.shared = None;
    }
    let _entered = surroundings.enter();
    f();
}

/// What surrounds work, and which of it is the thread's own.
pub(super) struct Surroundings {
    /// The call; `None` for the one that the thread is in.
    call: Option<(TraceId, SpanId)>,
    /// The site of that call, where it is known.
    site: Option<&'static Site>,
    carried: Option<Arc<Carried>>,
    /// The request, the observer and what operations share; `None` for those of the thread.
    rest: Option<Rest>,
}

struct Rest {
    request: Option<Arc<RequestContext>>,
    observer: Option<Arc<dyn Dispatch>>,
    shared: Option<Shared>,
}

impl Surroundings {
    /// Returns all that surrounds the thread's work.
    pub(super) fn current() -> Surroundings {
        Surroundings::of_call(context::parent())
    }

    /// Returns what surrounds the thread's work, with another call.
    pub(super) fn of_call(call: (TraceId, SpanId)) -> Surroundings {
        let Ambient {
            request,
            carried,
            shared,
        } = context::ambient();
        let observer = dispatch::scoped_observer();
        Surroundings {
            call: Some(call),
            site: context::site().filter(|_| call == context::parent()),
            carried,
            rest: Some(Rest {
                request,
                observer,
                shared,
            }),
        }
    }

    /// Returns a context, and a call unless that is the thread's own.
    pub(super) fn of_context(
        carried: Arc<Carried>,
        call: Option<(TraceId, SpanId)>,
    ) -> Surroundings {
        Surroundings {
            call,
            site: None,
            carried: Some(carried),
            rest: None,
        }
    }

    /// Makes them the thread's, until the guard is dropped.
    pub(super) fn enter(&self) -> SurroundingsGuard {
        let (request, shared) = match &self.rest {
            Some(rest) => (rest.request.clone(), rest.shared.clone()),
            None => {
                let ambient = context::ambient();
                (ambient.request, ambient.shared)
            }
        };
        let observer = self.rest.as_ref().and_then(|rest| rest.observer.clone());
        SurroundingsGuard {
            before: self.call.map(|(trace, span)| {
                // No site: nothing is recorded on a call from another thread than its own.
                let current = context::replace(Current {
                    trace,
                    span,
                    ..Current::NONE
                });
                (current, context::replace_taken_from(self.site))
            }),
            _ambient: AmbientGuard::enter(Ambient {
                request,
                carried: self.carried.clone(),
                shared,
            }),
            _observer: observer.map(|observer| ScopedGuard::enter(Some(observer))),
        }
    }
}

/// The thread in other surroundings than its own, until this is dropped.
pub(super) struct SurroundingsGuard {
    before: Option<(Current, Option<&'static Site>)>,
    _ambient: AmbientGuard,
    _observer: Option<ScopedGuard>,
}

impl Drop for SurroundingsGuard {
    fn drop(&mut self) {
        if let Some((current, site)) = self.before.take() {
            context::replace(current);
            context::replace_taken_from(site);
        }
    }
}
