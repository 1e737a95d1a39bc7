//! The lines that wait for the console: a queue bounded in bytes. Knows neither formats nor where the
//! lines go.

use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::Level;

use super::{
    drain::Progress,
    loss::{Loss, Missing},
};

/// What is to be written next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Whole lines.
    Lines(Vec<u8>),
    /// A notice that here lines are missing.
    Missing(Missing),
}

impl Entry {
    /// Returns how much of the bound it takes up.
    fn size(&self) -> usize {
        match self {
            Entry::Lines(lines) => lines.len(),
            Entry::Missing(_) => NOTICE,
        }
    }
}

/// About the length of a notice.
const NOTICE: usize = 256;

/// Lines are put together up to this length. A longer line is by itself.
const BLOCK: usize = 64 << 10;

#[derive(Default)]
struct State {
    entries: VecDeque<Entry>,
    /// The memory of a block that is written, for the next one.
    spare: Vec<u8>,
    /// The size of all entries, and of the one that is being written.
    waiting: usize,
    /// How many lines that are.
    lines: u64,
    /// All sizes that were ever taken, and that were finished.
    taken: u64,
    finished: u64,
    /// What is missing behind the last entry.
    missing: Missing,
    /// Whether the console took nothing the last time.
    broken: bool,
    /// Whether the thread waits to be woken.
    parked: bool,
    closed: bool,
}

/// Lines that wait for the console's thread.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the thread.
    work: Condvar,
    /// Wakes those who wait for what they have handed over.
    moved: Condvar,
    bound: usize,
}

impl Queue {
    /// Returns a queue of at most `bound` bytes.
    pub(super) fn new(bound: usize) -> Queue {
        Queue {
            state: Mutex::default(),
            work: Condvar::new(),
            moved: Condvar::new(),
            bound,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line, which may be in pieces. Never waits. The last eighth of the queue is kept for
    /// lines at WARN and ERROR.
    pub(super) fn push(&self, level: Level, pieces: &[&[u8]]) -> Result<(), Loss> {
        let limit = match level {
            Level::ERROR | Level::WARN => self.bound,
            _ => self.bound - self.bound / 8,
        };
        let length = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let mut state = self.lock();
        let notice = if state.missing.is_none() { 0 } else { NOTICE };
        let loss = match state.waiting + length + notice {
            _ if state.closed => Some(Loss::Shutdown),
            needed if needed <= limit => None,
            _ if length + NOTICE > limit => Some(Loss::TooLong),
            _ => Some(Loss::Overflow),
        };
        if let Some(loss) = loss {
            state.missing.add(loss, 1);
            return Err(loss);
        }
        state.note_missing();
        state.append(length, pieces);
        if mem::take(&mut state.parked) {
            drop(state);
            self.work.notify_one();
        }
        Ok(())
    }

    /// Returns what is to be written next, when there is something. `None` when the queue is closed.
    pub(super) fn next(&self) -> Option<Entry> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            // While nothing can be written, notices wait for a line.
            if state.entries.is_empty() && !state.broken {
                state.note_missing();
            }
            if let Some(entry) = state.entries.pop_front() {
                return Some(entry);
            }
            state.parked = true;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends what [`next`](Self::next) gave. `missing` is what of it was not written; `count` is called
    /// unless [`close`](Self::close) has counted that.
    pub(super) fn finish(&self, entry: Entry, missing: &Missing, count: impl FnOnce(&Missing)) {
        let mut state = self.lock();
        let size = entry.size();
        state.waiting = state.waiting.saturating_sub(size);
        state.finished += size as u64;
        state.broken = !missing.is_none();
        state.missing.merge(missing);
        if let Entry::Lines(mut lines) = entry {
            if !state.closed {
                state.lines = state.lines.saturating_sub(missing.total());
                count(missing);
            }
            lines.clear();
            if lines.capacity() <= BLOCK {
                state.spare = lines;
            }
        }
        drop(state);
        self.moved.notify_all();
    }

    /// Waits until all that was handed over before is finished, at most `limit`. Returns how many
    /// lines wait.
    pub(super) fn wait(&self, limit: Duration) -> u64 {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        if !state.broken && !state.missing.is_none() {
            // What is missing at the end is written too.
            state.note_missing();
            self.work.notify_one();
        }
        let all = state.taken;
        while state.finished < all {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = self.moved.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.lines
    }

    /// Takes no more lines, and lets the thread end. Returns how many lines are left unwritten.
    pub(super) fn close(&self) -> u64 {
        let mut state = self.lock();
        let left = mem::take(&mut state.lines);
        state.closed = true;
        state.entries.clear();
        drop(state);
        self.work.notify_all();
        left
    }

    /// Returns the bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }
}

impl Progress for Queue {
    fn written(&self, lines: u64) {
        let mut state = self.lock();
        state.lines = state.lines.saturating_sub(lines);
    }

    fn is_over(&self) -> bool {
        self.lock().closed
    }
}

impl State {
    /// Puts the notice of what is missing behind the last entry.
    fn note_missing(&mut self) {
        if !self.missing.is_none() {
            let entry = Entry::Missing(mem::take(&mut self.missing));
            self.add_size(entry.size());
            self.entries.push_back(entry);
        }
    }

    fn append(&mut self, length: usize, pieces: &[&[u8]]) {
        let fits = |lines: &Vec<u8>| lines.len() + length <= BLOCK;
        if !matches!(self.entries.back(), Some(Entry::Lines(lines)) if fits(lines)) {
            let lines = mem::take(&mut self.spare);
            self.entries.push_back(Entry::Lines(lines));
        }
        if let Some(Entry::Lines(lines)) = self.entries.back_mut() {
            pieces
                .iter()
                .for_each(|piece| lines.extend_from_slice(piece));
        }
        self.lines += 1;
        self.add_size(length);
    }

    fn add_size(&mut self, size: usize) {
        self.waiting += size;
        self.taken += size as u64;
    }
}

#[cfg(test)]
mod tests;
