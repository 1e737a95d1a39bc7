//! Functions with `stream`: their calls end with the stream that they return.

use std::{
    cell::Cell,
    future::{pending, ready},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use llm_observe::{Outcome, observe, testing};

type Boxed<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

#[observe(stream)]
fn numbers(n: u32) -> impl Stream<Item = u32> {
    stream::iter(0..n)
}

#[observe(stream)]
async fn words(
    text: &str,
) -> Result<impl Stream<Item = Result<String, io::Error>> + use<'_>, io::Error> {
    if text.is_empty() {
        return Err(io::Error::other("no text"));
    }
    Ok(stream::iter(text.split(' ').map(|word| match word {
        "bad" => Err(io::Error::other("a bad word")),
        word => Ok(word.to_owned()),
    })))
}

#[observe(stream)]
fn boxed(n: u32) -> Boxed<'static, u32> {
    stream::iter(0..n).boxed()
}

#[observe(stream)]
async fn boxed_later<'a>(text: &'a str) -> io::Result<Boxed<'a, &'a str>> {
    Ok(stream::iter(text.split(' ')).boxed())
}

#[observe(stream)]
fn later(n: u32) -> impl Future<Output = io::Result<Boxed<'static, u32>>> {
    ready(Ok(stream::iter(0..n).boxed()))
}

#[observe(stream)]
fn local(n: u32) -> Pin<Box<dyn Stream<Item = u32>>> {
    stream::iter(0..n).boxed_local()
}

#[observe(stream)]
fn of_any<S: Stream>(stream: S) -> impl Stream<Item = S::Item> {
    stream
}

#[observe]
fn work() -> u32 {
    1
}

#[observe(stream)]
fn works() -> impl Stream<Item = u32> {
    stream::repeat_with(work)
}

fn outcome(calls: &[testing::Call]) -> (Outcome, Option<u64>) {
    let last = calls.last().unwrap();
    (last.outcome, last.chunks)
}

#[tokio::test]
async fn a_call_ends_with_its_stream() {
    let seen = testing::observe();
    let stream = numbers(3);
    assert!(seen.calls().is_empty());
    assert_eq!(stream.size_hint(), (3, Some(3)));
    assert_eq!(stream.collect::<Vec<_>>().await, [0, 1, 2]);
    assert_eq!(outcome(&seen.calls()), (Outcome::Ok, Some(3)));
    assert_eq!(boxed(2).collect::<Vec<_>>().await, [0, 1]);
    assert_eq!(outcome(&seen.calls()), (Outcome::Ok, Some(2)));
    let parts: Vec<_> = boxed_later("a b").await.unwrap().collect().await;
    assert_eq!(parts, ["a", "b"]);
    assert_eq!(outcome(&seen.calls()), (Outcome::Ok, Some(2)));
    assert_eq!(later(2).await.unwrap().count().await, 2);
    assert_eq!(local(2).count().await, 2);
    assert_eq!(of_any(stream::iter([1])).count().await, 1);
    assert_eq!(seen.calls().len(), 6);
    assert!(seen.calls().iter().all(|call| call.outcome == Outcome::Ok));
}

#[tokio::test]
async fn an_error_in_the_middle_is_the_calls_and_the_stream_goes_on() {
    let seen = testing::observe();
    let items: Vec<_> = words("a bad c").await.unwrap().collect().await;
    assert_eq!(items.len(), 3);
    assert_eq!(outcome(&seen.calls()), (Outcome::Error, Some(3)));
    assert_eq!(
        seen.calls()[0].error.as_ref().unwrap().message,
        "a bad word"
    );
    // One that is not polled to its end is that error too.
    let mut stream = Box::pin(words("bad c").await.unwrap());
    stream.next().await;
    drop(stream);
    assert_eq!(outcome(&seen.calls()), (Outcome::Error, Some(1)));
    assert!(words("").await.is_err());
    assert_eq!(outcome(&seen.calls()), (Outcome::Error, None));
    assert_eq!(seen.calls().len(), 3);
}

#[tokio::test]
async fn a_stream_that_is_dropped_or_never_polled_is_cancelled() {
    let seen = testing::observe();
    drop(numbers(3));
    assert_eq!(outcome(&seen.calls()), (Outcome::Cancelled, Some(0)));
    let mut stream = numbers(3);
    stream.next().await;
    drop(stream);
    assert_eq!(outcome(&seen.calls()), (Outcome::Cancelled, Some(1)));
    drop(words("a"));
    assert_eq!(
        seen.calls().len(),
        2,
        "a future that is never polled is no call"
    );
}

#[tokio::test]
async fn what_runs_in_it_belongs_to_the_call_on_every_task() {
    let seen = testing::observe();
    let mut stream = Box::pin(works());
    stream.next().await;
    stream.next().await;
    drop(stream);
    let calls = seen.calls();
    let ids = |at: usize| (calls[at].trace_id, calls[at].parent_id);
    assert_eq!(ids(0), (calls[2].trace_id, calls[2].span_id));
    assert_eq!(ids(0), ids(1));
}

#[tokio::test]
async fn a_stream_polled_after_its_end_is_recorded_once() {
    let seen = testing::observe();
    let mut stream = numbers(1).fuse();
    while stream.next().await.is_some() {}
    assert_eq!(stream.next().await, None);
    let mut stream = numbers(0);
    for _ in 0..3 {
        assert_eq!(stream.next().await, None);
    }
    assert_eq!(seen.calls().len(), 2);
}

struct Panics;
impl Stream for Panics {
    type Item = u32;
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u32>> {
        panic!("in a poll")
    }
}

#[observe(stream)]
fn panics() -> impl Stream<Item = u32> {
    Panics
}

#[tokio::test]
async fn a_panic_in_a_poll_ends_the_call() {
    let seen = testing::observe();
    let mut stream = panics();
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let waker = std::task::Waker::noop();
        let _ = stream.poll_next_unpin(&mut Context::from_waker(waker));
    }));
    assert!(polled.is_err());
    assert_eq!(outcome(&seen.calls()).0, Outcome::Panic);
}

#[observe(stream, timeout(first = "20ms", idle = "20ms", total = "10s"))]
async fn slow(first: u64, next: u64) -> io::Result<impl Stream<Item = io::Result<u32>>> {
    Ok(stream::unfold(0, move |n| async move {
        let wait = if n == 0 { first } else { next };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Some((Ok(n), n + 1))
    }))
}

#[observe(stream, timeout(total = "20ms"))]
async fn never() -> io::Result<Boxed<'static, io::Result<u32>>> {
    pending().await
}

#[observe(stream, timeout(total = "20ms"))]
fn endless() -> impl Stream<Item = io::Result<u32>> {
    stream::repeat_with(|| Ok(1))
}

#[tokio::test]
async fn limits_yield_one_error_and_end_the_stream_with_and_without_an_observer() {
    let kinds = |items: &[io::Result<u32>]| -> Vec<Option<io::ErrorKind>> {
        items
            .iter()
            .map(|item| item.as_ref().err().map(io::Error::kind))
            .collect()
    };
    for observed in [true, false] {
        let seen = observed.then(testing::observe);
        let last = |chunks| {
            if let Some(seen) = &seen {
                assert_eq!(outcome(&seen.calls()), (Outcome::Timeout, chunks));
            }
        };
        let timeout = Some(io::ErrorKind::TimedOut);
        let items: Vec<_> = slow(60_000, 0).await.unwrap().collect().await;
        assert_eq!(kinds(&items), [timeout]);
        last(Some(1));
        let items: Vec<_> = slow(0, 60_000).await.unwrap().collect().await;
        assert_eq!(kinds(&items), [None, timeout]);
        last(Some(2));
        assert_eq!(never().await.err().map(|e| e.kind()), timeout);
        last(None);
        let items: Vec<_> = endless().collect().await;
        assert_eq!(kinds(&items).pop(), Some(timeout));
        if let Some(seen) = &seen {
            assert_eq!(outcome(&seen.calls()).0, Outcome::Timeout);
        }
    }
}

#[tokio::test]
async fn a_stream_moves_between_tasks_and_stays_its_call() {
    let seen = testing::observe();
    let mut stream = Box::pin(works());
    stream.next().await;
    let stream = tokio::spawn(async move {
        stream.next().await;
        stream
    });
    drop(stream.await.unwrap());
    let calls = seen.calls();
    let call = calls.last().unwrap();
    assert_eq!((call.outcome, call.chunks), (Outcome::Cancelled, Some(2)));
}

#[observe(stream, timeout(first = "1m"))]
async fn boxed_for_a_task(text: &str) -> io::Result<Boxed<'static, io::Result<u32>>> {
    tokio::task::yield_now().await;
    Ok(Box::pin(stream::iter([Ok(text.len() as u32)])))
}

#[observe(timeout = "1m")]
async fn made_for_a_task(text: &str) -> io::Result<Boxed<'static, io::Result<u32>>> {
    boxed_for_a_task(text).await
}

/// `Send` is decided with lifetimes erased: the closure of a limit must not return a boxed stream.
#[tokio::test]
async fn limited_functions_of_boxed_streams_run_in_tasks() {
    let work = async |text: String| made_for_a_task(&text).await.unwrap().count().await;
    let items = tokio::spawn(work("abc".to_owned())).await.unwrap();
    assert_eq!(items, 1);
}

#[test]
fn without_an_observer_items_pass_through() {
    thread_local!(static POLLS: Cell<u32> = const { Cell::new(0) });
    let items = std::iter::repeat_with(|| POLLS.set(POLLS.get() + 1)).take(3);
    let stream = of_any(stream::iter(items));
    let collected = futures_util::FutureExt::now_or_never(stream.collect::<Vec<_>>());
    assert_eq!(collected.unwrap().len(), 3);
    assert_eq!(POLLS.get(), 3);
}
