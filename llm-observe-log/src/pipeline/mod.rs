//! Brings lines from their callers to one log file: takes them, waits when there is no room, drops and
//! counts them when waiting does not help.
//!
//! This file is the callers' side, and [`close`] what waits for the file. [`pass`] is the side of the writer
//! thread, [`successor`] replaces
//! a pipeline in a forked process and when its folder was deleted, [`detached`] is one whose file
//! cannot be opened yet. Knows nothing of formats.

mod close;
mod detached;
mod pass;
mod successor;

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    compress::Compressor,
    disk::{self, Disk},
    hooks::{Hooks, warn_once},
    level::Level,
    live_file::LiveFile,
    options::LogOptions,
    ring::Full,
    spool::{self, Orphans, Spool},
    stats::{Counters, Health, LossReason},
    system::ForkGuard,
    trust,
    writer_thread::WriterThread,
};

/// How long after an error the disk is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Room for a loss notice of each reason.
const NOTICES: u64 = LossReason::ALL.len() as u64 * 512;

/// One open log file: its ring, the writer thread's work, and the state between them.
pub(crate) struct Pipeline {
    options: LogOptions,
    hooks: Hooks,
    spool: Spool,
    /// Invalid in a fork, and once a successor has taken over.
    fork_guard: ForkGuard,
    successor: OnceLock<Option<Arc<Pipeline>>>,
    predecessor: Weak<Pipeline>,
    /// The claim on the log file, when it had to be renewed.
    claim: OnceLock<File>,
    thread: Arc<WriterThread>,
    /// `None` while there is no file.
    work: Mutex<Option<Work>>,
    /// How many bytes of the ring may be in use, by level.
    limits: [u64; 5],
    counters: Arc<Counters>,
    health: Mutex<Health>,
    refused: AtomicBool,
    /// Until when callers wait for room. Set as soon as a caller waits or the disk refuses lines,
    /// cleared as soon as lines move.
    wait_deadline: Mutex<Option<Instant>>,
    moved: Condvar,
    waiters: AtomicU32,
    closing: AtomicBool,
    closed: AtomicBool,
    /// Held while a truncated spool is mended.
    mending: Mutex<()>,
    /// Whether other users could change the files when the folder was opened.
    exposed: bool,
    /// Whether there is no file.
    detached: bool,
}

/// What a pipeline is made of, besides what its caller gives it.
struct Parts {
    work: Option<Work>,
    spool: Spool,
    counters: Arc<Counters>,
    predecessor: Weak<Pipeline>,
    exposed: bool,
}

/// What only the writer thread touches.
struct Work {
    live_file: LiveFile,
    /// Locked while this process writes the live file.
    write_lock: File,
    /// Spools of dead processes that are not in the log yet.
    orphans: Vec<Spool>,
    /// When the disk is tried again.
    retry_at: Option<Instant>,
    /// Since when the live file ends in an incomplete line.
    torn_since: Option<Instant>,
    cleaned_at: Option<Instant>,
    /// Up to which position the ring is backed by memory.
    prepared: u64,
    compressor: Compressor,
}

impl Pipeline {
    pub(crate) fn open(
        options: LogOptions,
        hooks: Hooks,
        disk: Arc<dyn Disk>,
        thread: Arc<WriterThread>,
    ) -> io::Result<Arc<Self>> {
        Self::build(options, hooks, disk, thread, Arc::default(), Weak::new())
    }

    /// Counting goes on in `counters`, and the lines of `predecessor` are written first, when there
    /// was a pipeline before this one.
    fn build(
        options: LogOptions,
        hooks: Hooks,
        disk: Arc<dyn Disk>,
        thread: Arc<WriterThread>,
        counters: Arc<Counters>,
        predecessor: Weak<Pipeline>,
    ) -> io::Result<Arc<Self>> {
        let (dir, file) = (disk.dir().to_path_buf(), &options.file);
        let write_lock = disk::open_private(&dir.join(format!(".{file}.write-lock")), true)?;
        let exposed = warn_of_exposure(&dir, &hooks);
        let Orphans {
            spools: orphans,
            damaged,
        } = spool::orphans(&dir, file, &hooks.warn);
        spool::remove_empty(&dir);
        let spool = Spool::create(&dir, file, options.buffer_bytes, &hooks.warn)?;
        let compressor = Compressor::new(&options, &dir, &hooks.warn);
        let live_file = LiveFile::new(disk, options.clone(), hooks.clone());
        let work = Work {
            live_file,
            write_lock,
            orphans,
            retry_at: None,
            torn_since: None,
            cleaned_at: None,
            prepared: 0,
            compressor,
        };
        let parts = Parts {
            work: Some(work),
            spool,
            counters,
            predecessor,
            exposed,
        };
        let pipeline = Arc::new(Self::over(options, hooks, thread, parts));
        pipeline.count_lost(LossReason::Damaged, damaged);
        Ok(pipeline)
    }

    fn over(options: LogOptions, hooks: Hooks, thread: Arc<WriterThread>, parts: Parts) -> Self {
        let Parts {
            work,
            spool,
            counters,
            predecessor,
            exposed,
        } = parts;
        Self {
            limits: Level::limits(spool.ring.capacity()),
            detached: work.is_none(),
            options,
            hooks,
            spool,
            fork_guard: ForkGuard::new(),
            successor: OnceLock::new(),
            predecessor,
            claim: OnceLock::new(),
            thread,
            work: Mutex::new(work),
            counters,
            health: Mutex::new(Health::Healthy),
            refused: AtomicBool::new(false),
            wait_deadline: Mutex::new(None),
            moved: Condvar::new(),
            waiters: AtomicU32::new(0),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            mending: Mutex::new(()),
            exposed,
        }
    }

    #[inline]
    pub(crate) fn write(&self, level: Level, line: &[u8]) {
        if !self.fork_guard.is_valid() {
            return self.write_to_successor(level, line);
        }
        // While lines come, the writer thread looks after the spool.
        if self.thread.is_parked() {
            self.mend_if_truncated();
        }
        let limit = self.limits.get(level as usize).copied().unwrap_or_default();
        let used = match self.push(limit, line) {
            Ok(used) => used,
            Err(Full) => return self.write_slowly(limit, line),
        };
        if level >= Level::Error || used > self.spool.ring.capacity() / 4 {
            self.thread.wake();
        } else {
            self.thread.wake_if_parked();
        }
    }

    /// Puts the line in, if there is room, behind the notice of lines that are missing before it.
    /// Without room for the line there is no notice either: otherwise notices would use up the room
    /// that higher levels have to themselves.
    #[inline]
    fn push(&self, limit: u64, line: &[u8]) -> Result<u64, Full> {
        let ring = &self.spool.ring;
        if ring.has_lost() {
            if !ring.has_room(line.len() as u64 + NOTICES, limit) {
                return Err(Full);
            }
            self.push_loss_notices();
        }
        ring.push(line, limit)
    }

    /// Waits for room. Drops the line when nothing has moved for as long as callers may wait.
    #[cold]
    fn write_slowly(&self, limit: u64, line: &[u8]) {
        if line.len() as u64 > self.spool.ring.max_line() {
            return self.count_lost(LossReason::TooLong, 1);
        }
        self.thread.wake();
        let mut deadline = lock(&self.wait_deadline);
        self.waiters.fetch_add(1, Ordering::SeqCst);
        loop {
            if self.push(limit, line).is_ok() {
                break;
            }
            let until = *deadline.get_or_insert_with(|| self.max_wait_from_now());
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.refused.store(true, Ordering::Relaxed);
                self.count_lost(LossReason::Overflow, 1);
                break;
            }
            deadline = self
                .moved
                .wait_timeout(deadline, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        drop(deadline);
    }

    fn max_wait_from_now(&self) -> Instant {
        Instant::now() + self.options.max_wait
    }

    fn count_lost(&self, reason: LossReason, count: u64) {
        self.counters
            .lost(reason)
            .fetch_add(count, Ordering::Relaxed);
        self.spool.ring.add_lost(reason, count);
    }

    /// Repairs the spool when another program has truncated or overwritten it: touching the memory
    /// behind its end would end the process. Between this check and the next one, it still would.
    fn mend_if_truncated(&self) {
        if !self.spool.is_whole() {
            self.mend(|| self.spool.is_whole());
        }
    }

    /// As [`mend_if_truncated`](Self::mend_if_truncated), and when another program has overwritten the
    /// positions. Called by the writer thread.
    fn mend_if_damaged(&self) {
        let is_sound = || self.spool.is_whole() && self.spool.ring.is_ordered();
        if !is_sound() {
            self.mend(is_sound);
        }
    }

    #[cold]
    fn mend(&self, is_mended: impl Fn() -> bool) {
        let _mending = lock(&self.mending);
        if is_mended() {
            return;
        }
        let path = self.path();
        match self.spool.mend() {
            Ok(()) => {
                self.count_lost(LossReason::Damaged, 1);
                (self.hooks.warn)(&format!(
                    "{path}: another program changed the buffer; lines that waited in it are lost"
                ));
            }
            Err(error) => (self.hooks.warn)(&format!(
                "{path}: another program changed the buffer, and it cannot be repaired: {error}"
            )),
        }
    }

    /// Writes how many lines are missing, where they are missing.
    #[cold]
    fn push_loss_notices(&self) {
        let ring = &self.spool.ring;
        for (reason, count) in ring.take_lost() {
            let mut line = Vec::new();
            (self.hooks.loss_notice)(&mut line, count, reason);
            if ring.push(&line, ring.capacity()).is_err() {
                ring.add_lost(reason, count);
            }
        }
    }

    fn path(&self) -> String {
        self.options
            .dir
            .join(&self.options.file)
            .display()
            .to_string()
    }

    fn has_lines(&self) -> bool {
        self.spool.ring.tail() != self.spool.ring.taken()
            || self.spool.ring.has_lost()
            || self.predecessor_has_lines()
    }

    fn predecessor_has_lines(&self) -> bool {
        self.predecessor()
            .is_some_and(|predecessor| predecessor.has_lines())
    }
}

/// Warns when other users can change the log files, once for each folder. Returns whether they can.
fn warn_of_exposure(dir: &Path, hooks: &Hooks) -> bool {
    let exposure = trust::exposure(dir);
    if let Some(exposure) = &exposure {
        warn_once(&hooks.warn, dir, exposure);
    }
    exposure.is_some()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
