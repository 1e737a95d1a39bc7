//! A program's own sink, whose panics do not reach the calls that it observes.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    kernel::{
        record::Record,
        sink::{LogEvent, RunningCall, Sink, ThresholdReached},
    },
    redact::Redacted,
};

/// A sink, with a guard around it.
pub(crate) struct Guarded<S>(S);

impl<S: Sink> Guarded<S> {
    pub(crate) const fn new(sink: S) -> Guarded<S> {
        Guarded(sink)
    }

    fn guard(&self, f: impl FnOnce(&S)) {
        // The panic hook has printed it already; the sink misses this one.
        let _ = catch_unwind(AssertUnwindSafe(|| f(&self.0)));
    }
}

impl<S: Sink> Sink for Guarded<S> {
    fn record(&self, record: &Redacted<Record<'_>>) {
        self.guard(|sink| sink.record(record));
    }

    fn event(&self, event: &Redacted<LogEvent<'_>>) {
        self.guard(|sink| sink.event(event));
    }

    fn stalled(&self, call: &Redacted<RunningCall>) {
        self.guard(|sink| sink.stalled(call));
    }

    fn unstalled(&self, call: &Redacted<RunningCall>) {
        self.guard(|sink| sink.unstalled(call));
    }

    fn reached(&self, threshold: &Redacted<ThresholdReached>) {
        self.guard(|sink| sink.reached(threshold));
    }
}

impl<S> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}
