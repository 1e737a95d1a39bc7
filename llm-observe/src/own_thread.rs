//! A thread of this crate, whose end is waited for no longer than a limit: a disk or a destination that
//! hangs does not hold up the end of a program. Knows nothing of what the thread does.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle, ThreadId},
    time::{Duration, Instant},
};

/// A started thread. Dropping it waits for nothing.
pub(crate) struct OwnThread {
    id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
    ended: Arc<Ended>,
}

#[derive(Default)]
struct Ended {
    has: Mutex<bool>,
    changed: Condvar,
}

/// Says so when the thread ends, by a panic too.
struct SayEnded(Arc<Ended>);

impl Drop for SayEnded {
    fn drop(&mut self) {
        *self.0.has.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

impl OwnThread {
    /// Starts the thread `name`.
    ///
    /// # Errors
    ///
    /// When the system has no thread left.
    pub(crate) fn start(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<OwnThread> {
        let ended = Arc::<Ended>::default();
        let say = SayEnded(ended.clone());
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _say = say;
                run();
            })?;
        Ok(OwnThread {
            id: thread.thread().id(),
            thread: Mutex::new(Some(thread)),
            ended,
        })
    }

    /// Waits for its end, at most `limit`. Returns whether it has ended. On the thread itself it returns
    /// at once.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        if thread::current().id() == self.id {
            return false;
        }
        let has = self.ended.has.lock();
        let has = has.unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .ended
            .changed
            .wait_timeout_while(has, limit, |has| !*has);
        if !*waited.unwrap_or_else(PoisonError::into_inner).0 {
            return false;
        }
        let thread = self.thread.lock();
        if let Some(thread) = thread.unwrap_or_else(PoisonError::into_inner).take() {
            // It is at its very end. It does not panic; if it did, nothing is left to do about it.
            let _ = thread.join();
        }
        true
    }
}

/// Returns when `limit` from now is over.
pub(crate) fn deadline(limit: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + YEAR)
}

/// Returns the time from now to `deadline`; zero when it is over.
pub(crate) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn its_end_is_waited_for_within_the_limit() {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = OwnThread::start("test", move || {
            let _ = stopped.recv();
        })
        .unwrap();
        assert!(!thread.wait(Duration::from_millis(1)));
        drop(stop);
        assert!(thread.wait(LONG));
        assert!(thread.wait(Duration::ZERO), "it may be asked again");
    }

    #[test]
    fn a_panic_is_an_end() {
        let thread = OwnThread::start("test", || std::panic::resume_unwind(Box::new(()))).unwrap();
        assert!(thread.wait(LONG));
    }

    #[test]
    fn no_limit_is_too_long() {
        assert!(left(deadline(Duration::MAX)) > LONG);
    }
}
