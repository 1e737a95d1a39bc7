//! The writer thread's side of a pipeline: the write lock on the file, what dead processes left, and
//! what an error of the disk means.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Instant, SystemTime},
};

use super::{Pipeline, RETRY_INTERVAL, Work, lock};
use crate::{
    disk::{self, LockMode},
    live_file::{self, LiveFile},
    spool,
    stats::{Health, LossReason},
    writer_thread::{RETENTION_INTERVAL, Task},
};

impl Task for Pipeline {
    fn run(self: Arc<Self>) -> bool {
        self.run_pass()
    }

    fn has_work(&self) -> bool {
        self.has_lines() || self.closing.load(Ordering::Acquire) && !self.is_closed()
    }

    fn has_max_age(&self) -> bool {
        self.options.max_age.is_some()
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Pipeline {
    /// Moves what waits to the file. Returns whether something waited. Called by the writer thread.
    pub(crate) fn run_pass(self: &Arc<Self>) -> bool {
        let mut guard = lock(&self.work);
        let Some(work) = guard.as_mut() else {
            return false;
        };
        let closing = self.closing.load(Ordering::Acquire);
        if !closing && work.retry_at.is_some_and(|at| Instant::now() < at) {
            return true;
        }
        self.mend_if_damaged();
        self.delete_expired(work);
        self.spool.ring.prepare(&mut work.prepared);
        let predecessor = self.predecessor();
        // While lines are refused there may be more to count at this place.
        if closing || !self.refused.load(Ordering::Relaxed) {
            self.push_loss_notices();
            predecessor.iter().for_each(|p| p.push_loss_notices());
        }
        if !self.has_lines() && work.orphans.is_empty() {
            self.finish_if_closing(work, closing);
            return false;
        }
        let before = self.spool.ring.taken();
        let result = self.move_lines(work);
        let written = result.is_ok();
        self.record_result(work, result);
        if written {
            // Callers that wait for room wait no longer than `max_wait` if nothing has moved.
            match self.spool.ring.taken() == before {
                true => self.moved.notify_all(),
                false => self.notify_waiters(),
            }
            predecessor.iter().for_each(|p| p.notify_waiters());
        }
        self.finish_if_closing(work, closing);
        drop(guard);
        if written && !closing {
            self.hand_over_if_folder_gone();
        }
        true
    }

    /// Wakes callers that wait for room, or for the file.
    fn notify_waiters(&self) {
        if self.waiters.load(Ordering::SeqCst) > 0 {
            *lock(&self.wait_deadline) = None;
            self.moved.notify_all();
        }
    }

    /// Retention also goes by age, so it does not wait for the next rotation.
    fn delete_expired(&self, work: &mut Work) {
        if work
            .cleaned_at
            .is_none_or(|last| last.elapsed() >= RETENTION_INTERVAL)
        {
            work.cleaned_at = Some(Instant::now());
            work.live_file.delete_expired((self.hooks.clock)());
        }
    }

    /// As [`run_pass`](Self::run_pass), without the pause after an error.
    #[cfg(test)]
    pub(crate) fn run_pass_now(self: &Arc<Self>) -> bool {
        {
            if let Some(work) = lock(&self.work).as_mut() {
                (work.retry_at, work.cleaned_at) = (None, None);
            }
        }
        self.run_pass()
    }

    fn finish_if_closing(&self, work: &mut Work, closing: bool) {
        if !closing {
            return;
        }
        if !self.has_lines() && work.orphans.is_empty() {
            self.remove_spools();
        }
        work.orphans.clear();
        self.closed.store(true, Ordering::Release);
        drop(lock(&self.wait_deadline));
        self.moved.notify_all();
    }

    fn move_lines(&self, work: &mut Work) -> io::Result<()> {
        if !disk::lock(&work.write_lock, LockMode::Exclusive)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = self.move_lines_locked(work);
        disk::unlock(&work.write_lock);
        self.counters
            .lines
            .fetch_add(std::mem::take(&mut work.live_file.lines), Ordering::Relaxed);
        let rotations = std::mem::take(&mut work.live_file.rotations);
        self.counters
            .rotations
            .fetch_add(rotations, Ordering::Relaxed);
        if rotations > 0 {
            work.compressor.start();
        }
        result
    }

    fn move_lines_locked(&self, work: &mut Work) -> io::Result<()> {
        // First: what a caller has written to the predecessor before is then seen there.
        let until = self.spool.ring.tail();
        let result = self.recover(work).and_then(|()| {
            if let Some(predecessor) = self.predecessor() {
                predecessor.drain_into(&mut work.live_file)?;
            }
            work.live_file
                .drain(&self.spool.ring, until, false, || self.notify_waiters())
        });
        match result {
            Err(error) if live_file::is_torn(&error) => self.await_torn_end(work),
            other => {
                work.torn_since = None;
                work.live_file.may_close_torn_line = false;
                other
            }
        }
    }

    /// Moves this pipeline's last lines, and those of its predecessors. All of them, or an error:
    /// a caller that is still copying holds up the lines behind its own, and those of the successor
    /// are later.
    fn drain_into(&self, live_file: &mut LiveFile) -> io::Result<()> {
        if let Some(predecessor) = self.predecessor() {
            predecessor.drain_into(live_file)?;
        }
        let ring = &self.spool.ring;
        let until = ring.tail();
        live_file.drain(ring, until, false, || ())?;
        match ring.taken() < until {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(()),
        }
    }

    /// Handles an incomplete line at the end of the file. When one of our processes left it, its
    /// ring has the whole line, and the incomplete one is cut off. Otherwise it is closed with a
    /// newline, so that nothing is appended to it.
    fn await_torn_end(&self, work: &mut Work) -> io::Result<()> {
        let known = work.orphans.len();
        let dir = work.live_file.disk.dir();
        let found = spool::orphans(dir, &self.options.file, &self.hooks.warn);
        self.count_lost(LossReason::Damaged, found.damaged);
        work.orphans.extend(found.spools);
        // A dying process gives up the write lock a moment before its ring.
        let since = *work.torn_since.get_or_insert_with(Instant::now);
        work.live_file.may_close_torn_line =
            work.orphans.len() == known && since.elapsed() >= RETRY_INTERVAL;
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Writes what dead processes left, oldest first, before anything of this one.
    fn recover(&self, work: &mut Work) -> io::Result<()> {
        for orphan in &work.orphans {
            work.live_file.recover_append(&orphan.ring)?;
        }
        while let Some(orphan) = work.orphans.first() {
            let before = work.live_file.lines;
            work.live_file
                .drain(&orphan.ring, orphan.ring.tail(), true, || ())?;
            self.counters
                .recovered
                .fetch_add(work.live_file.lines - before, Ordering::Relaxed);
            for reason in LossReason::ALL {
                self.spool.ring.add_lost(reason, orphan.ring.lost(reason));
            }
            match orphan.ring.taken() < orphan.ring.tail() {
                true => {
                    self.count_lost(LossReason::Damaged, 1);
                    orphan.set_aside(&self.hooks.warn);
                }
                false => orphan.remove(),
            }
            work.orphans.remove(0);
        }
        Ok(())
    }

    fn record_result(&self, work: &mut Work, result: io::Result<()>) {
        match result {
            Ok(()) => {
                work.retry_at = None;
                if self.refused.swap(false, Ordering::Relaxed) {
                    *lock(&self.wait_deadline) = None;
                }
                self.become_healthy();
            }
            Err(busy) if busy.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                work.retry_at = Some(Instant::now() + RETRY_INTERVAL);
                if !self.refused.swap(true, Ordering::Relaxed) {
                    lock(&self.wait_deadline).get_or_insert_with(|| self.max_wait_from_now());
                }
                self.become_waiting(&error);
            }
        }
    }

    fn become_waiting(&self, error: &io::Error) {
        let mut health = lock(&self.health);
        if *health == Health::Healthy {
            (self.hooks.warn)(&format!(
                "{}: {error}; lines wait in memory until it can be written again",
                self.path()
            ));
            *health = Health::Waiting {
                since: SystemTime::now(),
                error: error.to_string(),
            };
        }
    }

    fn become_healthy(&self) {
        let mut health = lock(&self.health);
        if let Health::Waiting { since, .. } = &*health {
            let seconds = since.elapsed().unwrap_or_default().as_secs();
            (self.hooks.warn)(&format!("{}: written again after {seconds} s", self.path()));
            *health = Health::Healthy;
        }
    }
}
