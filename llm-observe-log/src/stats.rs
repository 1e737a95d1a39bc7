//! What a log file tells of itself: its counts, its health, why lines were lost.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use super::{Core, lock};

/// Why lines were lost. The number is the reason's place in the ring's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// The room for waiting lines was used up.
    Overflow,
    /// There was no room, and the line was longer than an eighth of all there is: not waited for.
    TooLong,
    /// The log file could not be opened in a forked process.
    Fork,
}

impl Reason {
    pub(crate) const ALL: [Self; 3] = [Self::Overflow, Self::TooLong, Self::Fork];

    /// The value of the `reason` label, and what the log says.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::TooLong => "too_long",
            Self::Fork => "fork",
        }
    }
}

/// Whether lines reach the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Healthy,
    /// The disk refuses them: they wait in memory.
    Waiting {
        since: SystemTime,
        error: String,
    },
}

/// What a log file has done since it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Stats {
    /// Lines that reached the file, recovered ones included.
    pub(crate) lines: u64,
    pub(crate) lost: BTreeMap<&'static str, u64>,
    pub(crate) rotations: u64,
    /// Lines that an earlier process had left.
    pub(crate) recovered: u64,
    pub(crate) pending_bytes: u64,
    pub(crate) state: Health,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) lines: AtomicU64,
    pub(super) rotations: AtomicU64,
    pub(super) recovered: AtomicU64,
    overflow: AtomicU64,
    too_long: AtomicU64,
    fork: AtomicU64,
}

impl Counts {
    pub(super) fn lost(&self, reason: Reason) -> &AtomicU64 {
        match reason {
            Reason::Overflow => &self.overflow,
            Reason::TooLong => &self.too_long,
            Reason::Fork => &self.fork,
        }
    }
}

impl Core {
    pub(in super::super) fn stats(&self) -> Stats {
        let core = self.live();
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let lost = |reason: Reason| (reason.name(), get(core.counts.lost(reason)));
        Stats {
            lines: get(&core.counts.lines),
            lost: Reason::ALL.into_iter().map(lost).collect(),
            rotations: get(&core.counts.rotations),
            recovered: get(&core.counts.recovered),
            pending_bytes: core.waiting_bytes(),
            state: lock(&core.health).clone(),
        }
    }
}
