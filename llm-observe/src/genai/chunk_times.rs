//! The times between the chunks of one stream, by the buckets of their histogram. Adding one takes no
//! memory and no lock.

use std::{sync::Arc, time::Duration};

/// How many times fell into a bucket, and their sum.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    count: u64,
    nanos: u64,
}

/// The times between chunks.
#[derive(Debug)]
pub(super) struct ChunkTimes {
    /// In nanoseconds, ascending.
    bounds: Arc<[u64]>,
    buckets: Box<[Bucket]>,
}

impl ChunkTimes {
    pub(super) fn new(bounds: &Arc<[u64]>) -> ChunkTimes {
        ChunkTimes {
            bounds: bounds.clone(),
            buckets: vec![Bucket::default(); bounds.len() + 1].into(),
        }
    }

    #[inline]
    pub(super) fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let at = self.bounds.partition_point(|bound| *bound < nanos);
        if let Some(bucket) = self.buckets.get_mut(at) {
            bucket.count += 1;
            bucket.nanos = bucket.nanos.saturating_add(nanos);
        }
    }

    /// Returns each bucket that has any as a number of times and their mean in seconds. The mean of times
    /// in a bucket is in that bucket too.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, f64)> {
        let filled = self.buckets.iter().filter(|bucket| bucket.count > 0);
        filled.map(|bucket| {
            let mean = Duration::from_nanos(bucket.nanos / bucket.count);
            (bucket.count, mean.as_secs_f64())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_their_bucket_with_their_mean() {
        let mut times = ChunkTimes::new(&[10_000_000, 20_000_000].into());
        for ms in [2, 4, 10, 11, 5_000] {
            times.add(Duration::from_millis(ms));
        }
        times.add(Duration::MAX);
        let all: Vec<_> = times.iter().collect();
        assert_eq!(all[0].0, 3);
        assert!((all[0].1 - 0.005_333_333).abs() < 1e-9);
        assert_eq!(all[1], (1, 0.011));
        assert_eq!(all[2].0, 2);
    }
}
