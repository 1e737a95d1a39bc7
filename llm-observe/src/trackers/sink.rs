//! The sink of error reports, on the callers' side.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    handler::{ReportHandler, parcel},
    repeats::Repeats,
    report::Report,
    tracker::Tracker,
};
use crate::{
    error::Error,
    kernel::{
        error_info::ErrorInfo,
        metrics_table as names,
        record::Record,
        similar::SimilarError,
        sink::Sink,
        stats::{Counter, Stats},
    },
    outbox::{Outbox, Parcel, background::BackgroundWorker, caught, is_delivering},
    redact::{Redacted, Redactor},
};

/// How many different errors may wait for the worker; beyond it they are counted as lost.
pub(super) const MOST_DIFFERENT: usize = 20_000;

/// The running trackers: a sink of records, with a background worker.
pub(crate) struct TrackerSink {
    worker: BackgroundWorker<Report>,
    trackers: Arc<[Arc<dyn Tracker>]>,
    redactor: Arc<Redactor>,
    overflow: Counter,
    /// How many overflowed since the trackers were last notified.
    overflowed: Arc<AtomicU64>,
    /// Failures of what delivers reports.
    own: Counter,
}

impl TrackerSink {
    /// Starts the worker that encodes reports and puts them into the outbox.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub(crate) fn start(
        trackers: Vec<Arc<dyn Tracker>>,
        outbox: Outbox,
        redactor: Arc<Redactor>,
        stats: &Stats,
    ) -> Result<TrackerSink, Error> {
        let lost = |reason| stats.counter(names::REPORTS_LOST, &[("reason", reason)]);
        let trackers: Arc<[_]> = trackers.into();
        let overflowed = Arc::<AtomicU64>::default();
        let handler = ReportHandler {
            repeats: Repeats::default(),
            trackers: trackers.clone(),
            outbox,
            redactor: redactor.clone(),
            overflowed: overflowed.clone(),
            panicked: lost("panicked"),
        };
        Ok(TrackerSink {
            worker: BackgroundWorker::start("llm-observe-reports", MOST_DIFFERENT, handler)?,
            trackers,
            redactor,
            overflow: lost("overflow"),
            overflowed,
            own: lost("own"),
        })
    }

    /// Puts everything into the outbox that waits, the numbers of repeats included, within
    /// `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        self.worker.flush(limit)
    }

    /// Does what [`TrackerSink::flush`] does, and ends the worker.
    pub(crate) fn close(&self, limit: Duration) -> bool {
        self.worker.close(limit)
    }

    /// Returns a report to test a tracker with; `None` when there is no such tracker, or it
    /// panics.
    pub(crate) fn test_parcel(&self, tracker: &str) -> Option<Parcel> {
        let tracker = self.trackers.iter().find(|t| t.name() == tracker)?;
        let report = self.redactor.redacted(Report::test());
        caught(|| parcel(&**tracker, &report))
    }

    fn failed(&self, record: &Record<'_>, error: &ErrorInfo) {
        if is_delivering() {
            self.own.add(1);
            return;
        }
        let site = std::ptr::from_ref(record.site).addr();
        let key = (site, SimilarError::from(error));
        let merge = |report: &mut Report| report.count += 1;
        if !self.worker.add(key, merge, || self.first(record, error)) {
            self.overflow.add(1);
            self.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn first(&self, record: &Record<'_>, error: &ErrorInfo) -> Report {
        // On the caller's thread: a panic of a tracker must not end the call.
        let scope = caught(|| self.trackers.iter().find_map(|tracker| tracker.scope()));
        Report {
            scope: scope.flatten(),
            ..Report::of(record, error)
        }
    }
}

impl Sink for TrackerSink {
    fn record(&self, record: &Redacted<Record<'_>>) {
        if let Some(error) = record.error.filter(|_| record.is_reported()) {
            self.failed(record, error);
        }
    }
}

impl fmt::Debug for TrackerSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackerSink").finish_non_exhaustive()
    }
}
