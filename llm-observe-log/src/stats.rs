//! The counters and the health of a log file, and why lines were lost. Plain data.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

/// Why lines were lost. The number is the reason's place in the ring's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// The buffer was full.
    Overflow,
    /// The buffer had no room for the line, which was longer than an eighth of it: such a line is
    /// not waited for.
    TooLong,
    /// The log file could not be opened in a forked process.
    Fork,
    /// A buffer was damaged or truncated. Counts one for each buffer, since how many lines were in it
    /// is not known.
    Damaged,
}

impl LossReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Overflow, Self::TooLong, Self::Fork, Self::Damaged];

    /// Returns the reason as a label: `overflow`, `too_long`, `fork` or `damaged`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::TooLong => "too_long",
            Self::Fork => "fork",
            Self::Damaged => "damaged",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether lines reach the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// The disk takes lines.
    Healthy,
    /// The disk refuses lines. They wait in the buffer.
    Waiting {
        /// Since when.
        since: SystemTime,
        /// The error of the disk.
        error: String,
    },
}

/// What a log file has done since this process opened it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriterStats {
    /// Lines that reached the file, recovered ones included.
    pub lines: u64,
    /// How often the file was rotated.
    pub rotations: u64,
    /// Lines that an earlier process had left in its buffer.
    pub recovered: u64,
    /// Bytes of lines that are not in the file yet.
    pub pending_bytes: u64,
    /// Whether lines reach the file.
    pub health: Health,
    /// Whether other users could change the files when the folder was opened.
    pub exposed: bool,
    pub(crate) lost: [u64; LossReason::ALL.len()],
}

impl WriterStats {
    /// Returns how many lines were lost for that reason.
    pub fn lost(&self, reason: LossReason) -> u64 {
        self.lost.get(reason as usize).copied().unwrap_or_default()
    }

    /// Returns how many lines were lost.
    pub fn total_lost(&self) -> u64 {
        self.lost.iter().sum()
    }
}

/// The counters behind [`WriterStats`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) lines: AtomicU64,
    pub(crate) rotations: AtomicU64,
    pub(crate) recovered: AtomicU64,
    overflow: AtomicU64,
    too_long: AtomicU64,
    fork: AtomicU64,
    damaged: AtomicU64,
}

impl Counters {
    pub(crate) fn lost(&self, reason: LossReason) -> &AtomicU64 {
        match reason {
            LossReason::Overflow => &self.overflow,
            LossReason::TooLong => &self.too_long,
            LossReason::Fork => &self.fork,
            LossReason::Damaged => &self.damaged,
        }
    }

    pub(crate) fn snapshot(
        &self,
        pending_bytes: u64,
        health: Health,
        exposed: bool,
    ) -> WriterStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WriterStats {
            lines: get(&self.lines),
            rotations: get(&self.rotations),
            recovered: get(&self.recovered),
            pending_bytes,
            health,
            exposed,
            lost: LossReason::ALL.map(|reason| get(self.lost(reason))),
        }
    }
}
