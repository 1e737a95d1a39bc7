//! Wakes tasks at a time, without the user's async runtime: one thread, started with the first
//! deadline. Knows nothing of calls.

use std::{
    collections::BTreeMap,
    io, process,
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    task::Waker,
    thread,
    time::Instant,
};

use super::fork_mutex;

/// Who is to be woken, by when and then by the order of asking.
type Waiting = BTreeMap<(Instant, u64), Waker>;

/// The lock is taken in the process of its thread alone: in a fork it may be locked for ever.
struct Clock {
    waiting: Mutex<(Waiting, u64)>,
    earlier: Condvar,
    /// The process that its thread is in.
    process: u32,
    /// That of a fork.
    successor: OnceLock<Option<&'static Clock>>,
}

static CLOCK: OnceLock<Option<&'static Clock>> = OnceLock::new();

/// A deadline at which a task is woken; dropping it takes it back.
pub(crate) struct Deadline {
    clock: &'static Clock,
    key: (Instant, u64),
}

impl Deadline {
    /// Wakes `waker` at `when`. `None` when there is no thread to do it.
    pub(crate) fn new(when: Instant, waker: &Waker) -> Option<Deadline> {
        let clock = clock()?;
        let mut waiting = clock.lock();
        waiting.1 += 1;
        let key = (when, waiting.1);
        waiting.0.insert(key, waker.clone());
        let first = waiting.0.first_key_value();
        if first.is_some_and(|(first, _)| *first == key) {
            clock.earlier.notify_one();
        }
        Some(Deadline { clock, key })
    }

    /// Wakes `waker` instead of the one before. Returns `false` in a fork, where nobody will.
    #[must_use]
    pub(crate) fn wakes(&self, waker: &Waker) -> bool {
        if !self.clock.is_here() {
            return false;
        }
        let mut waiting = self.clock.lock();
        if let Some(known) = waiting.0.get_mut(&self.key)
            && !known.will_wake(waker)
        {
            known.clone_from(waker);
        }
        true
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if self.clock.is_here() {
            let waker = self.clock.lock().0.remove(&self.key);
            // It is an executor's: not dropped under the lock.
            drop(waker);
        }
    }
}

impl Clock {
    fn start() -> io::Result<&'static Clock> {
        fork_mutex::remember_process();
        let clock: &'static Clock = Box::leak(Box::new(Clock {
            waiting: Mutex::default(),
            earlier: Condvar::new(),
            process: process::id(),
            successor: OnceLock::new(),
        }));
        thread::Builder::new()
            .name("llm-observe-timer".to_owned())
            .spawn(move || clock.run())?;
        Ok(clock)
    }

    fn is_here(&self) -> bool {
        self.process == process::id()
    }

    fn lock(&self) -> MutexGuard<'_, (Waiting, u64)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let mut waiting = self.lock();
            let now = Instant::now();
            let next = waiting.0.first_key_value().map(|((when, _), _)| *when);
            match next {
                Some(when) if when <= now => {
                    let due = waiting.0.pop_first();
                    drop(waiting);
                    // Runs the code of an executor: not under the lock.
                    if let Some((_, waker)) = due {
                        waker.wake();
                    }
                }
                Some(when) => {
                    let waited = self.earlier.wait_timeout(waiting, when - now);
                    drop(waited.unwrap_or_else(PoisonError::into_inner));
                }
                None => {
                    let waited = self.earlier.wait(waiting);
                    drop(waited.unwrap_or_else(PoisonError::into_inner));
                }
            }
        }
    }
}

/// Returns the clock whose thread is in this process.
fn clock() -> Option<&'static Clock> {
    let mut clock = *CLOCK.get_or_init(|| Clock::start().ok());
    while let Some(earlier) = clock.filter(|clock| !clock.is_here()) {
        clock = *earlier.successor.get_or_init(|| Clock::start().ok());
    }
    clock
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, mpsc},
        task::Wake,
        time::Duration,
    };

    use super::*;

    struct Sends(mpsc::Sender<u8>, u8);
    impl Wake for Sends {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(self.1);
        }
    }

    #[test]
    fn wakes_in_the_order_of_time_and_not_when_taken_back() {
        let (sender, woken) = mpsc::channel();
        let waker = |n| Waker::from(Arc::new(Sends(sender.clone(), n)));
        let after = |ms| Instant::now() + Duration::from_millis(ms);
        let _late = Deadline::new(after(60), &waker(2)).unwrap();
        let _early = Deadline::new(after(20), &waker(1)).unwrap();
        drop(Deadline::new(after(30), &waker(9)).unwrap());
        let changed = Deadline::new(after(90), &waker(8)).unwrap();
        assert!(changed.wakes(&waker(3)));
        let limit = Duration::from_secs(20);
        let order: Vec<u8> = (0..3).map(|_| woken.recv_timeout(limit).unwrap()).collect();
        assert_eq!(order, [1, 2, 3]);
        assert!(woken.try_recv().is_err());
    }
}
