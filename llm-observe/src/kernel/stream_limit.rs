//! `timeout(first, idle, total)`: a stream that ends at a limit, whether anybody observes it or not.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::{
    limit::{self, Elapsed},
    timer::Deadline,
};

/// How long a stream may take.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// When its call started.
    start: Instant,
    first: Option<Duration>,
    idle: Option<Duration>,
    total: Option<Duration>,
}

impl StreamLimits {
    /// Returns no limits, for a call that starts now.
    #[must_use]
    pub fn start() -> StreamLimits {
        StreamLimits {
            start: Instant::now(),
            first: None,
            idle: None,
            total: None,
        }
    }

    /// Limits the wait for the first item, from the start of the call.
    #[must_use]
    pub const fn first(mut self, limit: Duration) -> StreamLimits {
        self.first = Some(limit);
        self
    }

    /// Limits the wait for each further item, from when it is asked for.
    #[must_use]
    pub const fn idle(mut self, limit: Duration) -> StreamLimits {
        self.idle = Some(limit);
        self
    }

    /// Limits the whole, from the start of the call.
    #[must_use]
    pub const fn total(mut self, limit: Duration) -> StreamLimits {
        self.total = Some(limit);
        self
    }

    /// Returns the limit that comes first for an item that has been waited for since `asked`, and when.
    fn next(&self, has_items: bool, asked: Instant) -> Option<(Instant, Duration)> {
        let first = self.first.filter(|_| !has_items);
        let idle = self.idle.filter(|_| has_items);
        let at = |from: Instant, limit: Duration| Some((from.checked_add(limit)?, limit));
        let limits = [
            first.and_then(|limit| at(self.start, limit)),
            idle.and_then(|limit| at(asked, limit)),
            self.total.and_then(|limit| at(self.start, limit)),
        ];
        limits.into_iter().flatten().min_by_key(|(when, _)| *when)
    }

    /// Returns the limit that has passed at an item that has come; only that of the whole does.
    fn passed(&self) -> Option<Duration> {
        self.total.filter(|total| self.start.elapsed() >= *total)
    }
}

pin_project! {
    /// A stream that yields one error at a limit and ends there. What it holds is released before.
    #[must_use = "streams do nothing unless polled"]
    pub struct LimitedStream<S, M> {
        #[pin]
        stream: Option<S>,
        make: Option<M>,
        limits: StreamLimits,
        has_items: bool,
        // Since when an item has been waited for.
        asked: Option<Instant>,
        deadline: Option<Deadline>,
    }
}

impl<S, M> LimitedStream<S, M>
where
    S: Stream,
    M: FnOnce(Elapsed) -> S::Item,
{
    /// Limits `stream`; `make` makes the item that says that a limit was reached.
    pub fn new(limits: StreamLimits, stream: S, make: M) -> LimitedStream<S, M> {
        LimitedStream {
            stream: Some(stream),
            make: Some(make),
            limits,
            has_items: false,
            asked: None,
            deadline: None,
        }
    }
}

impl<S, M> Stream for LimitedStream<S, M>
where
    S: Stream,
    M: FnOnce(Elapsed) -> S::Item,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        limit::forget_reached();
        let reached = match stream.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                (*this.has_items, *this.asked, *this.deadline) = (true, None, None);
                match this.limits.passed() {
                    None => return Poll::Ready(Some(item)),
                    reached => reached,
                }
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                let now = Instant::now();
                let asked = *this.asked.get_or_insert(now);
                match this.limits.next(*this.has_items, asked) {
                    Some((when, limit)) if when <= now => Some(limit),
                    Some((when, _)) => {
                        if !this.deadline.as_ref().is_some_and(|d| d.wakes(cx.waker())) {
                            *this.deadline = Deadline::new(when, cx.waker());
                        }
                        None
                    }
                    None => None,
                }
            }
        };
        let (Some(limit), Some(make)) = (reached, reached.and_then(|_| this.make.take())) else {
            return Poll::Pending;
        };
        *this.deadline = None;
        this.stream.set(None);
        let item = make(Elapsed::of(limit));
        limit::set_reached(limit);
        Poll::Ready(Some(item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // A limit may take the place of all that is left, and adds an item.
        let stream = self.stream.as_ref();
        let most = stream.map_or(Some(0), |stream| stream.size_hint().1?.checked_add(1));
        (0, most)
    }
}

impl<S, M> FusedStream for LimitedStream<S, M>
where
    S: FusedStream,
    M: FnOnce(Elapsed) -> S::Item,
{
    fn is_terminated(&self) -> bool {
        self.stream.as_ref().is_none_or(FusedStream::is_terminated)
    }
}
