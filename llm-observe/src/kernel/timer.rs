//! Wakes tasks at a time, without the user's async runtime: one thread, started with the first
//! deadline. Knows nothing of calls.

use std::{
    collections::BTreeMap,
    io,
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    task::Waker,
    thread,
    time::Instant,
};

/// Who is to be woken, by when and then by the order of asking.
type Waiting = BTreeMap<(Instant, u64), Waker>;

#[derive(Default)]
struct Clock {
    waiting: Mutex<(Waiting, u64)>,
    earlier: Condvar,
}

static CLOCK: OnceLock<Option<&'static Clock>> = OnceLock::new();

/// A deadline at which a task is woken; dropping it takes it back.
#[derive(Debug)]
pub(crate) struct Deadline {
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
        if waiting
            .0
            .first_key_value()
            .is_some_and(|(first, _)| *first == key)
        {
            clock.earlier.notify_one();
        }
        Some(Deadline { key })
    }

    /// Wakes `waker` instead of the one before.
    pub(crate) fn wakes(&self, waker: &Waker) {
        let Some(clock) = clock() else { return };
        if let Some(known) = clock.lock().0.get_mut(&self.key)
            && !known.will_wake(waker)
        {
            known.clone_from(waker);
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(clock) = clock() {
            let waker = clock.lock().0.remove(&self.key);
            drop(waker);
        }
    }
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, (Waiting, u64)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let next = waiting.0.first_key_value().map(|((when, _), _)| *when);
            waiting = match next {
                Some(when) if when <= now => {
                    let due = waiting.0.pop_first();
                    drop(waiting);
                    // Runs the code of an executor: not under the lock.
                    if let Some((_, waker)) = due {
                        waker.wake();
                    }
                    self.lock()
                }
                Some(when) => {
                    let waited = self.earlier.wait_timeout(waiting, when - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .earlier
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

fn clock() -> Option<&'static Clock> {
    *CLOCK.get_or_init(|| start().ok())
}

fn start() -> io::Result<&'static Clock> {
    let clock: &'static Clock = Box::leak(Box::default());
    thread::Builder::new()
        .name("llm-observe-timer".to_owned())
        .spawn(move || clock.run())?;
    Ok(clock)
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
        changed.wakes(&waker(3));
        let limit = Duration::from_secs(20);
        let order: Vec<u8> = (0..3).map(|_| woken.recv_timeout(limit).unwrap()).collect();
        assert_eq!(order, [1, 2, 3]);
        assert!(woken.try_recv().is_err());
    }
}
