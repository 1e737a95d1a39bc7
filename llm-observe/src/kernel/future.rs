//! The wrapper of an annotated future: starts its call at the first poll, makes it the thread's
//! own during each poll, and ends it when the future is ready, panics or is dropped.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{
    call::{Call, Entered},
    limit,
    links::Links,
    scope::CallScope,
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
    E: Fn(&mut CallScope, &F::Output),
{
    /// Observes `future` as a call of `site`; `end` reads its output.
    #[inline]
    pub fn new(site: &'static Site, future: F, end: E) -> Observed<F, E> {
        Observed {
            future,
            call: Call::new(site),
            end,
        }
    }

    /// The same, linked to other spans than the one it is polled in first. The links come before
    /// the future, which may take what they are made from.
    pub fn linked(site: &'static Site, links: Links, future: F, end: E) -> Observed<F, E> {
        let mut observed = Observed::new(site, future, end);
        observed.call.link(links);
        observed
    }
}

/// Observes the future that `make` returns: the call starts when it is made, since its function
/// may work before it returns, and ends when it is done.
#[inline]
pub fn future<T, F, E>(
    site: &'static Site,
    links: Option<Links>,
    make: impl FnOnce() -> F,
    end: E,
) -> Observed<F, E>
where
    F: Future<Output = T>,
    E: Fn(&mut CallScope, &T),
{
    limited_future::<T, F, F, E>(site, links, make, |future| future, end)
}

/// Observes `future`, which a sync function has made, as what is left of its call.
pub(super) fn made<F, E>(call: Call, future: F, end: E) -> Observed<F, E> {
    Observed { future, call, end }
}

/// The same as [`future()`], with `limit` around the future that `make` returns.
#[inline]
pub fn limited_future<T, F, L, E>(
    site: &'static Site,
    links: Option<Links>,
    make: impl FnOnce() -> F,
    limit: impl FnOnce(F) -> L,
    end: E,
) -> Observed<L, E>
where
    F: Future<Output = T>,
    L: Future<Output = T>,
    E: Fn(&mut CallScope, &T),
{
    let mut call = Call::new(site);
    if let Some(links) = links {
        call.link(links);
    }
    let future = if call.ensure_started() {
        let mut making = Polling::of(&mut call);
        let future = make();
        making.stop();
        future
    } else {
        make()
    };
    Observed {
        future: limit(future),
        call,
        end,
    }
}

impl<F, E> Future for Observed<F, E>
where
    F: Future,
    E: Fn(&mut CallScope, &F::Output),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if !this.call.ensure_started() {
            return this.future.poll(cx);
        }
        let mut polling = Polling::of(this.call);
        let ready = this.future.poll(cx);
        polling.stop();
        if let Poll::Ready(output) = &ready {
            // Only around this call's own limit is it known whose limit was reached.
            let reached = match polling.call.has_limit() {
                true => limit::take_reached(),
                false => None,
            };
            let mut scope = polling.call.take_scope();
            (this.end)(&mut scope, output);
            if let Some(limit) = reached {
                scope.timed_out(limit);
            }
            polling.call.end(scope);
        }
        ready
    }
}

/// One poll: a panic in it ends the call.
pub(super) struct Polling<'a> {
    call: &'a mut Call,
    entered: Option<Entered>,
}

impl Polling<'_> {
    #[inline]
    pub(super) fn of(call: &mut Call) -> Polling<'_> {
        let entered = Some(call.enter());
        Polling { call, entered }
    }

    #[inline]
    pub(super) fn stop(&mut self) {
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
