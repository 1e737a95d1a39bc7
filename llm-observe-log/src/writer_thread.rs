//! The one background thread that moves lines of all log files from memory to disk.
//!
//! It sleeps without waking up while nothing is written. While lines come it checks every few
//! milliseconds, so that a caller almost never pays for waking it. Knows tasks, not files.

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// What the thread does for one log file.
pub(crate) trait Task: Send + Sync {
    /// Moves the lines that wait. Returns whether there were some.
    fn run(self: Arc<Self>) -> bool;
    /// Whether lines wait, or the file is about to be closed.
    fn has_work(&self) -> bool;
    /// Whether rotated files expire while no line comes.
    fn has_max_age(&self) -> bool;
    /// Whether the task is done for good.
    fn is_closed(&self) -> bool;
}

/// How often expired files are looked for while nothing is rotated.
pub(crate) const RETENTION_INTERVAL: Duration = Duration::from_secs(60);

/// The pause between two rounds while lines come.
const MIN_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause between two rounds before the thread parks.
const MAX_PAUSE: Duration = Duration::from_millis(80);
/// How long no line must come before the thread parks.
const PARK_AFTER: Duration = Duration::from_secs(2);

pub(crate) struct WriterThread {
    /// Whether it has a thread, or is to have one.
    has_own_thread: bool,
    thread: OnceLock<Thread>,
    parked: AtomicBool,
    /// Whether it was woken and has not started a round since.
    woken: AtomicBool,
    tasks: Mutex<Vec<Arc<dyn Task>>>,
}

impl WriterThread {
    /// Returns the writer thread of this process, started at first use.
    pub(crate) fn global() -> Arc<Self> {
        static GLOBAL: OnceLock<Arc<WriterThread>> = OnceLock::new();
        Arc::clone(GLOBAL.get_or_init(Self::start))
    }

    /// Starts a thread of its own: for a fork, in which the thread of the parent does not run. One that
    /// cannot be started is tried again by [`ensure_started`](Self::ensure_started).
    pub(crate) fn start() -> Arc<Self> {
        let writer = Arc::new(Self::without_thread(true));
        let _ = writer.ensure_started();
        writer
    }

    /// Starts the thread, if it does not run.
    pub(crate) fn ensure_started(self: &Arc<Self>) -> io::Result<()> {
        if self.thread.get().is_some() || !self.has_own_thread {
            return Ok(());
        }
        // Nobody else starts it meanwhile.
        let tasks = self.lock();
        if self.thread.get().is_none() {
            let runs = Arc::clone(self);
            let handle = thread::Builder::new()
                .name(String::from("llm-observe-log"))
                .spawn(move || runs.run())?;
            let _ = self.thread.set(handle.thread().clone());
        }
        drop(tasks);
        Ok(())
    }

    /// Returns one that runs nothing by itself: a test runs its passes.
    #[cfg(test)]
    pub(crate) fn manual() -> Arc<Self> {
        Arc::new(Self::without_thread(false))
    }

    fn without_thread(has_own_thread: bool) -> Self {
        Self {
            has_own_thread,
            thread: OnceLock::new(),
            parked: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            tasks: Mutex::new(Vec::new()),
        }
    }

    #[cfg(test)]
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    pub(crate) fn add(&self, task: Arc<dyn Task>) {
        self.lock().push(task);
        self.wake();
    }

    /// Makes the thread start a round now.
    pub(crate) fn wake(&self) {
        if self.woken.load(Ordering::SeqCst) || self.woken.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Returns whether it sleeps until it is woken.
    #[inline]
    pub(crate) fn is_parked(&self) -> bool {
        self.parked.load(Ordering::SeqCst)
    }

    /// Makes the thread start a round soon: wakes it only if it would not wake up by itself.
    #[inline]
    pub(crate) fn wake_if_parked(&self) {
        if self.is_parked() {
            self.wake();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn Task>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut pause = MIN_PAUSE;
        let mut last_line = Instant::now();
        loop {
            self.woken.store(false, Ordering::SeqCst);
            let moved = self.run_tasks();
            let now = Instant::now();
            if moved {
                (pause, last_line) = (MIN_PAUSE, now);
            } else {
                pause = pause.saturating_mul(2).min(MAX_PAUSE);
            }
            match now.duration_since(last_line) < PARK_AFTER {
                true => thread::park_timeout(pause),
                false => self.park(),
            }
        }
    }

    /// Runs each task. Returns whether any of them moved lines.
    fn run_tasks(&self) -> bool {
        let tasks = self.lock().clone();
        let run = |moved, task: &Arc<dyn Task>| Arc::clone(task).run() | moved;
        let moved = tasks.iter().fold(false, run);
        self.lock().retain(|task| !task.is_closed());
        moved
    }

    fn park(&self) {
        self.parked.store(true, Ordering::SeqCst);
        // A caller that reserved before this check is seen here; one that comes later sees `parked`.
        let tasks = self.lock().clone();
        if tasks.iter().any(|task| task.has_work()) {
            thread::park_timeout(MAX_PAUSE);
        } else if tasks.iter().any(|task| task.has_max_age()) {
            thread::park_timeout(RETENTION_INTERVAL);
        } else {
            drop(tasks);
            thread::park();
        }
        self.parked.store(false, Ordering::SeqCst);
    }
}
