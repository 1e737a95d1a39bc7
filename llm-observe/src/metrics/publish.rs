//! From the cells to the recorder: what they gained since the last time.
//!
//! A histogram takes single values, and the cells keep only how many fell in a bucket and how
//! long they took together; so each bucket's gain is recorded as that many times its mean. The
//! mean of values in a bucket is in the bucket, so that counts by bucket are exact, and so is the
//! sum, up to rounding.

use std::sync::{PoisonError, atomic::Ordering::Relaxed};

use metrics::{Counter, Gauge, Histogram, Key, Label, Recorder};

use super::{
    METADATA, Metrics,
    cells::{Bounds, SiteMetrics, labels},
    names,
    shard::{Sum, TIMED},
};
use crate::kernel::{
    outcome::{ErrorClass, Outcome},
    site::Site,
    stats::Cell,
};

/// The most values recorded before the recorder is asked to digest them: it keeps each, 16 bytes,
/// until then.
const DIGEST: u64 = 8_192;

/// The recorder's handles of one site, and how much of the cells they have got.
pub(super) struct Published {
    calls: [Counter; Outcome::ALL.len()],
    in_flight: Gauge,
    slow: Counter,
    items: Option<Counter>,
    classes: [Option<Counter>; ErrorClass::ALL.len()],
    timed: [Series; TIMED.len()],
}

/// The histogram of one outcome; registered with its first value.
pub(super) struct Series {
    histogram: Option<Histogram>,
    /// What was recorded so far, by bucket.
    done: Vec<Sum>,
}

impl Series {
    pub(super) fn new(buckets: usize) -> Series {
        Series {
            histogram: None,
            done: vec![Sum::default(); buckets],
        }
    }
}

impl Published {
    pub(super) fn new(site: &'static Site, buckets: usize, recorder: &dyn Recorder) -> Published {
        let calls = Outcome::ALL.map(|outcome| {
            recorder.register_counter(
                &with(names::CALLS, site, "outcome", outcome.as_str()),
                &METADATA,
            )
        });
        for counter in &calls {
            counter.absolute(0);
        }
        let key = |name| Key::from_parts(name, labels(site));
        Published {
            calls,
            in_flight: recorder.register_gauge(&key(names::IN_FLIGHT), &METADATA),
            slow: recorder.register_counter(&key(names::SLOW), &METADATA),
            items: site
                .has_items
                .then(|| recorder.register_counter(&key(names::ITEMS), &METADATA)),
            classes: std::array::from_fn(|_| None),
            timed: TIMED.map(|_| Series::new(buckets)),
        }
    }
}

fn with(name: &'static str, site: &'static Site, label: &'static str, value: &'static str) -> Key {
    let mut labels = labels(site);
    labels.push(Label::from_static_parts(label, value));
    Key::from_parts(name, labels)
}

impl Metrics {
    /// Moves what the cells gained to the recorder.
    pub(crate) fn publish(&self) {
        let sites = self
            .sites
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for site in &sites {
            self.publish_site(site);
        }
        self.publish_operations();
        self.stats.for_each(|key, cell| self.publish_own(key, cell));
        self.digest();
    }

    /// Lets the recorder sum up what was recorded, so that its memory stays bounded.
    fn digest(&self) {
        if let Some(handle) = &self.handle {
            handle.run_upkeep();
        }
    }

    fn publish_site(&self, cells: &SiteMetrics) {
        let mut published = cells
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let published = &mut *published;
        let totals = cells.totals();
        let ended = totals.ended();
        for (counter, count) in published.calls.iter().zip(ended) {
            counter.absolute(count);
        }
        let running = totals.started.saturating_sub(ended.iter().sum());
        published.in_flight.set(as_f64(running));
        published.slow.absolute(cells.slow.load(Relaxed));
        if let Some(items) = &published.items {
            items.absolute(cells.items.load(Relaxed));
        }
        self.publish_classes(cells, published);
        let series = published.timed.iter_mut().zip(TIMED);
        for (sums, (series, outcome)) in totals.timed.iter().zip(series) {
            let key = || with(names::DURATION, cells.site(), "outcome", outcome.as_str());
            self.publish_durations(cells.bounds(), sums, series, key);
        }
    }

    fn publish_classes(&self, cells: &SiteMetrics, published: &mut Published) {
        for ((cell, counter), class) in cells
            .classes
            .iter()
            .zip(&mut published.classes)
            .zip(ErrorClass::ALL)
        {
            let count = cell.load(Relaxed);
            if count > 0 {
                counter
                    .get_or_insert_with(|| {
                        let key = with(names::ERRORS, cells.site(), "class", class.as_str());
                        self.with_recorder(|r| r.register_counter(&key, &METADATA))
                    })
                    .absolute(count);
            }
        }
    }

    /// Records what the buckets gained; `key` names the histogram.
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
            self.record(histogram, as_f64(mean) / 1e9, count);
        }
    }

    fn record(&self, histogram: &Histogram, value: f64, mut count: u64) {
        while count > 0 {
            let some = count.min(DIGEST);
            histogram.record_many(value, usize::try_from(some).unwrap_or(usize::MAX));
            count -= some;
            if count > 0 {
                self.digest();
            }
        }
    }

    fn publish_own(&self, key: &crate::kernel::stats::Key, cell: &Cell) {
        let labels: Vec<Label> = key
            .labels
            .iter()
            .map(|(k, v)| Label::new(*k, v.clone()))
            .collect();
        let key = Key::from_parts(key.name, labels);
        self.with_recorder(|recorder| match cell {
            Cell::Counter(counter) => {
                recorder
                    .register_counter(&key, &METADATA)
                    .absolute(counter.get());
            }
            Cell::Gauge(gauge) => {
                recorder
                    .register_gauge(&key, &METADATA)
                    .set(i64_as_f64(gauge.get()));
            }
        });
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "metrics are floats: exact up to 2^53"
)]
pub(super) fn as_f64(n: u64) -> f64 {
    n as f64
}

#[allow(
    clippy::cast_precision_loss,
    reason = "metrics are floats: exact up to 2^53"
)]
fn i64_as_f64(n: i64) -> f64 {
    n as f64
}
