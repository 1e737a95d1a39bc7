//! The signals that ask a program to end, as a future for any executor and as a blocking wait.
//!
//! One thread waits for them. What the system calls them, and how they are listened to, is in `unix` and
//! `windows`.

#[cfg(not(any(unix, windows)))]
#[path = "none.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Condvar, Mutex, MutexGuard, Once, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use self::system::Signals;
use super::{running::installed, shutdown::SHUTDOWN_LIMIT};
use crate::{probes::PROGRAM, warn::warn};

/// Signals that come so soon after the first one are the same wish: `timeout` and some supervisors
/// send theirs to a process and to its group.
const SAME: Duration = Duration::from_millis(500);

/// Waits for SIGTERM or SIGINT (on Windows: Ctrl-C, Ctrl-Break, or the end of the console or session), so that a
/// program can finish what it does and end in order.
///
/// Pass it to `axum`'s graceful shutdown, and end the observer once the last response is sent:
///
/// ```no_run
/// # use std::{error::Error, time::Duration};
/// # async fn answer() -> &'static str { "42" }
/// # async fn run() -> Result<(), Box<dyn Error>> {
/// # use axum::{Router, routing::get};
/// let observer = llm_observe::init!()?;
/// let router = Router::new().route("/answer", get(answer));
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:8080").await?;
/// axum::serve(listener, router)
///     .with_graceful_shutdown(llm_observe::shutdown_signal())
///     .await?;
/// let report = observer.shutdown_async(Duration::from_secs(10)).await;
/// println!("ended, {} delivered", report.delivered);
/// # Ok(())
/// # }
/// ```
///
/// When the first signal comes,
///
/// - `/readyz` answers 503 from then on,
/// - a flush begins in the background, so that alerts that wait for their group leave at once,
/// - every `ShutdownSignal` resolves, and so does each that is made later.
///
/// A second signal, half a second later or more, ends the program at once, as if nothing listened.
///
/// The signals are listened to from this call on, also when the future is not polled or is dropped: a program
/// that calls this has to end itself. Handlers of the program's own, such as those of `tokio::signal`, work beside
/// it. When the signals cannot be listened to, a message on standard error says so, and this never resolves.
pub fn shutdown_signal() -> ShutdownSignal {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        if let Err(error) = listen() {
            warn(&format!(
                "signals cannot be listened to, so that they end the program without a flush: {error}"
            ));
        }
    });
    ShutdownSignal { id: None }
}

/// Resolves when the program is asked to end: see [`shutdown_signal`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct ShutdownSignal {
    /// Its place among those who wait.
    id: Option<u64>,
}

impl ShutdownSignal {
    /// Blocks the thread until the signal comes: for programs without an executor.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn work() {}
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let observer = llm_observe::init!()?;
    /// std::thread::spawn(work);
    /// llm_observe::shutdown_signal().wait();
    /// let report = observer.shutdown(Duration::from_secs(10));
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(self) {
        let waiting = |state: &mut State| !state.came;
        drop(
            SIGNAL
                .changed
                .wait_while(SIGNAL.lock(), waiting)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl Future for ShutdownSignal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = SIGNAL.lock();
        if state.came {
            return Poll::Ready(());
        }
        let id = *self.id.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        state.waiting.insert(id, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for ShutdownSignal {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            SIGNAL.lock().waiting.remove(&id);
        }
    }
}

static SIGNAL: Signal = Signal {
    state: Mutex::new(State {
        came: false,
        next: 0,
        waiting: BTreeMap::new(),
    }),
    changed: Condvar::new(),
};

/// Whether a signal has come, and who waits for it.
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    came: bool,
    next: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        let waiting = {
            let mut state = self.lock();
            state.came = true;
            std::mem::take(&mut state.waiting)
        };
        self.changed.notify_all();
        waiting.into_values().for_each(Waker::wake);
    }
}

/// Listens to the signals from now on.
fn listen() -> io::Result<()> {
    let signals = Signals::listen()?;
    let thread = thread::Builder::new().name("llm-observe-sig".to_owned());
    thread.spawn(move || run(signals)).map(drop)
}

/// Waits for the first signal, and has the program end.
fn run(mut signals: Signals) {
    let name = signals.wait();
    PROGRAM.stop();
    SIGNAL.notify();
    // Who then takes too long to end has lost less. Where no thread can be started, the flush at the
    // end is all there is.
    let thread = thread::Builder::new().name("llm-observe-flush".to_owned());
    let _ = thread.spawn(move || {
        tracing::info!(target: "llm_observe", "{name}: the program is asked to end");
        installed().map(|running| running.flush(SHUTDOWN_LIMIT))
    });
    thread::sleep(SAME);
    signals.end_at_next();
}
