//! One log file between its callers and the writer thread: takes lines, has them written, waits or
//! drops and counts when there is no room.
//!
//! Here is the callers' side; [`turn`] is the writer's, [`heir`] how it lives on in a forked process,
//! [`state`] what it tells of itself.

mod heir;
mod state;
mod turn;

use std::{
    fs::File,
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    compress,
    disk::{self, Disk},
    ring::Full,
    settings::{Hooks, Priority, Settings},
    spool::Spool,
    system::Birthmark,
    target::Target,
    writer::Writer,
};

use state::Counts;
pub(super) use state::{Health, Reason, Stats};
pub(super) use turn::CLEAN;

pub(super) struct Core {
    settings: Settings,
    hooks: Hooks,
    name: String,
    spool: Spool,
    mark: Birthmark,
    heir: OnceLock<Option<Arc<Core>>>,
    before: Weak<Core>,
    claim: OnceLock<File>,
    writer: Arc<Writer>,
    work: Mutex<Work>,
    limits: [u64; 5],
    counts: Arc<Counts>,
    health: Mutex<Health>,
    refused: AtomicBool,
    /// Until when callers wait for room. There since they wait, or the disk refuses lines, and gone
    /// as soon as lines move.
    patience: Mutex<Option<Instant>>,
    moved: Condvar,
    waiters: AtomicU32,
    closing: AtomicBool,
    closed: AtomicBool,
}

/// What only the writer thread touches.
struct Work {
    target: Target,
    turn: File,
    orphans: Vec<Spool>,
    again: Option<Instant>,
    /// Since when the file ends in half a line.
    torn: Option<Instant>,
    cleaned: Option<Instant>,
    /// Up to which position the ring's memory is known to be there.
    prepared: u64,
    compress: compress::Worker,
}

impl Core {
    pub(super) fn open(
        settings: Settings,
        name: &str,
        hooks: Hooks,
        disk: Arc<dyn Disk>,
        writer: Arc<Writer>,
    ) -> io::Result<Arc<Self>> {
        Self::build(
            settings,
            name,
            hooks,
            disk,
            writer,
            Arc::default(),
            Weak::new(),
        )
    }

    /// `counts` go on, and `before` is written first, when there was a core before this one.
    fn build(
        settings: Settings,
        name: &str,
        hooks: Hooks,
        disk: Arc<dyn Disk>,
        writer: Arc<Writer>,
        counts: Arc<Counts>,
        before: Weak<Core>,
    ) -> io::Result<Arc<Self>> {
        let turn = disk::open_private(&disk.dir().join(format!(".{}.turn", settings.file)), true)?;
        let orphans = Spool::orphans(disk.dir(), &settings.file, &[]);
        let spool = Spool::create(disk.dir(), &settings.file, settings.spool_bytes, hooks.say)?;
        let compress = compress::Worker::new(&settings, disk.dir(), hooks.say);
        let target = Target::new(disk, settings.clone(), hooks.clone());
        let capacity = spool.ring.capacity();
        let core = Arc::new(Self {
            limits: [
                capacity / 2,
                capacity / 8 * 5,
                capacity / 8 * 7,
                capacity / 16 * 15,
                capacity,
            ],
            name: name.to_owned(),
            settings,
            hooks,
            spool,
            mark: Birthmark::new(),
            heir: OnceLock::new(),
            before,
            claim: OnceLock::new(),
            writer,
            work: Mutex::new(Work {
                target,
                turn,
                orphans,
                again: None,
                torn: None,
                cleaned: None,
                prepared: 0,
                compress,
            }),
            counts,
            health: Mutex::new(Health::Healthy),
            refused: AtomicBool::new(false),
            patience: Mutex::new(None),
            moved: Condvar::new(),
            waiters: AtomicU32::new(0),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        Ok(core)
    }

    #[inline]
    pub(super) fn write(&self, priority: Priority, line: &[u8]) {
        if !self.mark.holds() {
            return self.write_to_heir(priority, line);
        }
        let limit = self
            .limits
            .get(priority as usize)
            .copied()
            .unwrap_or_default();
        let used = match self.push(limit, line) {
            Ok(used) => used,
            Err(Full) => return self.write_slowly(limit, line),
        };
        if priority >= Priority::Error || used > self.spool.ring.capacity() / 4 {
            self.writer.wake();
        } else {
            self.writer.nudge();
        }
    }

    /// Puts the line in, if there is room, behind what is to be said of lines that are missing before
    /// it. That is not said for a line that does not get in: else notices would use up the room that
    /// higher levels have to themselves.
    #[inline]
    fn push(&self, limit: u64, line: &[u8]) -> Result<u64, Full> {
        let ring = &self.spool.ring;
        if ring.has_lost() {
            if !ring.has_room(line.len() as u64 + NOTICES, limit) {
                return Err(Full);
            }
            self.tell_loss();
        }
        ring.push(line, limit)
    }

    /// Waits for room; drops the line when nothing has moved for as long as callers may wait.
    #[cold]
    fn write_slowly(&self, limit: u64, line: &[u8]) {
        if line.len() as u64 > self.spool.ring.max_line() {
            return self.lose(Reason::TooLong);
        }
        self.writer.wake();
        let mut patience = lock(&self.patience);
        self.waiters.fetch_add(1, Ordering::SeqCst);
        loop {
            if self.push(limit, line).is_ok() {
                break;
            }
            let until = *patience.get_or_insert_with(|| self.deadline());
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.refused.store(true, Ordering::Relaxed);
                self.lose(Reason::Overflow);
                break;
            }
            patience = self
                .moved
                .wait_timeout(patience, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        drop(patience);
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.settings.max_wait
    }

    fn lose(&self, reason: Reason) {
        self.counts.lost(reason).fetch_add(1, Ordering::Relaxed);
        self.spool.ring.lose(reason, 1);
    }

    /// Puts the lines that say how many are missing where they are missing.
    #[cold]
    fn tell_loss(&self) {
        let ring = &self.spool.ring;
        for (reason, count) in ring.take_lost() {
            let mut line = Vec::new();
            (self.hooks.lost_line)(&mut line, count, reason.name());
            if ring.push(&line, ring.capacity()).is_err() {
                ring.lose(reason, count);
            }
        }
    }

    fn path(&self) -> String {
        self.settings
            .dir
            .join(&self.settings.file)
            .display()
            .to_string()
    }

    pub(super) fn has_work(&self) -> bool {
        self.has_lines() || self.closing.load(Ordering::Acquire) && !self.is_closed()
    }

    fn has_lines(&self) -> bool {
        self.spool.ring.tail() != self.spool.ring.taken()
            || self.spool.ring.has_lost()
            || self.before_has_lines()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until all lines taken before are in the file, at most `limit`; returns how many bytes
    /// are not.
    pub(super) fn flush(&self, limit: Duration) -> u64 {
        let core = self.live();
        let target = core.spool.ring.tail();
        let done = || core.spool.ring.taken() >= target && !core.before_has_lines();
        core.wait(limit, done);
        target.saturating_sub(core.spool.ring.taken())
    }

    fn before_has_lines(&self) -> bool {
        self.before().is_some_and(|before| before.has_lines())
    }

    fn waiting_bytes(&self) -> u64 {
        let ring = &self.spool.ring;
        ring.tail().saturating_sub(ring.taken())
    }

    fn wait(&self, limit: Duration, done: impl Fn() -> bool) {
        let deadline = Instant::now() + limit;
        let mut guard = lock(&self.patience);
        self.waiters.fetch_add(1, Ordering::SeqCst);
        while !done() {
            self.writer.wake();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            guard = self
                .moved
                .wait_timeout(guard, left.min(AGAIN))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        drop(guard);
    }

    /// Writes what waits, within `limit`, and lets go of the file. What could not be written stays
    /// in the spool for the next start.
    pub(super) fn close(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        if self.mark.holds() {
            self.flush(limit);
            self.closing.store(true, Ordering::Release);
            self.wait(limit.max(AGAIN), || self.is_closed());
        }
        // Looked at again: the writer may have been about to hand over to an heir.
        if !self.mark.holds() {
            if let Some(Some(heir)) = self.heir.get() {
                heir.close(deadline.saturating_duration_since(Instant::now()));
            }
            return;
        }
        lock(&self.work).compress.wait(deadline);
        if self.spool.ring.tail() != self.spool.ring.taken() {
            let kept = if self.spool.outlives() {
                "kept for the next start"
            } else {
                "lost"
            };
            (self.hooks.say)(&format!(
                "{}: lines that could not be written are {kept}",
                self.path()
            ));
        }
    }
}

/// Room for a notice of each reason.
const NOTICES: u64 = 3 * 256;

/// How long after a refusal the disk is asked again.
const AGAIN: Duration = Duration::from_millis(100);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
