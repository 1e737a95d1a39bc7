//! The one background thread that moves lines from the rings of all log files to their files.
//!
//! Sleeps without a wake-up while nothing is written; while lines come it looks every few
//! milliseconds, so that a caller almost never pays for waking it.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use super::core::{CLEAN, Core};

/// Between two looks while lines come.
const BUSY: Duration = Duration::from_millis(10);
/// The longest time between two looks before falling asleep.
const QUIET: Duration = Duration::from_millis(80);
/// How long nothing must come before that.
const AWAKE: Duration = Duration::from_secs(2);

pub(super) struct Writer {
    thread: OnceLock<Thread>,
    asleep: AtomicBool,
    /// Whether it has been woken and has not looked since.
    woken: AtomicBool,
    cores: Mutex<Vec<Arc<Core>>>,
}

impl Writer {
    /// The writer of this process, started at first use.
    pub(super) fn global() -> Arc<Self> {
        static GLOBAL: OnceLock<Arc<Writer>> = OnceLock::new();
        Arc::clone(GLOBAL.get_or_init(Self::start))
    }

    /// A writer of its own: for a fork, in which the thread of the process it came from does not run.
    pub(super) fn start() -> Arc<Self> {
        let writer = Arc::new(Self {
            thread: OnceLock::new(),
            asleep: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            cores: Mutex::new(Vec::new()),
        });
        let runs = Arc::clone(&writer);
        let started = thread::Builder::new()
            .name(String::from("llm-observe-log"))
            .spawn(move || runs.run());
        if let Ok(handle) = started {
            let _ = writer.thread.set(handle.thread().clone());
        }
        writer
    }

    /// A writer without a thread: a test takes its steps itself.
    #[cfg(test)]
    pub(super) fn idle() -> Arc<Self> {
        Arc::new(Self {
            thread: OnceLock::new(),
            asleep: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            cores: Mutex::new(Vec::new()),
        })
    }

    #[cfg(test)]
    pub(super) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    pub(super) fn add(&self, core: Arc<Core>) {
        self.lock().push(core);
        self.wake();
    }

    /// Makes the writer look now.
    pub(super) fn wake(&self) {
        if self.woken.load(Ordering::SeqCst) || self.woken.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Makes the writer look soon: wakes it only if it sleeps without end.
    #[inline]
    pub(super) fn nudge(&self) {
        if self.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Core>>> {
        self.cores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut pause = BUSY;
        let mut last_line = Instant::now();
        loop {
            self.woken.store(false, Ordering::SeqCst);
            let moved = self.round();
            let now = Instant::now();
            if moved {
                (pause, last_line) = (BUSY, now);
            } else {
                pause = pause.saturating_mul(2).min(QUIET);
            }
            match now.duration_since(last_line) < AWAKE {
                true => thread::park_timeout(pause),
                false => self.sleep(),
            }
        }
    }

    /// Lets each log file move its lines; whether any had some.
    fn round(&self) -> bool {
        let cores = self.lock().clone();
        let moved = cores.iter().fold(false, |moved, core| core.pump() | moved);
        self.lock().retain(|core| !core.is_closed());
        moved
    }

    fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        // A caller that reserved before this look is seen here; one that comes later sees `asleep`.
        let cores = self.lock().clone();
        if cores.iter().any(|core| core.has_work()) {
            thread::park_timeout(QUIET);
        } else if cores.iter().any(|core| core.ages()) {
            thread::park_timeout(CLEAN);
        } else {
            drop(cores);
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}
