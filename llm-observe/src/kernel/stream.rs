//! A call that goes on in the stream that its function returns: it ends when the stream does.
//! Knows nothing of what the items are; the expansion reads each by its type.

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::{
    call::Call,
    clock,
    error_info::ErrorInfo,
    future::Polling,
    limit,
    links::Links,
    operation::{Chunk, Operation},
    outcome::Outcome,
    probe::Verdict,
    scope::HasOperation,
    site::Site,
    user_text,
};

/// The call of a function that returns a stream, until it has returned it. Dropped before, it is
/// recorded as cancelled.
pub struct StreamCall(pub(super) Call);

impl StreamCall {
    /// Starts a call of `site`.
    #[must_use]
    pub fn enter(site: &'static Site) -> StreamCall {
        StreamCall::started(Call::new(site))
    }

    /// Starts a call of `site` that is linked to other spans than the one it is made in.
    #[must_use]
    pub fn enter_linked(site: &'static Site, links: Links) -> StreamCall {
        let mut call = Call::new(site);
        call.link(links);
        StreamCall::started(call)
    }

    fn started(mut call: Call) -> StreamCall {
        call.ensure_started();
        StreamCall(call)
    }

    /// Runs `f` as its work. A panic ends it and goes on.
    pub fn in_scope<T>(&mut self, f: impl FnOnce() -> T) -> T {
        if !self.0.is_observed() {
            return f();
        }
        within(&mut self.0, f)
    }

    /// Polls `future` as its work.
    pub async fn scope<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|context| self.in_scope(|| future.as_mut().poll(context))).await
    }

    /// Ends it where the function has returned an error instead of a stream.
    pub fn verdict(&mut self, verdict: Verdict<'_>) {
        let Verdict::Err(failure) = verdict else {
            return;
        };
        if !self.0.is_observed() {
            return;
        }
        let reached = limit::take_reached().filter(|_| self.0.has_limit());
        let mut scope = self.0.take_scope();
        scope.failed(Outcome::Error, failure.describe());
        if let Some(limit) = reached {
            scope.timed_out(limit);
        }
        self.0.end(scope);
    }
}

/// Runs `f` as the work of `call`. A panic ends it and goes on.
#[inline]
fn within<T>(call: &mut Call, f: impl FnOnce() -> T) -> T {
    let mut polling = Polling::of(call);
    let done = f();
    polling.stop();
    done
}

/// What an item of a stream says of the call.
pub struct ItemScope<'a> {
    error: &'a mut Option<Box<ErrorInfo>>,
    operation: Option<&'a mut (dyn Operation + 'static)>,
}

impl ItemScope<'_> {
    /// Takes note of an item that stands for a failure. The first one counts: the stream may go on, and
    /// the call ends with it.
    #[inline]
    pub fn verdict(&mut self, verdict: Verdict<'_>) {
        if let Verdict::Err(failure) = verdict
            && self.error.is_none()
        {
            *self.error = Some(Box::new(failure.describe()));
        }
    }

    /// Lets `read` evaluate what is the program's own code in the attribute. A panic in it ends here.
    #[inline]
    pub fn read(&mut self, read: impl FnOnce(&mut Self)) {
        user_text::closure(|| read(self));
    }
}

impl HasOperation for ItemScope<'_> {
    #[inline]
    fn operation(&mut self) -> Option<&mut (dyn Operation + 'static)> {
        self.operation.as_deref_mut()
    }
}

pin_project! {
    /// A stream that is the rest of a call. Items pass through untouched, one poll for one poll.
    ///
    /// It ends as the stream does; with an error when an item was one; as cancelled when it is dropped
    /// before, unless its operation knows that it was complete.
    #[must_use = "streams do nothing unless polled"]
    pub struct ObservedStream<S, N> {
        #[pin]
        stream: Option<S>,
        call: Call,
        note: N,
        progress: Progress,
    }

    impl<S, N> PinnedDrop for ObservedStream<S, N> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.call.is_observed() {
                // What is cancelled with it belongs to the call.
                within(this.call, || this.stream.set(None));
                this.progress.end(this.call, Some(Outcome::Cancelled));
            }
        }
    }
}

/// How far a stream has come.
#[derive(Debug, Default)]
struct Progress {
    /// Reading of the clock at the last item of an operation; 0 before the first.
    last: u64,
    error: Option<Box<ErrorInfo>>,
}

impl<S, N> ObservedStream<S, N>
where
    S: Stream,
    N: Fn(&mut ItemScope<'_>, &S::Item),
{
    /// Returns `stream` as the rest of `call`; `note` reads each item.
    pub fn new(call: StreamCall, stream: S, note: N) -> ObservedStream<S, N> {
        ObservedStream {
            stream: Some(stream),
            call: call.0,
            note,
            progress: Progress::default(),
        }
    }
}

impl<S, N> Stream for ObservedStream<S, N>
where
    S: Stream,
    N: Fn(&mut ItemScope<'_>, &S::Item),
{
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(stream) = this.stream.as_pin_mut() else {
            return Poll::Ready(None);
        };
        // It has ended, or nobody observes it.
        if !this.call.is_observed() {
            return stream.poll_next(cx);
        }
        let polled = within(this.call, || stream.poll_next(cx));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(item)) => this
                .progress
                .item(this.call, |scope| (this.note)(scope, item)),
            Poll::Ready(None) => this.progress.end(this.call, None),
        }
        polled
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let stream = self.stream.as_ref();
        stream.map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S, N> FusedStream for ObservedStream<S, N>
where
    S: FusedStream,
    N: Fn(&mut ItemScope<'_>, &S::Item),
{
    fn is_terminated(&self) -> bool {
        self.stream.as_ref().is_none_or(FusedStream::is_terminated)
    }
}

impl Progress {
    #[inline]
    fn item(&mut self, call: &mut Call, note: impl FnOnce(&mut ItemScope<'_>)) {
        let start = call.started_at();
        let extra = call.extra();
        *extra.chunks.get_or_insert(0) += 1;
        let mut scope = ItemScope {
            error: &mut self.error,
            operation: extra.operation.as_deref_mut(),
        };
        // The time matters to operations alone.
        if let Some(operation) = scope.operation() {
            let now = clock::ticks();
            let last = std::mem::replace(&mut self.last, now);
            operation.chunk(Chunk { start, last, now });
        }
        note(&mut scope);
        if call.has_limit()
            && let Some(limit) = limit::take_reached()
        {
            self.reached(call, limit);
        }
    }

    /// Ends the call at a limit: the item was the error that says so, and no other comes.
    #[cold]
    fn reached(&mut self, call: &mut Call, limit: std::time::Duration) {
        let mut scope = call.take_scope();
        if let Some(error) = self.error.take() {
            scope.failed(Outcome::Error, *error);
        }
        scope.timed_out(limit);
        call.end(scope);
    }

    /// Ends the call; `unfinished`: the outcome where the stream has not said that it is complete.
    #[cold]
    fn end(&mut self, call: &mut Call, unfinished: Option<Outcome>) {
        call.extra().chunks.get_or_insert(0);
        let operation = call.extra().operation.as_deref();
        let complete = operation.is_some_and(Operation::is_complete);
        let mut scope = call.take_scope();
        match (self.error.take(), unfinished) {
            (Some(error), _) => scope.failed(Outcome::Error, *error),
            (None, Some(outcome)) if !complete => scope.outcome = outcome,
            (None, _) => {}
        }
        call.end(scope);
    }
}

impl<S, N> fmt::Debug for ObservedStream<S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedStream")
            .field("observed", &self.call.is_observed())
            .finish_non_exhaustive()
    }
}
