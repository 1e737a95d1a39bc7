//! From the cells to the recorder: what they gained since the last time.
//!
//! Only sites with a change are visited. A call adds to its thread's shard and to nothing else, so
//! a change has to be found without its help: every call begins with a start, and the publisher
//! compares each shard's number of starts with the one it saw last. It visits a site where that
//! number differs, where calls were running at the last visit, and where
//! [`SiteMetrics::change`] was called. If no shard has a new start, and as many calls had ended as
//! had started, then no call can have ended since.
//!
//! A histogram takes single values, and the cells keep only how many fell in a bucket and how
//! long they took together; so each bucket's gain is recorded as that many times its mean. The
//! mean of values in a bucket is in the bucket, so that counts by bucket are exact, and so is the
//! sum, up to rounding.

use std::sync::{Arc, MutexGuard, PoisonError, atomic::Ordering::Relaxed};

use metrics::{Histogram, Key};

pub(super) use super::published::{Series, as_f64};
use super::{
    Metrics,
    cells::{Bounds, SiteMetrics},
    published::{Published, PublishedNumber, with},
    recorder::METADATA,
    shard::{Shard, Sum, TIMED, Totals},
};
use crate::kernel::{metrics_table as names, outcome::ErrorClass};

/// The most values that wait in the recorder before it is asked to digest them: it keeps each, 16
/// bytes, until then.
const DIGEST: u64 = 8_192;

/// The most publications between two digests: the recorder may have values that are not ours, and
/// an exporter that runs by itself digests every five seconds.
const DIGEST_ROUNDS: u64 = 5;

/// A recorder that is not ours may forget what is not written for a while: everything is written
/// anew each time so many publications have passed.
const ANEW_ROUNDS: u64 = 15;

/// What publishing remembers from one time to the next.
#[derive(Default)]
pub(super) struct Publisher {
    /// The sites that have ever been called, by their place among all; `None` for the others.
    called: Vec<Option<Arc<SiteMetrics>>>,
    shards: Vec<Seen>,
    numbers: Vec<PublishedNumber>,
    rounds: u64,
}

/// A shard, and how many calls had started in it when it was looked at.
struct Seen {
    shard: Arc<Shard>,
    place: usize,
    calls: u64,
}

impl Metrics {
    /// Moves what the cells gained to the recorder.
    pub(crate) fn publish(&self) {
        let mut publisher = self.publisher();
        publisher.rounds += 1;
        let foreign = self.recorder.is_foreign();
        let anew = foreign && publisher.rounds.is_multiple_of(ANEW_ROUNDS);
        let anew = self.has_come() || anew;
        self.find_changes(&mut publisher);
        self.publish_sites(&publisher, anew);
        self.publish_operations();
        self.publish_numbers(&mut publisher, anew);
        let due = publisher.rounds.is_multiple_of(DIGEST_ROUNDS);
        if due || self.undigested.load(Relaxed) >= DIGEST {
            self.digest();
        }
    }

    fn publisher(&self) -> MutexGuard<'_, Publisher> {
        let publisher = self.publisher.lock();
        publisher.unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the recorder sum up what was recorded, so that its memory stays bounded.
    fn digest(&self) {
        self.undigested.store(0, Relaxed);
        self.handle.run_upkeep();
    }

    /// Marks the sites of the shards that have something to publish.
    fn find_changes(&self, publisher: &mut Publisher) {
        let new = self.new_shards.take();
        if !new.is_empty()
            && let Some(all) = self.all.lock()
        {
            publisher.called.resize(all.len(), None);
            for (_, place) in &new {
                if let (Some(called), Some(site)) =
                    (publisher.called.get_mut(*place), all.get(*place))
                {
                    called.get_or_insert_with(|| site.clone()).change();
                }
            }
        }
        let new = new.into_iter();
        publisher.shards.extend(new.map(|(shard, place)| Seen {
            shard,
            place,
            calls: 0,
        }));
        let called = &publisher.called;
        publisher.shards.retain_mut(|seen| {
            // Read before the number: what a closed shard has then is its last.
            let closed = seen.shard.is_closed();
            let calls = seen.shard.calls();
            if (closed || calls != seen.calls)
                && let Some(Some(site)) = called.get(seen.place)
            {
                site.change();
            }
            seen.calls = calls;
            !closed
        });
    }

    fn publish_sites(&self, publisher: &Publisher, anew: bool) {
        if anew {
            let all = self.all.lock().map(|all| all.clone());
            all.iter()
                .flatten()
                .for_each(|site| self.publish_site(site));
            return;
        }
        let called = publisher.called.iter().flatten();
        for site in called.filter(|site| site.take_change()) {
            self.publish_site(site);
        }
    }

    fn publish_site(&self, site: &SiteMetrics) {
        let mut published = site
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let published = &mut *published;
        let totals = site.totals();
        let ended = totals.ended();
        for (counter, count) in published.calls.iter().zip(ended) {
            counter.absolute(count);
        }
        let running = totals.started.saturating_sub(ended.iter().sum());
        if running > 0 {
            // Such a call may end without another that starts.
            site.change();
        }
        published.in_flight.set(as_f64(running));
        published.slow.absolute(site.slow.load(Relaxed));
        if let Some(items) = &published.items {
            items.absolute(site.items.load(Relaxed));
        }
        if let Some(chunks) = &published.chunks {
            chunks.absolute(site.chunks.load(Relaxed));
        }
        self.publish_classes(site, published);
        self.publish_timed(site, &totals, published);
        published.extremes.add(self.slot(), totals.range);
    }

    fn publish_classes(&self, site: &SiteMetrics, published: &mut Published) {
        let counters = published.classes.iter_mut();
        for ((cell, counter), class) in site.classes.iter().zip(counters).zip(ErrorClass::ALL) {
            let count = cell.load(Relaxed);
            if count > 0 {
                counter
                    .get_or_insert_with(|| {
                        let key = with(names::ERRORS, site.site(), "class", class.as_str());
                        self.with_recorder(|r| r.register_counter(&key, &METADATA))
                    })
                    .absolute(count);
            }
        }
    }

    fn publish_timed(&self, site: &SiteMetrics, totals: &Totals, published: &mut Published) {
        let timed = totals.timed.iter().zip(&mut published.timed).zip(TIMED);
        for ((sums, series), outcome) in timed.filter(|((sums, _), _)| !sums.is_empty()) {
            let series = series.get_or_insert_with(|| Series::new(sums.len()));
            let key = || with(names::DURATION, site.site(), "outcome", outcome.as_str());
            self.publish_durations(site.bounds(), sums, series, key);
        }
    }

    /// Records what every bucket gained; `key` names the histogram.
    pub(super) fn publish_durations(
        &self,
        bounds: &Bounds,
        sums: &[Sum],
        series: &mut Series,
        key: impl Fn() -> Key,
    ) {
        for (at, (sum, done)) in sums.iter().zip(&mut series.done).enumerate() {
            let count = sum.count.saturating_sub(done.count);
            if count == 0 {
                continue;
            }
            // The time of a call that is not counted yet may be in it: then the mean is kept in
            // its bucket, and the rest goes with the next count.
            let mean = (sum.nanos.wrapping_sub(done.nanos) / count).min(bounds.of(at));
            done.count += count;
            done.nanos = done.nanos.wrapping_add(mean.saturating_mul(count));
            let histogram = series.histogram.get_or_insert_with(|| {
                self.with_recorder(|r| r.register_histogram(&key(), &METADATA))
            });
            self.record_many(histogram, as_f64(mean) / 1e9, count);
        }
    }

    fn record_many(&self, histogram: &Histogram, value: f64, mut count: u64) {
        while count > 0 {
            let some = count.min(DIGEST);
            histogram.record_many(value, usize::try_from(some).unwrap_or(usize::MAX));
            count -= some;
            self.undigested.fetch_add(some, Relaxed);
            if count > 0 {
                self.digest();
            }
        }
    }

    fn publish_numbers(&self, publisher: &mut Publisher, anew: bool) {
        let made = self.stats.made_after(publisher.numbers.len());
        self.with_recorder(|recorder| {
            let new = made.into_iter();
            let new = new.map(|(key, number)| PublishedNumber::new(&key, number, recorder));
            publisher.numbers.extend(new);
        });
        let numbers = publisher.numbers.iter_mut();
        numbers.for_each(|number| number.publish(anew));
    }
}

#[cfg(test)]
impl Metrics {
    /// Returns the functions that the next publication visits.
    pub(super) fn changed(&self) -> Vec<&'static str> {
        let mut publisher = self.publisher();
        self.find_changes(&mut publisher);
        let called = publisher.called.iter().flatten();
        let changed = called.filter(|site| site.is_changed());
        changed.map(|site| site.site().function()).collect()
    }

    /// Returns how many shards are looked at each time.
    pub(super) fn watched_shards(&self) -> usize {
        self.publisher().shards.len()
    }
}
