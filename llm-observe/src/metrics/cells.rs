//! What a call adds to: atomic cells of its site. Three additions a call, no lock.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed, Ordering::Release},
};

use metrics::{Histogram, Key, Label, Recorder};

use super::{METADATA, names, publish::Published};
use crate::{
    outcome::{Class, Outcome},
    record::Record,
    site::Site,
};

/// The outcomes whose durations are kept: a cancelled or panicked call has none worth comparing.
pub(super) const TIMED: [Outcome; 3] = [Outcome::Ok, Outcome::Error, Outcome::Timeout];

/// The durations of one outcome, by bucket: how many, and how long together.
pub(super) struct Durations {
    pub(super) buckets: Box<[Bucket]>,
}

#[derive(Default)]
pub(super) struct Bucket {
    pub(super) nanos: AtomicU64,
    pub(super) count: AtomicU64,
}

impl Durations {
    fn new(bounds: usize) -> Durations {
        Durations {
            buckets: (0..=bounds).map(|_| Bucket::default()).collect(),
        }
    }

    #[inline]
    fn add(&self, index: usize, nanos: u64) {
        if let Some(bucket) = self.buckets.get(index) {
            bucket.nanos.fetch_add(nanos, Relaxed);
            // After the sum, so that a reader who sees the count finds its time in the sum.
            bucket.count.fetch_add(1, Release);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|b| b.count.load(Relaxed)).sum()
    }
}

/// The figures of one site.
pub(crate) struct SiteMetrics {
    site: &'static Site,
    /// Upper bounds in nanoseconds, ascending.
    pub(super) bounds: Box<[u64]>,
    pub(super) started: AtomicU64,
    pub(super) timed: [Durations; 3],
    pub(super) cancelled: AtomicU64,
    pub(super) panicked: AtomicU64,
    pub(super) slow: AtomicU64,
    pub(super) items: AtomicU64,
    pub(super) classes: [AtomicU64; Class::ALL.len()],
    quality: Option<Histogram>,
    pub(super) published: Mutex<Published>,
}

impl SiteMetrics {
    pub(super) fn new(
        site: &'static Site,
        bounds: &Arc<[f64]>,
        recorder: &dyn Recorder,
    ) -> SiteMetrics {
        let quality = site.has_quality.then(|| {
            recorder.register_histogram(&Key::from_parts(names::QUALITY, labels(site)), &METADATA)
        });
        SiteMetrics {
            site,
            bounds: bounds.iter().map(|b| nanos(*b)).collect(),
            started: AtomicU64::new(0),
            timed: std::array::from_fn(|_| Durations::new(bounds.len())),
            cancelled: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            items: AtomicU64::new(0),
            classes: std::array::from_fn(|_| AtomicU64::new(0)),
            quality,
            published: Mutex::new(Published::new(site, bounds.len(), recorder)),
        }
    }

    pub(super) fn is_of(&self, site: &'static Site) -> bool {
        std::ptr::eq(self.site, site)
    }

    pub(super) fn site(&self) -> &'static Site {
        self.site
    }

    /// Counts a call that starts.
    #[inline]
    pub(crate) fn started(&self) {
        self.started.fetch_add(1, Relaxed);
    }

    /// Counts a call that ended.
    #[inline]
    pub(crate) fn ended(&self, outcome: Outcome, nanos: u64) {
        let index = || self.bounds.partition_point(|bound| *bound < nanos);
        let [ok, error, timeout] = &self.timed;
        match outcome {
            Outcome::Ok => ok.add(index(), nanos),
            Outcome::Error => error.add(index(), nanos),
            Outcome::Timeout => timeout.add(index(), nanos),
            Outcome::Cancelled => {
                self.cancelled.fetch_add(1, Relaxed);
            }
            Outcome::Panic => {
                self.panicked.fetch_add(1, Relaxed);
            }
        }
    }

    /// Counts what only some calls have: slowness, items, quality, a failure.
    pub(crate) fn details(&self, record: &Record<'_>) {
        if record.slow {
            self.slow.fetch_add(1, Relaxed);
        }
        if let (Some(items), Outcome::Ok) = (record.items, record.outcome) {
            self.items.fetch_add(items, Relaxed);
        }
        if let (Some(score), Some(histogram)) = (record.quality, &self.quality) {
            histogram.record(score);
        }
        if let Some(error) = record.error
            && let Some(at) = Class::ALL.iter().position(|c| *c == error.class)
            && let Some(cell) = self.classes.get(at)
        {
            cell.fetch_add(1, Relaxed);
        }
    }
}

/// Returns the labels that every call metric of `site` has.
pub(super) fn labels(site: &'static Site) -> Vec<Label> {
    vec![
        Label::from_static_parts("event", site.event),
        Label::new("function", site.function()),
    ]
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer cast saturates, which is what a bound wants"
)]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}
