//! The wrapper of an annotated future: starts its call at the first poll, makes it the thread's
//! own during each poll, and ends it when the future is ready, panics or is dropped.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{
    call::{Call, Ending, Entered},
    site::Site,
};

pin_project! {
    /// A future whose call is observed. As large as the future and one [`Call`].
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct Observed<F, E> {
        // Dropped before the call, so that calls below it are recorded before it.
        #[pin]
        future: F,
        call: Call,
        end: E,
    }
}

impl<F, E> Observed<F, E>
where
    F: Future,
    E: Fn(&mut Ending, &F::Output),
{
    /// Observes `future` as a call of `site`; `end` says how its output is to be read.
    #[inline]
    pub fn new(site: &'static Site, future: F, end: E) -> Observed<F, E> {
        Observed {
            future,
            call: Call::new(site),
            end,
        }
    }
}

impl<F, E> Future for Observed<F, E>
where
    F: Future,
    E: Fn(&mut Ending, &F::Output),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if !this.call.is_on_or_starts() {
            return this.future.poll(cx);
        }
        let mut polling = Polling::of(this.call);
        let ready = this.future.poll(cx);
        polling.stop();
        if let Poll::Ready(output) = &ready {
            let mut ending = Ending::take(polling.call);
            (this.end)(&mut ending, output);
            polling.call.end(ending);
        }
        ready
    }
}

/// One poll: a panic in it ends the call.
struct Polling<'a> {
    call: &'a mut Call,
    entered: Option<Entered>,
}

impl Polling<'_> {
    #[inline]
    fn of(call: &mut Call) -> Polling<'_> {
        let entered = Some(call.enter());
        Polling { call, entered }
    }

    #[inline]
    fn stop(&mut self) {
        if let Some(entered) = self.entered.take() {
            entered.leave(self.call);
        }
    }
}

impl Drop for Polling<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.entered.is_some() {
            self.stop();
            self.call.panicked();
        }
    }
}
