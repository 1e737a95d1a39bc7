//! One log file between its callers and the writer thread: takes lines, has them written, waits or
//! drops and counts when there is no room, and lives on in a forked process.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use super::{
    compress,
    disk::{self, Disk, Share},
    ring::{Full, map::Birthmark},
    settings::{Hooks, Priority, Settings},
    spool::Spool,
    target::{self, Target},
    writer::Writer,
};

/// Why lines were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// The room for waiting lines was used up.
    Overflow,
    /// The line was longer than an eighth of that room.
    TooLong,
    /// The log file could not be opened in a forked process.
    Fork,
}

impl Reason {
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

pub(super) struct Core {
    settings: Settings,
    hooks: Hooks,
    name: String,
    spool: Spool,
    mark: Birthmark,
    heir: OnceLock<Option<Arc<Core>>>,
    writer: Arc<Writer>,
    work: Mutex<Work>,
    limits: [u64; 5],
    counts: Counts,
    health: Mutex<Health>,
    refused: AtomicBool,
    progress: Mutex<()>,
    moved: Condvar,
    waiters: AtomicU32,
    closing: AtomicBool,
    closed: AtomicBool,
}

#[derive(Default)]
struct Counts {
    lines: AtomicU64,
    rotations: AtomicU64,
    recovered: AtomicU64,
    overflow: AtomicU64,
    too_long: AtomicU64,
    fork: AtomicU64,
}

/// What only the writer thread touches.
struct Work {
    target: Target,
    turn: File,
    orphans: Vec<Spool>,
    again: Option<Instant>,
    /// Since when the file ends in half a line.
    torn: Option<Instant>,
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
        let turn = disk::open_private(&disk.dir().join(format!(".{}.turn", settings.file)), true)?;
        let orphans = Spool::orphans(disk.dir(), &settings.file, &[]);
        let spool = Spool::create(disk.dir(), &settings.file, settings.spool_bytes, hooks.say)?;
        let compress = compress::Worker::new(&settings, disk.dir(), hooks.say);
        let target = Target::new(disk, settings.clone(), hooks.clone());
        target.clean((hooks.clock)());
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
            writer,
            work: Mutex::new(Work {
                target,
                turn,
                orphans,
                again: None,
                torn: None,
                compress,
            }),
            counts: Counts::default(),
            health: Mutex::new(Health::Healthy),
            refused: AtomicBool::new(false),
            progress: Mutex::new(()),
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
            return self.write_in_fork(priority, line);
        }
        let limit = self
            .limits
            .get(priority as usize)
            .copied()
            .unwrap_or_default();
        if self.spool.ring.lost().load(Ordering::Relaxed) != 0 {
            self.tell_loss();
        }
        let used = match self.spool.ring.push(line, limit) {
            Ok(used) => used,
            Err(Full) => return self.write_slowly(limit, line),
        };
        if priority >= Priority::Error || used > self.spool.ring.capacity() / 4 {
            self.writer.wake();
        } else {
            self.writer.nudge();
        }
    }

    /// Waits for room, as long as the disk takes lines at all, then drops the line.
    #[cold]
    fn write_slowly(&self, limit: u64, line: &[u8]) {
        if line.len() as u64 > self.spool.ring.max_line() {
            return self.lose(&self.counts.too_long);
        }
        let deadline = Instant::now() + self.settings.max_wait;
        self.writer.wake();
        let mut guard = lock(&self.progress);
        self.waiters.fetch_add(1, Ordering::SeqCst);
        loop {
            self.tell_loss();
            if self.spool.ring.push(line, limit).is_ok() {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.refused.load(Ordering::Relaxed) {
                self.refused.store(true, Ordering::Relaxed);
                self.lose(&self.counts.overflow);
                break;
            }
            guard = self
                .moved
                .wait_timeout(guard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        drop(guard);
    }

    fn lose(&self, count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
        self.spool.ring.lost().fetch_add(1, Ordering::Relaxed);
    }

    /// Puts the line that says how many are missing where they are missing.
    #[cold]
    fn tell_loss(&self) {
        let lost = self.spool.ring.lost();
        let count = lost.swap(0, Ordering::Relaxed);
        if count == 0 {
            return;
        }
        let reason = match self.counts.overflow.load(Ordering::Relaxed) {
            0 => Reason::TooLong,
            _ => Reason::Overflow,
        };
        let mut line = Vec::new();
        (self.hooks.lost_line)(&mut line, count, reason.name());
        if self
            .spool
            .ring
            .push(&line, self.spool.ring.capacity())
            .is_err()
        {
            lost.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// In a fork the ring belongs to the parent and the writer thread does not exist: both are
    /// made anew at the first line.
    #[cold]
    fn write_in_fork(&self, priority: Priority, line: &[u8]) {
        match self.heir() {
            Some(heir) => heir.write(priority, line),
            None => drop(self.counts.fork.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn heir(&self) -> Option<&Arc<Core>> {
        self.heir
            .get_or_init(|| {
                self.fork()
                    .inspect_err(|error| {
                        (self.hooks.say)(&format!(
                            "{}: cannot log in this fork: {error}",
                            self.path()
                        ))
                    })
                    .ok()
            })
            .as_ref()
    }

    fn fork(&self) -> io::Result<Arc<Core>> {
        let disk = Arc::new(disk::RealDisk::new(
            &self.settings.dir,
            self.settings.follow_symlinks,
        )?);
        let core = Self::open(
            self.settings.clone(),
            &self.name,
            self.hooks.clone(),
            disk,
            Writer::start(),
        )?;
        core.writer.add(Arc::clone(&core));
        Ok(core)
    }

    /// The core of this process: this one, or the one made after a fork.
    fn live(&self) -> &Core {
        match self.mark.holds() {
            true => self,
            false => self.heir().map_or(self, |heir| heir.live()),
        }
    }

    fn path(&self) -> String {
        self.settings
            .dir
            .join(&self.settings.file)
            .display()
            .to_string()
    }

    /// Moves what waits to the file; whether there was something. Called by the writer thread.
    pub(super) fn pump(&self) -> bool {
        let mut work = lock(&self.work);
        let closing = self.closing.load(Ordering::Acquire);
        if !closing && work.again.is_some_and(|again| Instant::now() < again) {
            return true;
        }
        self.tell_loss();
        if !self.has_lines() && work.orphans.is_empty() {
            self.finish(&mut work, closing);
            return false;
        }
        let result = self.move_lines(&mut work);
        self.judge(&mut work, result);
        if self.waiters.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.progress));
            self.moved.notify_all();
        }
        self.finish(&mut work, closing);
        true
    }

    /// As [`pump`](Self::pump), without the pause after a refusal.
    #[cfg(test)]
    pub(super) fn pump_now(&self) -> bool {
        lock(&self.work).again = None;
        self.pump()
    }

    fn finish(&self, work: &mut Work, closing: bool) {
        let done = !self.has_lines() && work.orphans.is_empty();
        if !closing {
            return;
        }
        if done {
            self.spool.remove();
        }
        work.orphans.clear();
        self.closed.store(true, Ordering::Release);
        drop(lock(&self.progress));
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
        let recovered = self.recover(work);
        let result = recovered.and_then(|()| {
            work.target
                .drain(&self.spool.ring, self.spool.ring.tail(), false)
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
            work.target.drain(&orphan.ring, orphan.ring.tail(), true)?;
            self.counts
                .recovered
                .fetch_add(work.target.lines - before, Ordering::Relaxed);
            self.spool.ring.lost().fetch_add(
                orphan.ring.lost().load(Ordering::Relaxed),
                Ordering::Relaxed,
            );
            orphan.remove();
            work.orphans.remove(0);
        }
        Ok(())
    }

    fn judge(&self, work: &mut Work, result: io::Result<()>) {
        match result {
            Ok(()) => {
                work.again = None;
                self.refused.store(false, Ordering::Relaxed);
                self.recovered();
            }
            Err(busy) if busy.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                work.again = Some(Instant::now() + AGAIN);
                self.refused.store(true, Ordering::Relaxed);
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

    pub(super) fn has_work(&self) -> bool {
        self.has_lines() || self.closing.load(Ordering::Acquire) && !self.is_closed()
    }

    fn has_lines(&self) -> bool {
        self.spool.ring.tail() != self.spool.ring.taken()
            || self.spool.ring.lost().load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until all lines taken before are in the file, at most `limit`; returns how many bytes
    /// are not.
    pub(super) fn flush(&self, limit: Duration) -> u64 {
        let core = self.live();
        let target = core.spool.ring.tail();
        core.wait(limit, || core.spool.ring.taken() >= target);
        target.saturating_sub(core.spool.ring.taken())
    }

    fn wait(&self, limit: Duration, done: impl Fn() -> bool) {
        let deadline = Instant::now() + limit;
        let mut guard = lock(&self.progress);
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
        if !self.mark.holds() {
            if let Some(Some(heir)) = self.heir.get() {
                heir.close(limit);
            }
            return;
        }
        let deadline = Instant::now() + limit;
        self.flush(limit);
        self.closing.store(true, Ordering::Release);
        self.wait(limit.max(AGAIN), || self.is_closed());
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

    pub(super) fn stats(&self) -> Stats {
        let core = self.live();
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let lost = [
            (Reason::Overflow, &core.counts.overflow),
            (Reason::TooLong, &core.counts.too_long),
            (Reason::Fork, &core.counts.fork),
        ];
        Stats {
            lines: get(&core.counts.lines),
            lost: lost
                .into_iter()
                .map(|(reason, count)| (reason.name(), get(count)))
                .collect(),
            rotations: get(&core.counts.rotations),
            recovered: get(&core.counts.recovered),
            pending_bytes: core
                .spool
                .ring
                .tail()
                .saturating_sub(core.spool.ring.taken()),
            state: lock(&core.health).clone(),
        }
    }
}

/// How long after a refusal the disk is asked again.
const AGAIN: Duration = Duration::from_millis(100);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
