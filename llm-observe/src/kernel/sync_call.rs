//! The call of a sync function: on the stack from start to end, or until it has made a future.

use std::thread;

use super::{
    call::{Call, Entered},
    dispatch,
    links::Links,
    scope::CallScope,
    site::Site,
};

/// A call of a sync function: on the stack from start to end.
pub struct SyncCall(Option<OnStack>);

struct OnStack {
    call: Call,
    entered: Option<Entered>,
}

impl OnStack {
    /// Not inlined, like `finish`: the annotated function itself stays small.
    #[inline(never)]
    fn start(&mut self) {
        if self.call.ensure_started() {
            self.entered = Some(self.call.enter());
        }
    }

    #[inline(never)]
    fn finish(&mut self, note: impl FnOnce(&mut CallScope)) {
        if self.entered.is_some() {
            self.leave();
            let mut scope = self.call.take_scope();
            note(&mut scope);
            self.call.end(scope);
        }
    }

    #[inline]
    fn leave(&mut self) {
        if let Some(entered) = self.entered.take() {
            entered.leave(&mut self.call);
        }
    }
}

impl OnStack {
    /// Takes the call off the stack, still running, for the future that it has made.
    fn take(&mut self) -> Option<Call> {
        self.entered.as_ref()?;
        self.leave();
        let site = self.call.site();
        Some(std::mem::replace(&mut self.call, Call::new(site)))
    }
}

impl Drop for OnStack {
    #[inline]
    fn drop(&mut self) {
        // Not finished, so the body is unwinding: nothing else leaves a sync function early.
        if self.entered.is_some() {
            self.leave();
            self.call.panicked();
        }
    }
}

impl SyncCall {
    /// Starts a call of `site`.
    #[inline(always)]
    #[must_use]
    pub fn enter(site: &'static Site) -> SyncCall {
        if !dispatch::is_on() {
            return SyncCall(None);
        }
        // Started in its place: moving it would cost as much as the rest.
        let mut started = SyncCall(Some(OnStack {
            call: Call::new(site),
            entered: None,
        }));
        if let Some(on_stack) = &mut started.0 {
            on_stack.start();
        }
        started
    }

    /// Starts a call of `site` that is linked to other spans than the one it is made in.
    pub fn enter_linked(site: &'static Site, links: Links) -> SyncCall {
        let mut call = Call::new(site);
        call.link(links);
        let mut on_stack = OnStack {
            call,
            entered: None,
        };
        on_stack.start();
        SyncCall(Some(on_stack))
    }

    /// Returns whether anybody observes it.
    #[inline]
    #[must_use]
    pub fn is_on(&self) -> bool {
        matches!(&self.0, Some(on_stack) if on_stack.entered.is_some())
    }

    /// Records on it, before the body runs.
    pub fn start(&mut self, note: impl FnOnce(&mut CallScope)) {
        CallScope::on_current(note);
    }

    /// Ends it as one that cannot have failed.
    #[inline(always)]
    pub fn finish_ok(self) {
        self.finish(|_| {});
    }

    /// Ends it; `note` records its result.
    #[inline(always)]
    pub fn finish(mut self, note: impl FnOnce(&mut CallScope)) {
        if let Some(on_stack) = &mut self.0 {
            on_stack.finish(note);
        }
        // Nothing is left to drop. Forgetting it lets the compiler leave out the drop glue.
        std::mem::forget(self);
    }

    /// Takes the call, still running, for the future that it has made.
    pub(super) fn into_call(mut self) -> Option<Call> {
        self.0.as_mut().and_then(OnStack::take)
    }
}

/// The call of a sync function whose body stands in the function itself and not in a closure:
/// it may leave by `return`, past everything but the drop of this guard.
pub struct InlineCall {
    call: Option<SyncCall>,
    /// Whether the thread was unwinding already, so that a panic cannot be known from a return.
    was_panicking: bool,
}

impl InlineCall {
    /// Starts a call of `site`.
    #[inline]
    #[must_use]
    pub fn enter(site: &'static Site) -> InlineCall {
        InlineCall::of(SyncCall::enter(site))
    }

    /// Starts a call of `site` that is linked to other spans than the one it is made in.
    pub fn enter_linked(site: &'static Site, links: Links) -> InlineCall {
        InlineCall::of(SyncCall::enter_linked(site, links))
    }

    #[inline]
    fn of(call: SyncCall) -> InlineCall {
        let was_panicking = call.is_on() && thread::panicking();
        InlineCall {
            call: Some(call),
            was_panicking,
        }
    }

    /// Ends it with `out`, of which `note` records what is to be known, and returns it.
    #[inline]
    pub fn end<T>(&mut self, out: T, note: impl FnOnce(&mut CallScope, &T)) -> T {
        if let Some(call) = self.call.take() {
            call.finish(|scope| note(scope, &out));
        }
        out
    }
}

impl Drop for InlineCall {
    #[inline]
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        if call.is_on() && (self.was_panicking || !thread::panicking()) {
            call.finish_ok();
        }
    }
}
