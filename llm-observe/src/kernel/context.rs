//! Which annotated call this thread is in: its ids, for everything that is logged inside it,
//! and what has been recorded on it so far; and what the thread's work carries besides.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use super::{
    carried::{Carried, TraceOrigin},
    extra::Extra,
    ids::{SpanId, TraceId},
    operation::Shared,
    request_context::{RequestContext, SAMPLED},
    site::Site,
};

/// The innermost annotated call that runs on this thread.
#[derive(Default)]
pub(crate) struct Current {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) site: Option<&'static Site>,
    pub(crate) extra: Option<Box<Extra>>,
}

impl Current {
    /// No call.
    pub(crate) const NONE: Current = Current {
        trace: TraceId([0; 2]),
        span: SpanId(0),
        site: None,
        extra: None,
    };
}

/// What a thread's work carries besides its call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ambient {
    /// The request that it is for.
    pub(crate) request: Option<Arc<RequestContext>>,
    /// The ids and the baggage of its context.
    pub(crate) carried: Option<Arc<Carried>>,
    /// What the innermost operation shares.
    pub(crate) shared: Option<Shared>,
}

impl Ambient {
    /// Nothing.
    pub(crate) const NONE: Ambient = Ambient {
        request: None,
        carried: None,
        shared: None,
    };

    fn is_empty(&self) -> bool {
        self.request.is_none() && self.carried.is_none() && self.shared.is_none()
    }

    /// Returns the `trace-flags` of the trace (W3C Trace Context).
    #[inline]
    pub(crate) fn trace_flags(&self) -> u8 {
        match (self.origin(), &self.request) {
            (Some(origin), _) => origin.flags,
            (None, Some(request)) => request.flags,
            (None, None) => SAMPLED,
        }
    }

    /// Returns the `tracestate` of the trace.
    pub(crate) fn trace_state(&self) -> Option<&str> {
        match (self.origin(), &self.request) {
            (Some(origin), _) => origin.state.as_deref(),
            (None, request) => request.as_ref()?.state.as_deref(),
        }
    }

    fn origin(&self) -> Option<&TraceOrigin> {
        self.carried.as_ref()?.trace()
    }
}

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current::NONE) };

    /// Apart from the call: most calls carry nothing else, and are not to pay for it.
    static AMBIENT: RefCell<Ambient> = const { RefCell::new(Ambient::NONE) };

    /// The site of the call that the thread's work was taken along from. Apart from the call, which has
    /// none then: nothing is recorded on it from another thread.
    static TAKEN_FROM: Cell<Option<&'static Site>> = const { Cell::new(None) };
}

/// Returns the site of the thread's call, also of one that its work was taken along from.
pub(crate) fn site() -> Option<&'static Site> {
    let own = look(|current| current.site).flatten();
    own.or_else(|| TAKEN_FROM.try_with(Cell::get).ok().flatten())
}

/// Makes `site` that of the call that the thread's work was taken along from, and returns the one before.
pub(super) fn replace_taken_from(site: Option<&'static Site>) -> Option<&'static Site> {
    TAKEN_FROM
        .try_with(|known| known.replace(site))
        .ok()
        .flatten()
}

/// Returns the request that the thread works for.
#[inline]
pub(crate) fn request() -> Option<Arc<RequestContext>> {
    look_ambient(|ambient| ambient.request.clone()).flatten()
}

/// Returns what the thread's work carries.
#[inline]
pub(crate) fn ambient() -> Ambient {
    look_ambient(Clone::clone).unwrap_or_default()
}

/// Passes what the thread's work carries to `f`. `None` while the thread is torn down.
#[inline]
pub(crate) fn look_ambient<T>(f: impl FnOnce(&Ambient) -> T) -> Option<T> {
    AMBIENT
        .try_with(|ambient| ambient.try_borrow().ok().map(|ambient| f(&ambient)))
        .ok()
        .flatten()
}

/// Passes what the thread's work carries to `f`. Meanwhile there is nothing: it is not counted twice.
#[inline]
pub(crate) fn with_ambient<T>(f: impl FnOnce(&Ambient) -> T) -> T {
    let ambient = replace_ambient(Ambient::NONE);
    let done = f(&ambient);
    if !ambient.is_empty() {
        replace_ambient(ambient);
    }
    done
}

/// Makes `next` what operations on this thread find shared and returns what was before.
pub(crate) fn replace_shared(next: Option<Shared>) -> Option<Shared> {
    let replaced = AMBIENT.try_with(|ambient| {
        let ambient = ambient.try_borrow_mut();
        ambient
            .ok()
            .map(|mut ambient| std::mem::replace(&mut ambient.shared, next))
    });
    replaced.ok().flatten().flatten()
}

/// Makes `next` what the thread's work carries and returns what was before.
#[inline]
pub(crate) fn replace_ambient(next: Ambient) -> Ambient {
    AMBIENT
        .try_with(|ambient| ambient.replace(next))
        .unwrap_or_default()
}

/// Makes `next` the thread's call and returns the one before. When the thread is being torn down
/// there is no such place any more, and `next` is dropped.
#[inline]
pub(crate) fn replace(next: Current) -> Current {
    CURRENT
        .try_with(|current| current.replace(next))
        .unwrap_or_default()
}

/// Returns the trace and span that a call started now belongs under.
#[inline]
pub(crate) fn parent() -> (TraceId, SpanId) {
    look(|current| (current.trace, current.span)).unwrap_or_default()
}

/// Passes the thread's call to `f`. `None` while it is being changed, or the thread torn down.
#[inline]
pub(crate) fn look<T>(f: impl FnOnce(&Current) -> T) -> Option<T> {
    CURRENT
        .try_with(|current| current.try_borrow().ok().map(|current| f(&current)))
        .ok()
        .flatten()
}

/// Lets `change` write on the thread's call, where there is one.
#[inline]
pub(crate) fn change<T>(change: impl FnOnce(&mut Current) -> T) -> Option<T> {
    CURRENT
        .try_with(|current| current.try_borrow_mut().ok().map(|mut c| change(&mut c)))
        .ok()
        .flatten()
}
