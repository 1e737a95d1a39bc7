//! `timeout`: a future that is dropped at its call's limit, and the error it then returns.

use std::{
    cell::Cell,
    error, fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use super::timer::Deadline;

/// The error of a call that took longer than its `timeout`.
///
/// A function with `timeout` returns `Err(E::from(Elapsed))`, so its error type must be made from
/// this. `Box<dyn Error>`, `anyhow::Error`, `std::io::Error` and `String` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    limit: Duration,
}

impl Elapsed {
    /// Returns the limit that the call ran into.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }
}

impl Elapsed {
    pub(super) const fn of(limit: Duration) -> Elapsed {
        Elapsed { limit }
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out after {:?}", self.limit)
    }
}

impl error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}

impl From<Elapsed> for String {
    fn from(elapsed: Elapsed) -> String {
        elapsed.to_string()
    }
}

thread_local! {
    /// How the [`Limited`] ended that was ready last on this thread: with its limit, if that was reached.
    /// [`Observed`](super::future::Observed) is directly around it and takes this at once.
    static REACHED: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Returns the limit that the future of a call ran into, which has just become ready.
pub(super) fn take_reached() -> Option<Duration> {
    REACHED.try_with(Cell::take).ok().flatten()
}

/// Forgets what was reached before: what is polled next has not.
pub(super) fn forget_reached() {
    let _ = REACHED.try_with(|reached| reached.set(None));
}

/// Notes the limit that was reached by what has just become ready.
pub(super) fn set_reached(limit: Duration) {
    let _ = REACHED.try_with(|reached| reached.set(Some(limit)));
}

pin_project! {
    /// A future that is dropped at the `timeout` of its function, whether anybody observes the call
    /// or not. The time starts with the first poll.
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct Limited<F, M> {
        #[pin]
        future: Option<F>,
        make: Option<M>,
        limit: Duration,
        started: Started,
    }
}

/// How far the limit has come.
enum Started {
    No,
    /// The limit is beyond what the clock can count.
    Endless,
    Until {
        when: Instant,
        deadline: Option<Deadline>,
    },
}

// `make` returns the error alone: an output with a `dyn Stream` in it would be compared with its lifetimes
// erased, and the future around it not be `Send`.
impl<F, M, T, E> Limited<F, M>
where
    F: Future<Output = Result<T, E>>,
    M: FnOnce(Elapsed) -> E,
{
    /// Limits `future` to `limit`; `make` makes the error of a call that ran into it.
    pub fn new(limit: Duration, future: F, make: M) -> Limited<F, M> {
        Limited {
            future: Some(future),
            make: Some(make),
            limit,
            started: Started::No,
        }
    }
}

impl<F, M, T, E> Future for Limited<F, M>
where
    F: Future<Output = Result<T, E>>,
    M: FnOnce(Elapsed) -> E,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        if let Poll::Ready(output) = future.poll(cx) {
            forget_reached();
            return Poll::Ready(output);
        }
        if !this.started.reached(*this.limit, cx) {
            return Poll::Pending;
        }
        let Some(make) = this.make.take() else {
            return Poll::Pending;
        };
        // What it holds is released before the caller goes on.
        this.future.set(None);
        *this.started = Started::Endless;
        let error = make(Elapsed { limit: *this.limit });
        set_reached(*this.limit);
        Poll::Ready(Err(error))
    }
}

impl Started {
    /// Returns whether `limit` is reached, and sees that the task is woken then if it is not.
    fn reached(&mut self, limit: Duration, cx: &Context<'_>) -> bool {
        if let Started::No = self {
            *self = match Instant::now().checked_add(limit) {
                None => Started::Endless,
                Some(when) => Started::Until {
                    when,
                    deadline: None,
                },
            };
        }
        let Started::Until { when, deadline } = self else {
            return false;
        };
        if *when <= Instant::now() {
            return true;
        }
        let wakes = deadline.as_ref().is_some_and(|d| d.wakes(cx.waker()));
        if !wakes {
            *deadline = Deadline::new(*when, cx.waker());
        }
        false
    }
}
