//! What one thread has counted for one site. Only that thread writes, so an addition is a plain
//! load and store; whoever publishes reads, and adds the threads up.

use std::{
    cell::RefCell,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::extremes::{Range, ThreadRange};
use crate::kernel::outcome::Outcome;

/// The outcomes whose durations are kept: a cancelled or panicked call has none worth comparing.
pub(super) const TIMED: [Outcome; 3] = [Outcome::Ok, Outcome::Error, Outcome::Timeout];

/// A number that one thread adds to and others read.
#[derive(Default)]
pub(super) struct Tally(AtomicU64);

impl Tally {
    /// Adds `n`. With [`Ordering::Release`], a reader of the sum sees what was added before it.
    #[inline]
    fn add(&self, n: u64, order: Ordering) {
        // No read-modify-write is needed where nobody else writes.
        let sum = self.0.load(Ordering::Relaxed).wrapping_add(n);
        self.0.store(sum, order);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// How many durations fell in a bucket, and how long they took together.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) nanos: u64,
}

#[derive(Default)]
struct Bucket {
    nanos: Tally,
    count: Tally,
}

/// The cells of one thread and one site.
pub(super) struct Shard {
    started: Tally,
    cancelled: Tally,
    panicked: Tally,
    /// Of the durations that are kept.
    range: ThreadRange,
    /// By outcome of [`TIMED`], then by bucket; made with the first such call.
    timed: [OnceLock<Box<[Bucket]>>; TIMED.len()],
    buckets: usize,
    /// The thread has ended: nothing is added any more.
    closed: AtomicBool,
}

impl Shard {
    pub(super) fn new(buckets: usize) -> Shard {
        Shard {
            started: Tally::default(),
            cancelled: Tally::default(),
            panicked: Tally::default(),
            range: ThreadRange::new(),
            timed: [const { OnceLock::new() }; TIMED.len()],
            buckets,
            closed: AtomicBool::new(false),
        }
    }

    /// Marks it as one that nothing is added to any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Returns whether nothing is added any more; then everything that was added is seen.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Returns how many calls have started in the thread.
    pub(super) fn calls(&self) -> u64 {
        self.started.get()
    }

    #[inline]
    pub(super) fn started(&self) {
        self.started.add(1, Ordering::Relaxed);
    }

    /// Counts a call that ended; `bucket` is the one its duration falls in.
    #[inline]
    pub(super) fn ended(&self, outcome: Outcome, nanos: u64, bucket: impl FnOnce() -> usize) {
        let [ok, error, timeout] = &self.timed;
        let timed = match outcome {
            Outcome::Ok => ok,
            Outcome::Error => error,
            Outcome::Timeout => timeout,
            Outcome::Cancelled => return self.cancelled.add(1, Ordering::Relaxed),
            Outcome::Panic => return self.panicked.add(1, Ordering::Relaxed),
        };
        self.range.add(nanos);
        let buckets = timed.get_or_init(|| (0..self.buckets).map(|_| Bucket::default()).collect());
        if let Some(bucket) = buckets.get(bucket()) {
            bucket.nanos.add(nanos, Ordering::Relaxed);
            // Whoever sees the count finds its time in the sum.
            bucket.count.add(1, Ordering::Release);
        }
    }
}

/// What was counted for one site, added up over threads.
#[derive(Clone, Default)]
pub(super) struct Totals {
    pub(super) started: u64,
    pub(super) cancelled: u64,
    pub(super) panicked: u64,
    /// By outcome of [`TIMED`], then by bucket; empty where no call ended so.
    pub(super) timed: [Vec<Sum>; TIMED.len()],
    /// Of the durations that were counted since the last time.
    pub(super) range: Range,
}

impl Totals {
    /// Adds what a shard has counted, and takes its range.
    pub(super) fn add(&mut self, shard: &Shard) {
        // The ends first: a call that ends meanwhile then still counts as running, not as -1.
        for (sums, cell) in self.timed.iter_mut().zip(&shard.timed) {
            let buckets = cell.get().map_or(&[][..], |buckets| buckets);
            sums.resize(sums.len().max(buckets.len()), Sum::default());
            for (sum, bucket) in sums.iter_mut().zip(buckets) {
                sum.count += bucket.count.get();
                sum.nanos = sum.nanos.wrapping_add(bucket.nanos.get());
            }
        }
        // After the counts: what is counted is in the range.
        self.range = self.range.and(shard.range.take());
        self.cancelled += shard.cancelled.get();
        self.panicked += shard.panicked.get();
        self.started += shard.started.get();
    }

    /// Returns how many calls ended, in the order of [`Outcome::ALL`].
    pub(super) fn ended(&self) -> [u64; Outcome::ALL.len()] {
        let [ok, error, timeout] = self
            .timed
            .each_ref()
            .map(|sums| sums.iter().map(|sum| sum.count).sum());
        [ok, error, timeout, self.cancelled, self.panicked]
    }
}

/// A thread's hold of its shard, which is closed when the thread ends.
struct Own(Arc<Shard>);

impl Drop for Own {
    fn drop(&mut self) {
        self.0.close();
    }
}

thread_local! {
    /// This thread's shards, by the number of the cells.
    static SHARDS: RefCell<Vec<Option<Own>>> = const { RefCell::new(Vec::new()) };
}

/// Gives this thread's shard of the cells `number` to `f`, made by `make` when it is new. `None`
/// while the thread is being torn down.
#[inline]
pub(super) fn with_own<T>(
    number: usize,
    make: impl FnOnce() -> Arc<Shard>,
    f: impl FnOnce(&Shard) -> T,
) -> Option<T> {
    SHARDS
        .try_with(|shards| {
            let mut shards = shards.try_borrow_mut().ok()?;
            if let Some(Some(shard)) = shards.get(number) {
                return Some(f(&shard.0));
            }
            insert(&mut shards, number, make()).map(f)
        })
        .ok()
        .flatten()
}

#[cold]
fn insert(shards: &mut Vec<Option<Own>>, number: usize, shard: Arc<Shard>) -> Option<&Shard> {
    if shards.len() <= number {
        shards.resize_with(number + 1, || None);
    }
    let place = shards.get_mut(number)?;
    Some(&place.insert(Own(shard)).0)
}
