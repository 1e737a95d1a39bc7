//! Which annotated call this thread is in: its ids, for everything that is logged inside it,
//! and what has been recorded on it so far; and which request.

use std::{cell::RefCell, sync::Arc};

use super::{
    extra::Extra,
    ids::{SpanId, TraceId},
    request_context::RequestContext,
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

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current::NONE) };

    /// Apart from the call: most calls are in no request, and are not to pay for one.
    static REQUEST: RefCell<Option<Arc<RequestContext>>> = const { RefCell::new(None) };
}

/// Returns the request that the thread works for.
#[inline]
pub(crate) fn request() -> Option<Arc<RequestContext>> {
    REQUEST
        .try_with(|request| request.try_borrow().ok().and_then(|r| r.clone()))
        .ok()
        .flatten()
}

/// Passes the thread's request to `f`. Meanwhile there is none: it is not counted twice.
#[inline]
pub(crate) fn with_request<T>(f: impl FnOnce(Option<&RequestContext>) -> T) -> T {
    let request = REQUEST.try_with(RefCell::take).ok().flatten();
    let done = f(request.as_deref());
    if request.is_some() {
        // It was there a moment ago, so the place for it is too.
        let _ = REQUEST.try_with(|place| place.replace(request));
    }
    done
}

/// Makes `next` the thread's request and returns the one before.
#[inline]
pub(crate) fn replace_request(next: Option<Arc<RequestContext>>) -> Option<Arc<RequestContext>> {
    REQUEST
        .try_with(|request| request.replace(next))
        .ok()
        .flatten()
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
