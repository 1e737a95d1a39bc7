//! What is kept of a call while it runs and handed over when it ends, and the trait of what takes
//! it over.

use std::{cell::RefCell, fmt, sync::Arc};

use super::{
    error_info::ErrorInfo,
    ids::{SpanId, TraceId},
    links::Links,
    operation::{Operation, Shared},
    outcome::Outcome,
    pool::{self, Pool},
    value::Fields,
};

/// An observer's view of one site: what happens to its calls. The kernel knows what observes a call
/// by this trait alone, as `tracing-core` knows a subscriber.
pub(crate) trait SiteObserver: fmt::Debug + Send + Sync {
    /// Returns whether a call is counted and timed, and nothing else of it is kept: then it needs
    /// no place in a trace.
    fn is_only_counted(&self) -> bool;

    /// Takes note of a call that starts. `extra` is made where there is something to keep.
    fn started(&self, ids: CallIds, extra: &mut Option<Box<Extra>>);

    /// Makes the one record of a call and hands it to every sink.
    fn ended(&self, ids: CallIds, extra: Option<Box<Extra>>, end: CallEnd);
}

/// The view of the program's observer, for the life of the program.
#[derive(Debug)]
pub(crate) struct GlobalView {
    pub(super) observer: &'static dyn SiteObserver,
    /// As [`SiteObserver::is_only_counted`], one load away.
    pub(super) is_only_counted: bool,
}

/// Where a call stands in its trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallIds {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    /// The span of the caller; [`SpanId::is_none`] at the root.
    pub(crate) parent: SpanId,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct CallEnd {
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<Box<ErrorInfo>>,
    pub(crate) expected: bool,
    /// Reading of the clock at the end.
    pub(crate) end: u64,
    pub(crate) nanos: u64,
}

/// What a failed call leaves with the one above it.
#[derive(Debug)]
pub(crate) struct ChildFailure {
    pub(crate) error: Box<ErrorInfo>,
    /// Whether it was alerted, or muted on purpose.
    pub(crate) alerted: bool,
    /// Whether it went to the error trackers.
    pub(crate) reported: bool,
    /// Whether it was expected there.
    pub(crate) expected: bool,
}

/// A score under the `min_quality` of its call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LowScore {
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// What is done once a call has ended well, in its place.
pub(crate) struct AfterCall(pub(crate) Box<dyn FnOnce() + Send + Sync>);

impl fmt::Debug for AfterCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterCall").finish_non_exhaustive()
    }
}

/// What an operation shares with those below it, also with those in work that was taken along.
#[derive(Debug)]
pub(crate) struct SharedPlace {
    pub(crate) own: Shared,
    /// What surrounds the call, while its own is the thread's.
    pub(crate) outside: Option<Shared>,
}

/// What a call has on it beyond its ids; only calls that need it pay for the allocation.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) fields: Fields,
    pub(crate) items: Option<u64>,
    pub(crate) quality: Option<f64>,
    /// The lowest score that it was given while it ran, where that is under its `min_quality`.
    pub(crate) low_score: Option<Box<LowScore>>,
    /// What is done once it has ended well.
    pub(crate) after: Vec<AfterCall>,
    /// The number of items that its stream has yielded; `None` when it has none.
    pub(crate) chunks: Option<u64>,
    /// The failure of a call directly below, to recognise its error when it is passed on.
    pub(crate) child: Option<ChildFailure>,
    pub(crate) tracing: Option<tracing::Span>,
    /// The spans that the attribute says it belongs under or comes from.
    pub(crate) links: Option<Links>,
    /// The trace and span that it belongs under, when these are not the thread's.
    pub(crate) parent: Option<(TraceId, SpanId)>,
    /// What the call is besides a function call.
    pub(crate) operation: Option<Box<dyn Operation>>,
    /// What that operation shares with operations below it.
    pub(crate) shared: Option<SharedPlace>,
    /// Where the call reports to, when that is not the program's observer.
    pub(crate) scoped: Option<Arc<dyn SiteObserver>>,
}

thread_local! {
    #[allow(clippy::vec_box, reason = "it is the boxes that are used again")]
    static POOL: Pool<Box<Extra>> = const { RefCell::new(Vec::new()) };
}

impl Extra {
    /// Returns an empty one, in the memory of a call that has ended.
    #[inline]
    pub(crate) fn from_pool() -> Box<Extra> {
        pool::take(&POOL).unwrap_or_default()
    }

    /// Leaves the memory to a later call.
    pub(crate) fn recycle(mut self: Box<Extra>) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        if let Some(operation) = self.operation.take() {
            operation.recycle();
        }
        *self = Extra {
            fields,
            ..Extra::default()
        };
        pool::keep(&POOL, self);
    }
}
