//! Outlets that could not be started with the observer: a sink and a part that have them once they run.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{FlushReport, Part, SendTestResult};
use crate::{
    kernel::{
        record::Record,
        sink::{LogEvent, RunningCall, Sink, ThresholdReached},
    },
    redact::Redacted,
};

/// Outlets, once they run. Until then calls do not reach them.
#[derive(Clone, Default)]
pub(super) struct LateOutlets(Arc<OnceLock<Outlets>>);

type Outlets = (Vec<Arc<dyn Sink>>, Box<dyn Part>);

impl LateOutlets {
    /// Gives them everything from now on. Called once.
    pub(super) fn set(&self, sinks: Vec<Arc<dyn Sink>>, part: Box<dyn Part>) {
        // One that comes second is dropped, and stops.
        let _ = self.0.set((sinks, part));
    }

    fn sinks(&self) -> impl Iterator<Item = &Arc<dyn Sink>> {
        self.0.get().into_iter().flat_map(|(sinks, _)| sinks)
    }

    fn part(&self) -> Option<&dyn Part> {
        self.0.get().map(|(_, part)| &**part)
    }
}

impl Sink for LateOutlets {
    fn record(&self, record: &Redacted<Record<'_>>) {
        self.sinks().for_each(|sink| sink.record(record));
    }

    fn event(&self, event: &Redacted<LogEvent<'_>>) {
        self.sinks().for_each(|sink| sink.event(event));
    }

    fn stalled(&self, call: &Redacted<RunningCall>) {
        self.sinks().for_each(|sink| sink.stalled(call));
    }

    fn unstalled(&self, call: &Redacted<RunningCall>) {
        self.sinks().for_each(|sink| sink.unstalled(call));
    }

    fn reached(&self, threshold: &Redacted<ThresholdReached>) {
        self.sinks().for_each(|sink| sink.reached(threshold));
    }
}

impl Part for LateOutlets {
    fn flush(&self, limit: Duration, report: &mut FlushReport) {
        if let Some(part) = self.part() {
            part.flush(limit, report);
        }
    }

    fn stop(&self, limit: Duration, report: &mut FlushReport) {
        match self.part() {
            Some(part) => part.stop(limit, report),
            // Those that start from now on come second.
            None => self.set(Vec::new(), Box::new(LateOutlets::default())),
        }
    }

    fn send_test(&self, limit: Duration) -> Vec<SendTestResult> {
        let part = self.part();
        part.map(|part| part.send_test(limit)).unwrap_or_default()
    }
}
