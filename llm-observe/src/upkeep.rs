//! The background thread: publishes metrics and looks for stalled calls about once a second.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How often the thread does its round.
const PERIOD: Duration = Duration::from_secs(1);

/// The thread; stops when this is dropped.
pub(crate) struct Upkeep {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts a thread that calls `round` about once a second.
    pub(crate) fn start(round: impl Fn() + Send + 'static) -> io::Result<Upkeep> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("llm-observe".to_owned())
            .spawn(move || {
                while !waited_until_stop(&stopped) {
                    round();
                }
            })?;
        Ok(Upkeep {
            stop,
            thread: Some(thread),
        })
    }
}

fn waited_until_stop((stop, changed): &(Mutex<bool>, Condvar)) -> bool {
    let stopped = stop.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = changed.wait_timeout_while(stopped, PERIOD, |stopped| !*stopped);
    *waited.unwrap_or_else(PoisonError::into_inner).0
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // Its round does not panic; if it did, there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}
