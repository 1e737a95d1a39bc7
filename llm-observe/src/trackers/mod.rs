//! From records to reports: every failure to every error tracker, through the outbox.
//!
//! Different errors are reported one by one, however many come at once. Equal ones are reported
//! at once the first time, and then once in a while with their number. It must not know how a
//! tracker is reached.

#[cfg(feature = "airbrake")]
pub(crate) mod airbrake;
mod frames;
mod repeats;
mod report;
#[cfg(feature = "rollbar")]
pub(crate) mod rollbar;
#[cfg(feature = "sentry")]
pub(crate) mod sentry;
mod size;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub use crate::{
    crumbs::Breadcrumb,
    outbox::{Answer, Delivery, Destination, Lost, Parcel},
};
pub use frames::Frame;
pub use report::{Origin, Report, RequestInfo, Scope};

use crate::{
    crumbs,
    error::Error,
    kernel::{
        error_info::ErrorInfo,
        metric_names as names,
        record::Record,
        sink::{LogEvent, Sink},
        stats::{Counter, Stats},
    },
    outbox::{self, Outbox, burst::Burst, now_micros},
    redact::{Redacted, Redactor},
};
use repeats::Repeats;

/// How many different errors may wait for the thread; beyond it they are counted as lost.
const MOST_DIFFERENT: usize = 20_000;

/// A service that errors are reported to. Users can write their own.
pub trait Tracker: Destination {
    /// Returns the body for `report`, as [`Destination::deliver`] is to send it. Nothing is sent
    /// when it is empty.
    fn encode(&self, report: &Report) -> Vec<u8>;

    /// Returns whether it takes `report`, such as by a sample rate. Default: all.
    fn takes(&self, report: &Report) -> bool {
        let _ = report;
        true
    }

    /// Returns the category that the tracker's rate limits count reports in. Default: none.
    fn category(&self) -> &str {
        ""
    }

    /// Returns what only the thread of a failing call knows, for [`Tracker::encode`] to find in
    /// [`Report::scope`]. It must not block. Default: nothing.
    fn scope(&self) -> Option<Scope> {
        None
    }
}

/// The running trackers: a sink of records, and the thread behind it.
pub(crate) struct Trackers {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    burst: Burst<Report>,
    trackers: Vec<Arc<dyn Tracker>>,
    outbox: Outbox,
    redactor: Arc<Redactor>,
    overflow: Counter,
    /// Failures of what delivers reports.
    own: Counter,
    /// Those that a tracker's own code ended.
    panicked: Counter,
    /// How many overflowed that the trackers have not heard of.
    untold: AtomicU64,
    _wanted: crumbs::Wanted,
}

impl Trackers {
    /// Starts the thread that encodes reports and puts them into the outbox.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub(crate) fn start(
        trackers: Vec<Arc<dyn Tracker>>,
        outbox: Outbox,
        redactor: Arc<Redactor>,
        stats: &Stats,
    ) -> Result<Trackers, Error> {
        let lost = |reason| stats.counter(names::REPORTS_LOST, &[("reason", reason)]);
        let burst = Burst::new(MOST_DIFFERENT);
        let shared = Arc::new(Shared {
            burst,
            trackers,
            outbox,
            redactor,
            overflow: lost("overflow"),
            own: lost("own"),
            panicked: lost("panicked"),
            untold: AtomicU64::new(0),
            _wanted: crumbs::Wanted::new(),
        });
        let work = shared.clone();
        let thread = thread::Builder::new()
            .name("llm-observe-reports".to_owned())
            .spawn(move || work.run())
            .map_err(|e| Error::with("cannot start the thread of error reports", e))?;
        Ok(Trackers {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Puts everything into the outbox that waits, the numbers of repeats included, within
    /// `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        self.shared.burst.flush(limit)
    }

    /// Returns a report to try a tracker with.
    pub(crate) fn test_parcel(&self, tracker: &str) -> Option<Parcel> {
        let tracker = self.shared.trackers.iter().find(|t| t.name() == tracker)?;
        Some(parcel(&**tracker, &Report::test()))
    }
}

impl Drop for Trackers {
    fn drop(&mut self) {
        self.shared.burst.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It does not panic; if it did, there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}

impl Sink for Trackers {
    fn record(&self, record: &Redacted<Record<'_>>) {
        if let Some(error) = record.error.filter(|_| record.is_reported()) {
            self.failed(record, error);
        }
        crumbs::call(record);
    }

    fn event(&self, event: &Redacted<LogEvent<'_>>) {
        crumbs::line(event);
    }
}

impl Trackers {
    fn failed(&self, record: &Record<'_>, error: &ErrorInfo) {
        if outbox::is_delivering() {
            self.shared.own.add(1);
            return;
        }
        let site = std::ptr::from_ref(record.site).addr();
        let key = (site, error.type_name, error.message.as_str());
        let again = |report: &mut Report| report.count += 1;
        if !self
            .shared
            .burst
            .add(key, again, || self.shared.first(record, error))
        {
            self.shared.overflow.add(1);
            self.shared.untold.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Trackers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trackers").finish_non_exhaustive()
    }
}

impl Shared {
    fn first(&self, record: &Record<'_>, error: &ErrorInfo) -> Report {
        // In user code: what a tracker's SDK makes of it must not end the call.
        let scope = outbox::caught(|| self.trackers.iter().find_map(|tracker| tracker.scope()));
        let scope = scope.flatten();
        Report {
            scope,
            ..Report::of(record, error)
        }
    }

    fn run(&self) {
        let mut repeats = Repeats::default();
        loop {
            let taken = self.burst.take(repeats.wake().map(instant));
            let now = now_micros();
            self.tell_overflow();
            for report in taken.items {
                if let Some(report) = repeats.pass(report, now) {
                    self.report(report);
                }
            }
            let ending = taken.closed || taken.flush.is_some();
            let due = if ending {
                repeats.all()
            } else {
                repeats.due(now)
            };
            due.into_iter().for_each(|report| self.report(report));
            if let Some(asked) = taken.flush {
                self.burst.answer(asked);
            }
            if taken.closed {
                return;
            }
        }
    }

    fn tell_overflow(&self) {
        let lost = self.untold.swap(0, Ordering::Relaxed);
        if lost > 0 {
            for tracker in &self.trackers {
                tracker.lost(tracker.category(), Lost::Overflow, lost);
            }
        }
    }

    fn report(&self, report: Report) {
        let report = report.redacted(&self.redactor);
        for tracker in &self.trackers {
            let parcel = || tracker.takes(&report).then(|| parcel(&**tracker, &report));
            match outbox::caught(parcel) {
                Some(Some(parcel)) if !parcel.body.is_empty() => self.outbox.put(parcel),
                Some(_) => {}
                None => self.panicked.add(1),
            }
        }
    }
}

fn parcel(tracker: &dyn Tracker, report: &Report) -> Parcel {
    Parcel::new(tracker.name(), tracker.encode(report)).category(tracker.category())
}

/// Returns when the wall clock will show `at`, at least a moment from now.
fn instant(at: u64) -> Instant {
    Instant::now() + Duration::from_micros(at.saturating_sub(now_micros()).max(5_000))
}

#[cfg(test)]
mod tests;
