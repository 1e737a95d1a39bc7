//! The background thread: publishes metrics and looks for stalled calls about once a second.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use crate::own_thread::OwnThread;

/// How often the thread does its round.
const PERIOD: Duration = Duration::from_secs(1);

/// How long dropping it waits for a round that is under way.
const STOP_LIMIT: Duration = Duration::from_millis(200);

/// The thread; stops when this is dropped.
pub(crate) struct Upkeep {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: OwnThread,
}

impl Upkeep {
    /// Starts a thread that calls `round` about once a second.
    pub(crate) fn start(round: impl Fn() + Send + 'static) -> io::Result<Upkeep> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let stopped = stop.clone();
        let thread = OwnThread::start("llm-observe", move || {
            while !waited_until_stop(&stopped) {
                round();
            }
        })?;
        Ok(Upkeep { stop, thread })
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
        self.thread.wait(STOP_LIMIT);
    }
}
