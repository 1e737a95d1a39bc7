//! What a call adds to: the cells of its site, a shard for each thread, with no lock and no
//! contention.

use std::sync::{
    Arc, Mutex,
    atomic::{
        AtomicBool, AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Relaxed, Release},
    },
};

use metrics::{Histogram, Key, Label, Recorder};

use super::{
    extremes::Range,
    published::Published,
    recorder::METADATA,
    shard::{self, Shard, Totals},
};
use crate::kernel::{
    fork_mutex::ForkMutex,
    metrics_table as names,
    outcome::{ErrorClass, Outcome},
    record::Record,
    site::Site,
};

/// The calls that started and ended, and their durations, by thread: of a site of functions, or of
/// one series of an operation.
pub(super) struct Cells {
    /// Its place among a thread's shards: no two have the same.
    number: usize,
    bounds: Arc<Bounds>,
    shards: ForkMutex<Shards>,
    /// Where new shards are listed, and the place of the site there.
    watched: Option<(Arc<NewShards>, usize)>,
}

/// The shards that were made since the last publication, each with the place of its site.
#[derive(Default)]
pub(super) struct NewShards(ForkMutex<Vec<(Arc<Shard>, usize)>>);

impl NewShards {
    pub(super) fn take(&self) -> Vec<(Arc<Shard>, usize)> {
        let new = self.0.lock();
        new.map_or_else(Vec::new, |mut new| std::mem::take(&mut *new))
    }

    fn push(&self, shard: Arc<Shard>, place: usize) {
        if let Some(mut new) = self.0.lock() {
            new.push((shard, place));
        }
    }
}

/// Upper bounds below a millisecond, in nanoseconds: most functions take less than the least bound
/// that is exported.
const FINE: [u64; 20] = [
    250, 500, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000, 15_000, 20_000, 30_000, 50_000,
    70_000, 100_000, 150_000, 200_000, 300_000, 500_000, 700_000,
];

/// The upper bounds of the buckets that calls are counted in.
pub(super) struct Bounds {
    /// In nanoseconds, ascending.
    pub(super) nanos: Box<[u64]>,
    /// By the number of bits of a duration: the first bucket that one of that length can fall in.
    first: [u8; 65],
}

/// The shards of the threads that live, and the sum of those that are gone.
#[derive(Default)]
struct Shards {
    live: Vec<Arc<Shard>>,
    gone: Totals,
}

impl Bounds {
    /// Returns those of a histogram with these bounds, and finer ones below a millisecond. Each
    /// bucket lies in one of the histogram's.
    pub(super) fn new(seconds: &[f64]) -> Arc<Bounds> {
        let mut all: Vec<u64> = seconds.iter().map(|b| nanos(*b)).collect();
        all.extend(FINE);
        all.sort_unstable();
        all.dedup();
        let first = first_buckets(&all);
        Arc::new(Bounds {
            nanos: all.into(),
            first,
        })
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
        Cells {
            number: NUMBERS.fetch_add(1, Relaxed),
            shards: ForkMutex::default(),
            bounds,
            watched: None,
        }
    }

    /// Returns cells whose shards are listed in `new`, as those of the site at `place`.
    fn watched(bounds: Arc<Bounds>, new: Arc<NewShards>, place: usize) -> Cells {
        Cells {
            watched: Some((new, place)),
            ..Cells::new(bounds)
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
            // A thread that is being torn down counts in a shard for this alone.
            let late = self.new_shard();
            add(&late);
            late.close();
        }
    }

    #[cold]
    fn new_shard(&self) -> Arc<Shard> {
        let shard = Arc::new(Shard::new(self.bounds.buckets()));
        // Where a fork cannot list it, nobody publishes it: the thread that does is the parent's.
        if let Some(mut shards) = self.shards.lock() {
            shards.live.push(shard.clone());
        }
        if let Some((new, place)) = &self.watched {
            new.push(shard.clone(), *place);
        }
        shard
    }

    /// Adds up all threads. The range is that since the last time: for the publisher alone.
    pub(super) fn totals(&self) -> Totals {
        let Some(mut shards) = self.shards.lock() else {
            return Totals::default();
        };
        let Shards { live, gone } = &mut *shards;
        live.retain(|shard| {
            let closed = shard.is_closed();
            if closed {
                gone.add(shard);
            }
            !closed
        });
        let mut totals = gone.clone();
        gone.range = Range::EMPTY;
        live.iter().for_each(|shard| totals.add(shard));
        totals
    }
}

/// The metrics of one site.
pub(crate) struct SiteMetrics {
    site: &'static Site,
    cells: Cells,
    pub(super) slow: AtomicU64,
    pub(super) items: AtomicU64,
    pub(super) chunks: AtomicU64,
    pub(super) classes: [AtomicU64; ErrorClass::ALL.len()],
    quality: Option<Histogram>,
    /// Whether there is something to publish that the numbers of started calls do not show.
    changed: AtomicBool,
    pub(super) published: Mutex<Published>,
}

impl SiteMetrics {
    /// Returns the metrics of `site`, which are published as those at `place`.
    pub(super) fn new(
        site: &'static Site,
        bounds: &Arc<Bounds>,
        new: &Arc<NewShards>,
        place: usize,
        recorder: &dyn Recorder,
    ) -> SiteMetrics {
        let quality = site.has_quality.then(|| {
            let key = Key::from_parts(names::QUALITY.name, labels(site));
            recorder.register_histogram(&key, &METADATA)
        });
        SiteMetrics {
            site,
            cells: Cells::watched(bounds.clone(), new.clone(), place),
            slow: AtomicU64::new(0),
            items: AtomicU64::new(0),
            chunks: AtomicU64::new(0),
            classes: std::array::from_fn(|_| AtomicU64::new(0)),
            quality,
            changed: AtomicBool::new(false),
            published: Mutex::new(Published::new(site, recorder)),
        }
    }

    pub(super) fn site(&self) -> &'static Site {
        self.site
    }

    /// Marks the site as one with something to publish.
    pub(super) fn change(&self) {
        self.changed.store(true, Release);
    }

    /// Returns whether there is something to publish.
    pub(super) fn is_changed(&self) -> bool {
        self.changed.load(Relaxed)
    }

    /// Returns whether there is something to publish, and removes the mark.
    pub(super) fn take_change(&self) -> bool {
        // A counter is raised before its site is marked: what the mark stands for is seen.
        self.is_changed() && self.changed.swap(false, AcqRel)
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
            self.add(&self.slow, 1);
        }
        if let (Some(items), Outcome::Ok) = (record.items, record.outcome) {
            self.add(&self.items, items);
        }
        if let Some(chunks) = record.chunks {
            self.add(&self.chunks, chunks);
        }
        if let (Some(score), Some(histogram)) = (record.quality, &self.quality) {
            histogram.record(score);
        }
        if let Some(error) = record.error
            && let Some(at) = ErrorClass::ALL.iter().position(|c| *c == error.class)
            && let Some(class) = self.classes.get(at)
        {
            self.add(class, 1);
        }
    }

    pub(super) fn add(&self, counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
        self.change();
    }
}

/// Returns the first of `bounds` that is not below `nanos`; `first` has where to start.
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
        Label::from_static_parts("function", site.function()),
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
