//! The thread that exchanges what was spent with other processes and notices thresholds: calls do no I/O.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use super::{shared::Shared, store::Store};
use crate::{kernel::clock, own_thread::OwnThread};

/// How often it does its round.
const PERIOD: Duration = Duration::from_secs(1);

/// After how many rounds it tries a folder again that could not be used.
const RETRY: u32 = 30;

/// The thread; ends after a last round when this is dropped.
pub(super) struct Worker {
    control: Arc<(Mutex<Control>, Condvar)>,
    thread: OwnThread,
}

#[derive(Debug, Default)]
struct Control {
    stop: bool,
    wanted: u64,
    done: u64,
}

impl Worker {
    /// Starts the thread. Without a store, it tries `folder` again.
    pub(super) fn start(
        shared: Arc<Shared>,
        folder: PathBuf,
        store: Option<Store>,
    ) -> io::Result<Worker> {
        let control = Arc::<(Mutex<Control>, Condvar)>::default();
        let shown = control.clone();
        let mut rounds = Rounds {
            shared,
            folder,
            store,
            until_retry: RETRY,
        };
        let thread =
            OwnThread::start("llm-observe-budgets", move || while !rounds.next(&shown) {})?;
        Ok(Worker { control, thread })
    }

    /// Has the thread do a round now, and waits for it at most `limit`; the last time, it then ends.
    pub(super) fn flush(&self, limit: Duration, last: bool) {
        let (control, changed) = &*self.control;
        let mut asked = control.lock().unwrap_or_else(PoisonError::into_inner);
        asked.wanted += 1;
        asked.stop |= last;
        let wanted = asked.wanted;
        changed.notify_all();
        let waiting = |control: &mut Control| control.done < wanted;
        let waited = changed.wait_timeout_while(asked, limit, waiting);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        if last {
            self.thread.wait(limit);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (control, changed) = &*self.control;
        control.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        changed.notify_all();
    }
}

struct Rounds {
    shared: Arc<Shared>,
    folder: PathBuf,
    store: Option<Store>,
    until_retry: u32,
}

impl Rounds {
    /// Waits for the next round and does it; returns whether it was the last.
    fn next(&mut self, (control, changed): &(Mutex<Control>, Condvar)) -> bool {
        let held = control.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |control: &mut Control| !control.stop && control.done >= control.wanted;
        let waited = changed.wait_timeout_while(held, PERIOD, idle);
        let (held, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let (stop, wanted) = (held.stop, held.wanted);
        drop(held);
        self.retry();
        self.shared.round(clock::now_micros(), self.store.as_ref());
        control.lock().unwrap_or_else(PoisonError::into_inner).done = wanted;
        changed.notify_all();
        stop
    }

    fn retry(&mut self) {
        self.until_retry = self.until_retry.saturating_sub(1);
        if self.store.is_some() || self.until_retry > 0 {
            return;
        }
        self.until_retry = RETRY;
        if let Ok((store, spent)) = Store::open(&self.folder, clock::now_micros()) {
            self.shared.join(&spent);
            self.store = Some(store);
        }
    }
}
