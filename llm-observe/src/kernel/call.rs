//! One call of a site, from its start to its one record.
//!
//! [`Call`] is the drop guard: whichever way the call ends, it ends through here, once.

use std::time::Duration;

use super::{
    clock, context,
    context::Current,
    dispatch,
    extra::{CallEnd, CallIds, Extra, SiteObserver},
    ids::{SpanId, TraceId},
    links::Links,
    outcome::Outcome,
    panics,
    scope::CallScope,
    site::Site,
};

/// A call that was not observed because no observer was there when it started.
const UNOBSERVED: u64 = 1;
const NOT_STARTED: u64 = 0;

/// One call. Dropped before its end, it is recorded as cancelled.
///
/// 56 bytes, since every annotated future carries one.
pub(crate) struct Call {
    site: &'static Site,
    /// Reading of the clock at the start; `NOT_STARTED` or `UNOBSERVED` before or without one.
    start: u64,
    trace: TraceId,
    span: SpanId,
    /// The span of the caller; `SpanId::default()` at the root.
    parent: SpanId,
    extra: Option<Box<Extra>>,
}

impl Call {
    /// Returns a call that has not started.
    #[inline]
    pub(crate) const fn new(site: &'static Site) -> Call {
        Call {
            site,
            start: NOT_STARTED,
            trace: TraceId([0; 2]),
            span: SpanId(0),
            parent: SpanId(0),
            extra: None,
        }
    }

    pub(crate) const fn site(&self) -> &'static Site {
        self.site
    }

    /// Links it to other spans, before it starts.
    pub(crate) fn link(&mut self, links: Links) {
        self.extra().links = Some(links);
    }

    /// Starts it unless it has started; returns whether it is observed.
    #[inline]
    pub(crate) fn ensure_started(&mut self) -> bool {
        match self.start {
            NOT_STARTED if dispatch::is_on() => self.begin(),
            NOT_STARTED => {
                self.start = UNOBSERVED;
                false
            }
            start => start != UNOBSERVED,
        }
    }

    #[inline]
    pub(crate) const fn is_observed(&self) -> bool {
        self.start > UNOBSERVED
    }

    #[inline]
    fn begin(&mut self) -> bool {
        if let Some(scoped) = dispatch::scoped(self.site) {
            self.begin_scoped(scoped);
        } else if let Some(view) = dispatch::global(self.site) {
            if !view.is_only_counted {
                self.assign_ids();
            }
            view.observer.started(self.ids(), &mut self.extra);
        } else {
            self.start = UNOBSERVED;
            return false;
        }
        self.start = clock::ticks();
        true
    }

    #[cold]
    fn begin_scoped(&mut self, observer: std::sync::Arc<dyn SiteObserver>) {
        self.extra().scoped = Some(observer.clone());
        if !observer.is_only_counted() {
            self.assign_ids();
        }
        observer.started(self.ids(), &mut self.extra);
    }

    /// Gives it its place in a trace.
    #[inline]
    fn assign_ids(&mut self) {
        let (trace, parent) = match self.extra.as_deref() {
            None => context::parent(),
            Some(extra) => parent_of(extra),
        };
        self.trace = if trace.is_none() {
            TraceId::random()
        } else {
            trace
        };
        self.span = SpanId::random();
        self.parent = parent;
    }

    /// Hands the end over to what observes the call.
    #[inline]
    fn hand_over(&mut self, end: CallEnd) {
        let (ids, extra) = (self.ids(), self.extra.take());
        match extra.as_ref().and_then(|extra| extra.scoped.clone()) {
            Some(scoped) => scoped.ended(ids, extra, end),
            None => {
                if let Some(view) = dispatch::global(self.site) {
                    view.observer.ended(ids, extra, end);
                }
            }
        }
    }

    pub(crate) fn ids(&self) -> CallIds {
        CallIds {
            trace: self.trace,
            span: self.span,
            parent: self.parent,
        }
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Extra::from_pool)
    }

    /// Makes it the thread's call until [`Entered::leave`].
    #[inline]
    pub(crate) fn enter(&mut self) -> Entered {
        if self.span.is_none() {
            // It is only counted: it has no place in a trace.
            return Entered {
                before: None,
                span: None,
            };
        }
        let span = self.extra.as_mut().and_then(|extra| {
            if let Some(shared) = &mut extra.shared {
                shared.outside = context::replace_shared(Some(shared.own.clone()));
            }
            extra.tracing.clone()
        });
        let mine = Current {
            trace: self.trace,
            span: self.span,
            site: Some(self.site),
            extra: self.extra.take(),
        };
        Entered {
            before: Some(context::replace(mine)),
            span: span.map(|span| Box::new(span.entered())),
        }
    }

    /// Takes what has been recorded on it so far, to end it with.
    #[inline]
    pub(crate) fn take_scope(&mut self) -> CallScope {
        CallScope::new(self.extra.take())
    }

    /// Ends it and hands over its one record.
    #[inline]
    pub(crate) fn end(&mut self, scope: CallScope) {
        self.end_at(scope, clock::ticks());
    }

    /// The same, at an earlier reading of the clock.
    #[inline]
    pub(crate) fn end_at(&mut self, scope: CallScope, end: u64) {
        let start = std::mem::replace(&mut self.start, UNOBSERVED);
        self.extra = scope.extra;
        self.hand_over(CallEnd {
            outcome: scope.outcome,
            error: scope.error,
            expected: scope.expected,
            end,
            nanos: clock::nanos(start, end),
        });
    }

    #[cold]
    fn end_early(&mut self, outcome: Outcome) {
        let mut scope = self.take_scope();
        scope.outcome = outcome;
        if outcome == Outcome::Panic {
            let child = scope.extra.as_ref().and_then(|extra| extra.child.as_ref());
            let child = child.map(|child| child.error.clone());
            scope.error = Some(
                panics::take_last()
                    .map(Box::new)
                    .or(child)
                    .unwrap_or_else(|| Box::new(panics::unknown())),
            );
        }
        self.end(scope);
    }

    /// Returns whether its function has a `timeout`.
    #[inline]
    pub(crate) const fn has_limit(&self) -> bool {
        self.site.timeout.is_some() || self.site.has_stream_limits
    }

    /// Returns how long it has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        clock::duration(self.start, clock::ticks())
    }

    /// Returns the reading of the clock at its start.
    #[inline]
    pub(crate) const fn started_at(&self) -> u64 {
        self.start
    }

    /// Ends it as dropped before its end.
    #[cold]
    pub(crate) fn cancelled(&mut self) {
        self.end_early(Outcome::Cancelled);
    }

    /// Ends it as panicked.
    #[cold]
    pub(crate) fn panicked(&mut self) {
        self.end_early(Outcome::Panic);
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if self.is_observed() {
            self.end_early(Outcome::Cancelled);
        }
    }
}

/// The time a call is the thread's own; must be given back through [`Entered::leave`].
pub(crate) struct Entered {
    before: Option<Current>,
    /// Boxed, since it is large and seldom there.
    span: Option<Box<tracing::span::EnteredSpan>>,
}

impl Entered {
    /// Makes the call before this one the thread's again, and gives `call` back what was
    /// recorded on it meanwhile.
    #[inline]
    pub(crate) fn leave(self, call: &mut Call) {
        drop(self.span);
        if let Some(before) = self.before {
            call.extra = context::replace(before).extra;
            let shared = call.extra.as_mut().and_then(|e| e.shared.as_mut());
            if let Some(shared) = shared {
                context::replace_shared(shared.outside.take());
            }
        }
    }
}

/// Returns the trace and span that a call with `extra` belongs under.
fn parent_of(extra: &Extra) -> (TraceId, SpanId) {
    match (&extra.links, extra.parent) {
        (_, Some(parent)) => parent,
        (Some(links), None) if links.leads_away() => Default::default(),
        _ => context::parent(),
    }
}
