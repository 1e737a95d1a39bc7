//! Functions that return a future: the call lasts until the future is done, and no statement
//! before it is lost.

use std::{
    future::{Future, pending, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture, future::Either};
use llm_observe::{Elapsed, Outcome, observe, testing};
use llm_observe_tests::calls::one_when_awaited as one;
use tokio::task::yield_now;

#[observe(args)]
fn plain(n: u8) -> impl Future<Output = u8> {
    async move {
        yield_now().await;
        n
    }
}

#[observe]
fn inferred(fail: bool) -> impl Future<Output = Result<u8, std::io::Error>> + Send {
    async move {
        yield_now().await;
        if fail {
            return Err(std::io::ErrorKind::NotFound.into());
        }
        Ok(1)
    }
}

#[observe]
fn borrows<'a>(text: &'a str) -> impl Future<Output = &'a str> + 'a {
    let trimmed = text.trim();
    async move {
        yield_now().await;
        trimmed
    }
}

#[observe]
fn impl_output(n: u8) -> impl Future<Output = impl Iterator<Item = u8>> {
    async move { 0..n }
}

#[observe]
fn early(now: bool) -> impl Future<Output = u8> {
    if now {
        return Either::Left(ready(1));
    }
    Either::Right(async {
        yield_now().await;
        2
    })
}

#[observe]
fn tail_box(text: &str) -> Pin<Box<dyn Future<Output = usize> + Send + '_>> {
    Box::pin(async move {
        yield_now().await;
        text.len()
    })
}

#[observe(args)]
fn statements_first(text: &str, count: &AtomicU32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    let before = count.fetch_add(1, Ordering::Relaxed);
    let len = u32::try_from(text.len()).unwrap();
    Box::pin(async move {
        yield_now().await;
        before + len
    })
}

#[observe]
fn by_method(n: u8) -> BoxFuture<'static, u8> {
    async move {
        yield_now().await;
        n
    }
    .boxed()
}

#[observe]
fn chosen(which: u8) -> Pin<Box<dyn Future<Output = Result<u8, String>>>> {
    match which {
        0 => Box::pin(ready(Ok(0))),
        1 => Box::pin(async { Err("one".to_owned()) }),
        _ => {
            if which > 10 {
                return Box::pin(pending());
            }
            plain(which).map(Ok).boxed_local()
        }
    }
}

#[observe]
fn panics_before() -> impl Future<Output = u8> {
    assert!(std::hint::black_box(false), "before the future is made");
    ready(1)
}

#[observe(timeout = "20ms")]
fn limited(hang: bool) -> impl Future<Output = Result<u8, Elapsed>> {
    async move {
        if hang {
            pending::<()>().await;
        }
        Ok(1)
    }
}

type Failing = Result<u8, Box<dyn std::error::Error + Send + Sync>>;

#[observe(timeout = "20ms")]
fn limited_box<'a>(hang: &'a bool) -> Pin<Box<dyn Future<Output = Failing> + Send + 'a>> {
    let hang = *hang;
    Box::pin(async move {
        if hang {
            pending::<()>().await;
        }
        Ok(1)
    })
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn calls_last_until_the_future_is_done() {
    assert_eq!(one(|| is_send(plain(3))).await, (3, Outcome::Ok));
    assert_eq!(one(|| is_send(inferred(true))).await.1, Outcome::Error);
    assert_eq!(one(|| inferred(false)).await.0.unwrap(), 1);
    assert_eq!(one(|| borrows(" a ")).await.0, "a");
    assert_eq!(one(|| impl_output(3)).await.0.sum::<u8>(), 3);
    assert_eq!(one(|| early(true)).await.0, 1);
    assert_eq!(one(|| early(false)).await.0, 2);
    assert_eq!(one(|| is_send(tail_box("abc"))).await.0, 3);
    assert_eq!(one(|| is_send(by_method(4))).await.0, 4);
    assert_eq!(one(|| chosen(0)).await, (Ok(0), Outcome::Ok));
    assert_eq!(one(|| chosen(1)).await.1, Outcome::Error);
}

#[tokio::test]
async fn statements_before_the_future_run_when_it_is_made() {
    let seen = testing::observe();
    let count = AtomicU32::new(5);
    let future = statements_first("abc", &count);
    assert_eq!(count.load(Ordering::Relaxed), 6);
    assert_eq!(future.await, 8);
    let fields: Vec<_> = seen.calls()[0]
        .fields
        .iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(fields, ["text", "count"]);
}

#[tokio::test]
async fn a_call_within_is_under_it() {
    let seen = testing::observe();
    assert_eq!(chosen(5).await, Ok(5));
    let calls = seen.calls();
    assert_eq!(calls[0].function(), "shapes_futures::plain");
    assert_eq!(calls[0].parent_id, calls[1].span_id);
}

#[test]
fn a_panic_before_the_future_is_one() {
    let seen = testing::observe();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(panics_before()))).is_err());
    assert_eq!(seen.calls()[0].outcome, Outcome::Panic);
}

#[tokio::test]
async fn dropped_before_its_end_it_is_cancelled() {
    let seen = testing::observe();
    assert!(
        tokio::time::timeout(Duration::from_millis(1), chosen(11))
            .await
            .is_err()
    );
    assert_eq!(seen.calls()[0].outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn timeouts_reach_into_returned_futures() {
    assert_eq!(one(|| limited(true)).await.1, Outcome::Timeout);
    assert_eq!(one(|| limited(false)).await, (Ok(1), Outcome::Ok));
    let (result, outcome) = one(|| limited_box(&true)).await;
    assert_eq!(outcome, Outcome::Timeout);
    assert!(result.unwrap_err().is::<Elapsed>());
}
