//! What waits for the file: a flush, and the end.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{Pipeline, RETRY_INTERVAL, lock};
use crate::{stats::WriterStats, writer_thread::Task};

impl Pipeline {
    /// Returns what this log file has done since it was opened.
    pub(crate) fn stats(&self) -> WriterStats {
        let current = self.current();
        current.mend_if_truncated();
        let health = lock(&current.health).clone();
        let (counters, waiting) = (&current.counters, current.waiting_bytes());
        counters.snapshot(waiting, health, current.exposed)
    }

    /// Writes what waits, and closes a file that is to be closed, where the system starts no thread for it.
    pub(crate) fn write_without_thread(self: &Arc<Self>) {
        if !self.fork_guard.is_valid() {
            if let Some(Some(successor)) = self.successor.get() {
                successor.write_without_thread();
            }
        } else if self.thread.ensure_started().is_err() {
            self.run_pass();
        }
    }

    fn waiting_bytes(&self) -> u64 {
        let ring = &self.spool.ring;
        ring.tail().saturating_sub(ring.taken())
    }

    /// Waits until all lines taken before are in the file, at most `limit`. Returns how many bytes
    /// are not.
    pub(crate) fn flush(&self, limit: Duration) -> u64 {
        let current = self.current();
        if current.detached {
            return current.waiting_bytes();
        }
        current.mend_if_truncated();
        let ring = &current.spool.ring;
        let end = ring.tail();
        current.wait(limit, || {
            // A ring that was damaged has started again.
            (ring.taken() >= end || ring.tail() < end) && !current.predecessor_has_lines()
        });
        end.min(ring.tail()).saturating_sub(ring.taken())
    }

    fn wait(&self, limit: Duration, done: impl Fn() -> bool) {
        let deadline = Instant::now() + limit;
        let mut guard = lock(&self.wait_deadline);
        self.waiters.fetch_add(1, Ordering::SeqCst);
        while !done() {
            self.thread.wake();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            guard = self
                .moved
                .wait_timeout(guard, left.min(RETRY_INTERVAL))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        drop(guard);
    }

    /// Writes what waits, within `limit`, and closes the file. What could not be written stays in
    /// the spool for the next start.
    pub(crate) fn close(self: &Arc<Self>, limit: Duration) {
        let deadline = Instant::now() + limit;
        if self.fork_guard.is_valid() && self.detached {
            self.closed.store(true, Ordering::Release);
        } else if self.fork_guard.is_valid() {
            self.write_without_thread();
            self.flush(limit);
            self.closing.store(true, Ordering::Release);
            self.write_without_thread();
            let left = deadline.saturating_duration_since(Instant::now());
            self.wait(left.max(RETRY_INTERVAL), || self.is_closed());
        }
        // Checked again: the writer thread may have handed over to a successor meanwhile.
        if !self.fork_guard.is_valid() {
            if let Some(Some(successor)) = self.successor.get() {
                successor.close(deadline.saturating_duration_since(Instant::now()));
            }
            return;
        }
        // A writer thread that hangs in the disk keeps the lock.
        if self.is_closed()
            && let Some(work) = lock(&self.work).as_mut()
        {
            work.compressor.wait(deadline);
        }
        if self.spool.ring.tail() != self.spool.ring.taken() {
            let kept = if self.spool.survives_process() {
                "kept for the next start"
            } else {
                "lost"
            };
            (self.hooks.warn)(&format!(
                "{}: lines that could not be written are {kept}",
                self.path()
            ));
        }
    }
}
