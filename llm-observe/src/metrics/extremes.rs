//! The shortest and the longest call of a time: exact, where buckets give estimates.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// The length of one slot of the recent time, in seconds.
pub(super) const SLOT: u64 = 10;

/// How many slots are recent: five minutes, and the one that is going on.
const RECENT: u64 = 5 * 60 / SLOT + 1;

/// The shortest and the longest duration, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Range {
    /// That of no call.
    pub(super) const EMPTY: Range = Range {
        min: u64::MAX,
        max: 0,
    };

    pub(super) const fn is_empty(self) -> bool {
        self.min > self.max
    }

    #[must_use]
    pub(super) fn and(self, other: Range) -> Range {
        Range {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

impl Default for Range {
    fn default() -> Range {
        Range::EMPTY
    }
}

/// The range of what one thread has counted since it was last taken.
///
/// The thread alone widens it, and writes only where it grows; whoever publishes takes it. A value
/// that lies within the range while it is taken is in the one that was taken: at the seam, a call
/// may count for the moment before it.
pub(super) struct ThreadRange {
    min: AtomicU64,
    max: AtomicU64,
}

impl ThreadRange {
    pub(super) const fn new() -> ThreadRange {
        ThreadRange {
            min: AtomicU64::new(Range::EMPTY.min),
            max: AtomicU64::new(Range::EMPTY.max),
        }
    }

    #[inline]
    pub(super) fn add(&self, nanos: u64) {
        if nanos < self.min.load(Relaxed) {
            self.min.store(nanos, Relaxed);
        }
        if nanos > self.max.load(Relaxed) {
            self.max.store(nanos, Relaxed);
        }
    }

    pub(super) fn take(&self) -> Range {
        Range {
            min: self.min.swap(Range::EMPTY.min, Relaxed),
            max: self.max.swap(Range::EMPTY.max, Relaxed),
        }
    }
}

/// The ranges of one series: since the start, and of the recent time.
#[derive(Clone, Debug, Default)]
pub(super) struct Extremes {
    since_start: Range,
    /// By slot, the oldest first; slots without a call are not there.
    recent: VecDeque<(u64, Range)>,
}

impl Extremes {
    /// Adds the range of calls that ended by that slot.
    pub(super) fn add(&mut self, slot: u64, range: Range) {
        if range.is_empty() {
            return;
        }
        self.since_start = self.since_start.and(range);
        match self.recent.back_mut() {
            Some((last, sum)) if *last == slot => *sum = sum.and(range),
            _ => {
                self.recent.retain(|(old, _)| old + RECENT > slot);
                self.recent.push_back((slot, range));
            }
        }
    }

    pub(super) const fn since_start(&self) -> Range {
        self.since_start
    }

    /// Returns the range of the last five minutes, up to ten seconds more.
    pub(super) fn recent(&self, slot: u64) -> Range {
        let recent = self.recent.iter().filter(|(old, _)| old + RECENT > slot);
        recent.fold(Range::EMPTY, |sum, (_, range)| sum.and(*range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: u64, max: u64) -> Range {
        Range { min, max }
    }

    #[test]
    fn a_thread_has_the_range_since_it_was_taken() {
        let thread = ThreadRange::new();
        assert!(thread.take().is_empty());
        [7, 3, 9, 4].into_iter().for_each(|nanos| thread.add(nanos));
        assert_eq!(thread.take(), range(3, 9));
        thread.add(5);
        assert_eq!(thread.take(), range(5, 5));
    }

    #[test]
    fn old_slots_are_forgotten_and_the_start_is_not() {
        let mut extremes = Extremes::default();
        extremes.add(0, range(1, 100));
        extremes.add(1, range(5, 20));
        extremes.add(1, range(4, 10));
        assert_eq!(extremes.recent(1), range(1, 100));
        assert_eq!(extremes.recent(RECENT), range(4, 20));
        assert!(extremes.recent(RECENT + 1).is_empty());
        for slot in 2..1000 {
            extremes.add(slot, range(7, 8));
        }
        assert!(extremes.recent.len() <= usize::try_from(RECENT).unwrap());
        assert_eq!(extremes.recent(999), range(7, 8));
        assert_eq!(extremes.since_start(), range(1, 100));
    }
}
