//! The writer thread's side of a core: its turn at the file, what dead processes left, what a
//! refusal by the disk means.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use super::{
    super::{
        disk::{self, Share},
        spool::Spool,
        target::{self, Target},
    },
    AGAIN, Core, Health, Work, lock,
    state::Reason,
};

/// How often old files are looked for while nothing is rotated.
pub(in super::super) const CLEAN: Duration = Duration::from_secs(60);

impl Core {
    /// Moves what waits to the file; whether there was something. Called by the writer thread.
    pub(in super::super) fn pump(self: &Arc<Self>) -> bool {
        let mut work = lock(&self.work);
        let closing = self.closing.load(Ordering::Acquire);
        if !closing && work.again.is_some_and(|again| Instant::now() < again) {
            return true;
        }
        self.clean(&mut work);
        self.spool.ring.prepare(&mut work.prepared);
        let before = self.before();
        // While lines are refused there may be more to tell of at this place.
        if closing || !self.refused.load(Ordering::Relaxed) {
            self.tell_loss();
            before.iter().for_each(|before| before.tell_loss());
        }
        if !self.has_lines() && work.orphans.is_empty() {
            self.finish(&mut work, closing);
            return false;
        }
        let result = self.move_lines(&mut work);
        let written = result.is_ok();
        self.judge(&mut work, result);
        if written {
            self.let_on();
            before.iter().for_each(|before| before.let_on());
        }
        self.finish(&mut work, closing);
        drop(work);
        if written && !closing {
            self.succeed_if_homeless();
        }
        true
    }

    /// Tells callers that wait for room, or for the file, to look again.
    fn let_on(&self) {
        if self.waiters.load(Ordering::SeqCst) > 0 {
            *lock(&self.patience) = None;
            self.moved.notify_all();
        }
    }

    /// Retention also goes by age, so it does not wait for the next rotation.
    fn clean(&self, work: &mut Work) {
        if work.cleaned.is_none_or(|last| last.elapsed() >= CLEAN) {
            work.cleaned = Some(Instant::now());
            work.target.clean((self.hooks.clock)());
        }
    }

    /// Whether files grow too old while no line comes.
    pub(in super::super) fn ages(&self) -> bool {
        self.settings.max_age.is_some()
    }

    /// As [`pump`](Self::pump), without the pause after a refusal.
    #[cfg(test)]
    pub(in super::super) fn pump_now(self: &Arc<Self>) -> bool {
        {
            let mut work = lock(&self.work);
            (work.again, work.cleaned) = (None, None);
        }
        self.pump()
    }

    fn finish(&self, work: &mut Work, closing: bool) {
        let done = !self.has_lines() && work.orphans.is_empty();
        if !closing {
            return;
        }
        if done {
            self.remove_spools();
        }
        work.orphans.clear();
        self.closed.store(true, Ordering::Release);
        drop(lock(&self.patience));
        self.moved.notify_all();
    }

    fn move_lines(&self, work: &mut Work) -> io::Result<()> {
        if !disk::lock(&work.turn, Share::Alone)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = self.take_turn(work);
        disk::unlock(&work.turn);
        self.counts
            .lines
            .fetch_add(std::mem::take(&mut work.target.lines), Ordering::Relaxed);
        let rotations = std::mem::take(&mut work.target.rotations);
        self.counts
            .rotations
            .fetch_add(rotations, Ordering::Relaxed);
        if rotations > 0 {
            work.compress.start();
        }
        result
    }

    fn take_turn(&self, work: &mut Work) -> io::Result<()> {
        // First: what a caller wrote before to the core we took over from is then seen there.
        let until = self.spool.ring.tail();
        let result = self.recover(work).and_then(|()| {
            if let Some(before) = self.before() {
                before.drain_into(&mut work.target)?;
            }
            let room_again = || self.let_on();
            work.target
                .drain(&self.spool.ring, until, false, room_again)
        });
        match result {
            Err(error) if target::is_torn(&error) => self.heal(work),
            other => {
                work.torn = None;
                work.target.heal = false;
                other
            }
        }
    }

    /// Moves this core's last lines, and those of the ones before it. All of them, or an error: a
    /// caller that is still copying holds up lines behind its own, and those of its heir are later.
    fn drain_into(&self, target: &mut Target) -> io::Result<()> {
        if let Some(before) = self.before() {
            before.drain_into(target)?;
        }
        let ring = &self.spool.ring;
        let until = ring.tail();
        target.drain(ring, until, false, || ())?;
        match ring.taken() < until {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(()),
        }
    }

    /// Somebody left half a line at the end. When it was one of our processes, its ring has the line
    /// whole, and the half is cut off; else it is closed, so that nothing is glued to it.
    fn heal(&self, work: &mut Work) -> io::Result<()> {
        let known = work.orphans.len();
        work.orphans.extend(Spool::orphans(
            work.target.disk.dir(),
            &self.settings.file,
            &work.orphans,
        ));
        // A dying process gives up its turn a moment before its ring.
        let since = *work.torn.get_or_insert_with(Instant::now);
        work.target.heal = work.orphans.len() == known && since.elapsed() >= AGAIN;
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Writes what dead processes left, oldest first, before anything of this one.
    fn recover(&self, work: &mut Work) -> io::Result<()> {
        for orphan in &work.orphans {
            work.target.settle(&orphan.ring)?;
        }
        while let Some(orphan) = work.orphans.first() {
            let before = work.target.lines;
            work.target
                .drain(&orphan.ring, orphan.ring.tail(), true, || ())?;
            self.counts
                .recovered
                .fetch_add(work.target.lines - before, Ordering::Relaxed);
            for reason in Reason::ALL {
                self.spool.ring.lose(reason, orphan.ring.lost(reason));
            }
            orphan.remove();
            work.orphans.remove(0);
        }
        Ok(())
    }

    fn judge(&self, work: &mut Work, result: io::Result<()>) {
        match result {
            Ok(()) => {
                work.again = None;
                if self.refused.swap(false, Ordering::Relaxed) {
                    *lock(&self.patience) = None;
                }
                self.recovered();
            }
            Err(busy) if busy.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                work.again = Some(Instant::now() + AGAIN);
                if !self.refused.swap(true, Ordering::Relaxed) {
                    lock(&self.patience).get_or_insert_with(|| self.deadline());
                }
                self.wait_for_disk(&error);
            }
        }
    }

    fn wait_for_disk(&self, error: &io::Error) {
        let mut health = lock(&self.health);
        if *health == Health::Healthy {
            (self.hooks.say)(&format!(
                "{}: {error}; lines wait in memory until it can be written again",
                self.path()
            ));
            *health = Health::Waiting {
                since: SystemTime::now(),
                error: error.to_string(),
            };
        }
    }

    fn recovered(&self) {
        let mut health = lock(&self.health);
        if let Health::Waiting { since, .. } = &*health {
            let seconds = since.elapsed().unwrap_or_default().as_secs();
            (self.hooks.say)(&format!("{}: written again after {seconds} s", self.path()));
            *health = Health::Healthy;
        }
    }
}
