//! The background worker's part of error reports: it counts repeats, has trackers encode reports
//! and puts them into the outbox.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{repeats::Repeats, report::Report, tracker::Tracker};
use crate::{
    kernel::stats::Counter,
    outbox::{
        LossReason, Outbox, Parcel,
        background::{BatchHandler, BatchPhase},
        caught, now_micros,
    },
    redact::{Redacted, Redactor},
};

/// What the background worker runs.
pub(super) struct ReportHandler {
    pub(super) repeats: Repeats,
    pub(super) trackers: Arc<[Arc<dyn Tracker>]>,
    pub(super) outbox: Outbox,
    pub(super) redactor: Arc<Redactor>,
    /// How many reports overflowed since the trackers were last notified.
    pub(super) overflowed: Arc<AtomicU64>,
    /// Reports whose tracker panicked.
    pub(super) panicked: Counter,
}

impl BatchHandler for ReportHandler {
    type Item = Report;

    fn wake(&self) -> Option<u64> {
        self.repeats.wake()
    }

    fn handle(&mut self, items: Vec<Report>, phase: BatchPhase) {
        self.notify_overflow();
        let now = now_micros();
        for report in items {
            if let Some(report) = self.repeats.pass(report, now) {
                self.report(report);
            }
        }
        let due = match phase.is_flush() {
            true => self.repeats.all(),
            false => self.repeats.due(now),
        };
        due.into_iter().for_each(|report| self.report(report));
    }
}

impl ReportHandler {
    fn notify_overflow(&self) {
        let lost = self.overflowed.swap(0, Ordering::Relaxed);
        if lost > 0 {
            for tracker in self.trackers.iter() {
                caught(|| tracker.lost(tracker.category(), LossReason::Overflow, lost));
            }
        }
    }

    fn report(&self, report: Report) {
        let report = self.redactor.redacted(report);
        for tracker in self.trackers.iter() {
            let parcel = || tracker.takes(&report).then(|| parcel(&**tracker, &report));
            match caught(parcel) {
                Some(Some(parcel)) if !parcel.body().is_empty() => self.outbox.put(parcel),
                Some(_) => {}
                None => self.panicked.add(1),
            }
        }
    }
}

/// Returns the report as `tracker` sends it.
pub(super) fn parcel(tracker: &dyn Tracker, report: &Redacted<Report>) -> Parcel {
    Parcel::new(tracker.name(), tracker.encode(report)).category(tracker.category())
}
