//! One call of an annotated function, from its start to its one record.
//!
//! [`Call`] is the drop guard: whichever way the call ends, it ends through here, once.

mod ending;
mod sync;

pub use ending::Ending;
pub use sync::SyncCall;

use std::{cell::RefCell, sync::Arc, time::Duration};

use crate::{
    kernel::{
        clock,
        context::{self, Current},
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        links::Links,
        outcome::Outcome,
        panics,
        pool::{self, Pool},
        request::Exchange,
        site::Site,
        value::Fields,
    },
    observer::{self, Active},
};

/// What a call has on it beyond its ids; only calls that need it pay for the allocation.
#[derive(Default)]
pub(crate) struct Extra {
    pub(crate) fields: Fields,
    pub(crate) items: Option<u64>,
    pub(crate) quality: Option<f64>,
    /// The error that a call directly below ended in, to know it again when it is passed on.
    pub(crate) below: Option<Below>,
    pub(crate) tracing: Option<tracing::Span>,
    /// The spans that the attribute says it belongs under or comes from.
    pub(crate) links: Option<Links>,
    /// The limit it ran into.
    pub(crate) elapsed: Option<Duration>,
    /// The trace and span that it belongs under, when these are not the thread's.
    pub(crate) parent: Option<(TraceId, SpanId)>,
    /// What is asked and answered, when the call is an HTTP request.
    pub(crate) exchange: Option<Box<Exchange>>,
    /// Where the call reports to, when that is not the global observer.
    pub(crate) scoped: Option<Arc<Active>>,
}

thread_local! {
    #[allow(clippy::vec_box, reason = "it is the boxes that are used again")]
    static SPARE: Pool<Box<Extra>> = const { RefCell::new(Vec::new()) };
}

impl Extra {
    /// Returns the trace and span that the call belongs under.
    fn parent(&self) -> (TraceId, SpanId) {
        match (&self.links, self.parent) {
            (_, Some(parent)) => parent,
            (Some(links), None) if links.leads_away() => Default::default(),
            _ => context::parent(),
        }
    }

    /// Returns an empty one, in the memory of a call that has ended.
    #[inline]
    pub(crate) fn fresh() -> Box<Extra> {
        pool::take(&SPARE).unwrap_or_default()
    }

    /// Leaves the memory to a later call.
    pub(crate) fn end(mut self: Box<Extra>) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        self.exchange.take().into_iter().for_each(Exchange::end);
        *self = Extra {
            fields,
            ..Extra::default()
        };
        pool::keep(&SPARE, self);
    }
}

/// What a call leaves with the one above it when it fails.
pub(crate) struct Below {
    pub(crate) error: Box<ErrorInfo>,
    /// Whether its failure alerts somebody.
    pub(crate) told: bool,
    /// Whether the error trackers were to hear of it.
    pub(crate) reported: bool,
}

/// A call that was not observed because no observer was there when it started.
const OFF: u64 = 1;
const NOT_STARTED: u64 = 0;

/// One call. Dropped before its end, it is recorded as cancelled.
///
/// 56 bytes, since every annotated future carries one.
pub(crate) struct Call {
    site: &'static Site,
    /// Reading of the clock at the start; `NOT_STARTED` or `OFF` before or without one.
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

    /// Links it to other spans, before it starts.
    pub(crate) fn link(&mut self, links: Links) {
        self.extra().links = Some(links);
    }

    /// Starts it unless it has started; returns whether it is observed.
    #[inline]
    pub(crate) fn is_on_or_starts(&mut self) -> bool {
        match self.start {
            NOT_STARTED if observer::is_on() => self.begin(),
            NOT_STARTED => {
                self.start = OFF;
                false
            }
            start => start != OFF,
        }
    }

    #[inline]
    pub(crate) const fn is_on(&self) -> bool {
        self.start > OFF
    }

    #[inline]
    fn begin(&mut self) -> bool {
        let scoped = observer::scoped(self.site);
        if scoped.is_none() && observer::global(self.site).is_none() {
            self.start = OFF;
            return false;
        }
        if scoped.is_some() {
            self.extra().scoped = scoped;
        }
        self.with_active(|call, active| {
            if !active.is_only_counted() {
                call.identify();
            }
            active.started(call);
        });
        self.start = clock::ticks();
        true
    }

    /// Gives it its place in a trace.
    #[inline]
    fn identify(&mut self) {
        let (trace, parent) = match self.extra.as_deref() {
            None => context::parent(),
            Some(extra) => extra.parent(),
        };
        self.trace = if trace.is_none() {
            TraceId::random()
        } else {
            trace
        };
        self.span = SpanId::random();
        self.parent = parent;
    }

    /// Gives the observer's view of the site to `f`.
    #[inline]
    fn with_active<T>(&mut self, f: impl FnOnce(&mut Call, &Active) -> T) -> Option<T> {
        match self.extra.as_ref().and_then(|extra| extra.scoped.clone()) {
            Some(scoped) => Some(f(self, &scoped)),
            None => observer::global(self.site).map(|active| f(self, active)),
        }
    }

    pub(crate) fn ids(&self) -> Ids {
        Ids {
            trace: self.trace,
            span: self.span,
            parent: self.parent,
        }
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Extra::fresh)
    }

    /// Makes it the thread's call until [`Entered::leave`].
    #[inline]
    pub(crate) fn enter(&mut self) -> Entered {
        if self.span.is_none() {
            // It is only counted: nobody asks which call the thread is in.
            return Entered {
                before: None,
                span: None,
            };
        }
        let span = self.extra.as_ref().and_then(|extra| extra.tracing.clone());
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

    /// Ends it and hands over its one record.
    #[inline]
    pub(crate) fn end(&mut self, ending: Ending) {
        self.end_at(ending, clock::ticks());
    }

    /// The same, at an earlier reading of the clock.
    #[inline]
    pub(crate) fn end_at(&mut self, ending: Ending, end: u64) {
        let start = std::mem::replace(&mut self.start, OFF);
        let nanos = clock::nanos(start, end);
        self.extra = ending.extra;
        let (outcome, error) = (ending.outcome, ending.error);
        let expected = ending.expected;
        self.with_active(|call, active| {
            active.ended(
                call.ids(),
                call.extra.take(),
                Ended {
                    outcome,
                    error,
                    expected,
                    end,
                    nanos,
                },
            );
        });
    }

    #[cold]
    fn end_cut_short(&mut self, outcome: Outcome) {
        let mut ending = Ending::of(self.extra.take());
        ending.outcome = outcome;
        if outcome == Outcome::Panic {
            let below = ending.extra.as_ref().and_then(|extra| extra.below.as_ref());
            let below = below.map(|below| below.error.clone());
            ending.error = Some(
                panics::take_last()
                    .map(Box::new)
                    .or(below)
                    .unwrap_or_else(|| Box::new(panics::unknown())),
            );
        }
        self.end(ending);
    }

    /// Returns how long it has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(clock::nanos(self.start, clock::ticks()))
    }

    /// Ends it as dropped before its end.
    #[cold]
    pub(crate) fn cancelled(&mut self) {
        self.end_cut_short(Outcome::Cancelled);
    }

    /// Ends it as panicked.
    #[cold]
    pub(crate) fn panicked(&mut self) {
        self.end_cut_short(Outcome::Panic);
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if self.is_on() {
            self.end_cut_short(Outcome::Cancelled);
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
        }
    }
}

/// Where a call stands in its trace.
#[derive(Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) parent: SpanId,
}

/// How a call ended, for [`Active::ended`].
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<Box<ErrorInfo>>,
    pub(crate) expected: bool,
    /// Reading of the clock at the end.
    pub(crate) end: u64,
    pub(crate) nanos: u64,
}
