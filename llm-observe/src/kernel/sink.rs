//! What records go to.

use std::{sync::Arc, time::Duration};

use super::{
    ids::{SpanId, TraceId},
    record::Record,
    site::Site,
};
use crate::kernel::request::Request;

/// Where records go: a logger, metrics, trackers, alerts.
///
/// Called on the caller's thread at the end of every call: it must not block, do I/O or panic.
pub(crate) trait Sink: Send + Sync {
    /// Takes one record.
    fn record(&self, record: &Record<'_>);

    /// Hears of a call that still runs after its `stalled` limit. From a background thread.
    fn stalled(&self, running: &Running) {
        let _ = running;
    }

    /// Hears that such a call has ended.
    fn unstalled(&self, running: &Running) {
        let _ = running;
    }
}

/// A call that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) site: &'static Site,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// How long it has been running.
    pub(crate) duration: Duration,
    /// The HTTP request that it belongs to.
    pub(crate) request: Option<Arc<Request>>,
}
