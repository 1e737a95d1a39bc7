//! `timeout`: a future that is dropped at its call's limit, and the error it then returns.

use std::{
    error, fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use super::{context, extra::Extra, timer::Deadline};

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

pin_project! {
    /// A future that is dropped at the `timeout` of the call it runs in. Without an observer there
    /// is no call, and no limit.
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct Limited<F, M> {
        #[pin]
        future: Option<F>,
        make: Option<M>,
        limit: Limit,
    }
}

/// How far the limit has come.
enum Limit {
    NotStarted,
    None,
    At {
        when: Instant,
        limit: Duration,
        deadline: Option<Deadline>,
    },
}

impl<F, M> Limited<F, M>
where
    F: Future,
    M: FnOnce(Elapsed) -> F::Output,
{
    /// Limits `future`; `make` makes the output of a call that ran into the limit.
    pub fn new(future: F, make: M) -> Limited<F, M> {
        Limited {
            future: Some(future),
            make: Some(make),
            limit: Limit::NotStarted,
        }
    }
}

impl<F, M> Future for Limited<F, M>
where
    F: Future,
    M: FnOnce(Elapsed) -> F::Output,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        if let Poll::Ready(output) = future.poll(cx) {
            *this.limit = Limit::None;
            return Poll::Ready(output);
        }
        let Some(limit) = this.limit.reached(cx) else {
            return Poll::Pending;
        };
        // What it holds is released before the caller goes on.
        this.future.set(None);
        *this.limit = Limit::None;
        context::change(|call| {
            call.extra.get_or_insert_with(Extra::from_pool).elapsed = Some(limit)
        });
        match this.make.take() {
            Some(make) => Poll::Ready(make(Elapsed { limit })),
            None => Poll::Pending,
        }
    }
}

impl Limit {
    /// Returns the limit if it is reached, and sees that the task is woken then if it is not.
    fn reached(&mut self, cx: &Context<'_>) -> Option<Duration> {
        if let Limit::NotStarted = self {
            *self = Limit::start();
        }
        let Limit::At {
            when,
            limit,
            deadline,
        } = self
        else {
            return None;
        };
        if *when <= Instant::now() {
            return Some(*limit);
        }
        match deadline {
            Some(deadline) => deadline.wakes(cx.waker()),
            None => *deadline = Deadline::new(*when, cx.waker()),
        }
        None
    }

    fn start() -> Limit {
        let limit = context::look(|call| call.site.and_then(|site| site.timeout)).flatten();
        match limit.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?))) {
            Some((limit, when)) => Limit::At {
                when,
                limit,
                deadline: None,
            },
            None => Limit::None,
        }
    }
}
