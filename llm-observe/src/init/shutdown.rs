//! The end of an observer in async code, on any executor: the waiting is done by a thread of its own.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use super::{
    FlushReport,
    running::{Running, installed},
};

/// How long the end of an observer may take where nobody says.
pub(super) const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Ends the program's observer, wherever its [`Observer`](crate::Observer) is kept, within 5 seconds: hands on
/// all that is held back, as [`Observer::shutdown`](crate::Observer::shutdown) does, and returns what was
/// delivered and what is kept.
///
/// Works on any executor and blocks none of its threads. The end begins when this is first polled, and is
/// completed even if the future is dropped. Without an observer, and the second time, the report is empty.
///
/// ```
/// # async fn run() {
/// let report = llm_observe::shutdown().await;
/// if !report.is_complete() {
///     eprintln!("{} reports and alerts wait for the next start", report.kept);
/// }
/// # }
/// ```
#[must_use = "futures do nothing unless they are awaited"]
pub async fn shutdown() -> FlushReport {
    match installed() {
        Some(running) => end(running.clone(), SHUTDOWN_LIMIT).await,
        None => FlushReport::default(),
    }
}

/// A value that a thread works out, and the task that waits for it.
struct Promise<T>(Mutex<Promised<T>>);

struct Promised<T> {
    value: Option<T>,
    waiting: Option<Waker>,
}

impl<T> Promise<T> {
    const fn new() -> Promise<T> {
        Promise(Mutex::new(Promised {
            value: None,
            waiting: None,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Promised<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, value: T) {
        let waiting = {
            let mut promised = self.lock();
            promised.value = Some(value);
            promised.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<T> {
        let mut promised = self.lock();
        match promised.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                promised.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Ends `running` within `limit`, on a thread of its own.
pub(super) async fn end(running: Arc<Running>, limit: Duration) -> FlushReport {
    let promise = Arc::new(Promise::new());
    let (theirs, ended) = (promise.clone(), running.clone());
    let work = move || {
        // A panic of a program's own channel must not leave the future waiting.
        let report = catch_unwind(AssertUnwindSafe(|| ended.end(limit)));
        theirs.keep(report.unwrap_or_default());
    };
    let thread = thread::Builder::new().name("llm-observe-end".to_owned());
    if thread.spawn(work).is_err() {
        // Out of threads: better to block one than to lose what is held back.
        return running.end(limit);
    }
    poll_fn(|cx| promise.poll(cx)).await
}
