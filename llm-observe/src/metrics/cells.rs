//! What a call adds to: the cells of its site, a shard for each thread, with no lock and no
//! contention.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use metrics::{Histogram, Key, Label, Recorder};

use super::{
    METADATA, names,
    publish::Published,
    shard::{self, Shard, Totals},
};
use crate::kernel::{
    outcome::{ErrorClass, Outcome},
    record::Record,
    site::Site,
};

/// How many calls started, ended and how long they took, by thread: what a site adds to, and each
/// series of an HTTP histogram.
pub(super) struct Cells {
    /// Its place among a thread's shards: no two have the same.
    number: usize,
    bounds: Arc<Bounds>,
    shards: Mutex<Shards>,
}

/// The upper bounds of a histogram.
pub(super) struct Bounds {
    /// In nanoseconds, ascending.
    pub(super) nanos: Box<[u64]>,
    /// By the number of bits of a duration: the first bucket that one of that length can fall in.
    first: [u8; 65],
}

/// The shards of the threads that live, and the sum of those that are gone.
struct Shards {
    live: Vec<Arc<Shard>>,
    gone: Totals,
}

impl Bounds {
    pub(super) fn new(seconds: &[f64]) -> Arc<Bounds> {
        let nanos: Box<[u64]> = seconds.iter().map(|b| nanos(*b)).collect();
        let first = first_buckets(&nanos);
        Arc::new(Bounds { nanos, first })
    }

    /// Returns how many buckets they make, with the one beyond the last.
    pub(super) fn buckets(&self) -> usize {
        self.nanos.len() + 1
    }

    /// Returns the upper bound of a bucket.
    pub(super) fn of(&self, bucket: usize) -> u64 {
        self.nanos.get(bucket).copied().unwrap_or(u64::MAX)
    }
}

impl Cells {
    pub(super) fn new(bounds: Arc<Bounds>) -> Cells {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        let gone = Totals::new(bounds.buckets());
        Cells {
            number: NUMBERS.fetch_add(1, Relaxed),
            shards: Mutex::new(Shards {
                live: Vec::new(),
                gone,
            }),
            bounds,
        }
    }

    /// Counts a call that starts.
    #[inline]
    pub(super) fn started(&self) {
        self.add(Shard::started);
    }

    /// Counts a call that ended.
    #[inline]
    pub(super) fn ended(&self, outcome: Outcome, nanos: u64) {
        self.add(|shard| shard.ended(outcome, nanos, || self.bucket(nanos)));
    }

    /// Returns the bucket of a duration: the first whose bound is not below it.
    #[inline]
    fn bucket(&self, nanos: u64) -> usize {
        bucket(&self.bounds.nanos, &self.bounds.first, nanos)
    }

    #[inline]
    fn add(&self, add: impl Fn(&Shard)) {
        if shard::with_own(self.number, || self.new_shard(), &add).is_none() {
            // A thread that is being torn down counts in a shard that is read as it is made.
            let late = Shard::new(self.bounds.buckets());
            add(&late);
            self.lock().gone.add(&late);
        }
    }

    #[cold]
    fn new_shard(&self) -> Arc<Shard> {
        let shard = Arc::new(Shard::new(self.bounds.buckets()));
        self.lock().live.push(shard.clone());
        shard
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shards> {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds up all threads.
    pub(super) fn totals(&self) -> Totals {
        let mut shards = self.lock();
        let Shards { live, gone } = &mut *shards;
        // Only ours is left of a thread that has ended: nobody adds to it any more.
        live.retain(|shard| {
            let lives = Arc::strong_count(shard) > 1;
            if !lives {
                gone.add(shard);
            }
            lives
        });
        let mut totals = gone.clone();
        live.iter().for_each(|shard| totals.add(shard));
        totals
    }
}

/// The figures of one site.
pub(crate) struct SiteMetrics {
    site: &'static Site,
    cells: Cells,
    pub(super) slow: AtomicU64,
    pub(super) items: AtomicU64,
    pub(super) classes: [AtomicU64; ErrorClass::ALL.len()],
    quality: Option<Histogram>,
    pub(super) published: Mutex<Published>,
}

impl SiteMetrics {
    pub(super) fn new(
        site: &'static Site,
        bounds: &Arc<Bounds>,
        recorder: &dyn Recorder,
    ) -> SiteMetrics {
        let quality = site.has_quality.then(|| {
            recorder.register_histogram(&Key::from_parts(names::QUALITY, labels(site)), &METADATA)
        });
        SiteMetrics {
            site,
            cells: Cells::new(bounds.clone()),
            slow: AtomicU64::new(0),
            items: AtomicU64::new(0),
            classes: std::array::from_fn(|_| AtomicU64::new(0)),
            quality,
            published: Mutex::new(Published::new(site, bounds.buckets(), recorder)),
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
        self.cells.started();
    }

    /// Counts a call that ended.
    #[inline]
    pub(crate) fn ended(&self, outcome: Outcome, nanos: u64) {
        self.cells.ended(outcome, nanos);
    }

    /// Adds up all threads.
    pub(super) fn totals(&self) -> Totals {
        self.cells.totals()
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.cells.bounds
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
            && let Some(at) = ErrorClass::ALL.iter().position(|c| *c == error.class)
            && let Some(cell) = self.classes.get(at)
        {
            cell.fetch_add(1, Relaxed);
        }
    }
}

/// Returns the first of `bounds` that is not below `nanos`, looked for from where `first` says.
#[inline]
fn bucket(bounds: &[u64], first: &[u8; 65], nanos: u64) -> usize {
    let bits = (u64::BITS - nanos.leading_zeros()) as usize;
    let mut at = first.get(bits).copied().map_or(0, usize::from);
    // A handful of steps at most, where bounds grow as those of latencies do.
    while bounds.get(at).is_some_and(|bound| *bound < nanos) {
        at += 1;
    }
    at
}

/// Returns, for each number of bits, the first bound that is not below the least such number.
fn first_buckets(bounds: &[u64]) -> [u8; 65] {
    std::array::from_fn(|bits| {
        let least = match bits {
            0 => 0,
            bits => 1_u64 << (bits - 1),
        };
        let first = bounds.partition_point(|bound| *bound < least);
        // With more bounds than a byte counts, the search starts earlier.
        u8::try_from(first).unwrap_or(u8::MAX)
    })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_bucket_is_the_first_that_is_not_below(nanos: u64, mut bounds: Vec<u64>) {
            bounds.sort_unstable();
            bounds.dedup();
            let at = bucket(&bounds, &first_buckets(&bounds), nanos);
            prop_assert_eq!(at, bounds.partition_point(|bound| *bound < nanos));
        }
    }
}
