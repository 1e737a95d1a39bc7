//! Boxed futures by any name: what a type is called decides nothing.

use std::{future::ready, pin::Pin, sync::Arc};

use llm_observe::{Outcome, observe, testing};
use llm_observe_tests::calls::one_when_awaited as one;
use tokio::task::yield_now;

type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Local<T> = Pin<Box<dyn Future<Output = T>>>;
type Everywhere<T> = Pin<Box<dyn Future<Output = T> + Send + Sync>>;

/// As tower has it: what it makes is a `Result`.
mod tower_like {
    use super::*;

    pub(super) type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;
}

/// Called like a future, and none.
mod no_future {
    #[derive(Debug, PartialEq)]
    pub(super) struct BoxFuture<T>(pub(super) T);
    pub(super) struct Pin<T>(pub(super) T);
}

#[observe]
fn boxed<U: Send + 'static, E: Send + 'static>(
    answer: Result<U, E>,
) -> tower_like::BoxFuture<U, E> {
    let ready = ready(answer);
    Box::pin(async move {
        yield_now().await;
        ready.await
    })
}

#[observe]
fn in_its_box<U: Send + 'static, E: Send + 'static>(
    answer: Result<U, E>,
) -> tower_like::BoxFuture<U, E> {
    Box::pin(async move {
        yield_now().await;
        let answer = answer?;
        Ok(answer)
    })
}

#[observe]
fn no_future(n: u8) -> no_future::BoxFuture<u8> {
    no_future::BoxFuture(n)
}

#[observe]
fn no_pin(n: u8) -> no_future::Pin<u8> {
    no_future::Pin(n)
}

#[observe]
fn alias<'a>(text: &'a str, fail: bool) -> Fut<'a, Result<&'a str, String>> {
    let text = text.trim();
    Box::pin(async move {
        yield_now().await;
        if fail { Err(text.to_owned()) } else { Ok(text) }
    })
}

#[observe]
fn local(n: Arc<u8>) -> Local<u8> {
    if *n > 9 {
        return Box::pin(ready(9));
    }
    Box::pin(async move { *n })
}

#[observe]
fn everywhere() -> Everywhere<Option<u8>> {
    let n = 1;
    Box::pin(async move { Some(n) })
}

#[observe(timeout = "10ms")]
fn limited(
    hang: bool,
) -> futures_util::future::BoxFuture<'static, Result<u8, llm_observe::Elapsed>> {
    let hang = hang;
    Box::pin(async move {
        if hang {
            std::future::pending::<()>().await;
        }
        Ok(1)
    })
}

trait Service<T> {
    type Future: Future;

    fn call(&mut self, request: T) -> Self::Future;
}

struct Echo;

#[observe]
impl<T: Send + 'static> Service<T> for Echo {
    type Future = tower_like::BoxFuture<T, String>;

    fn call(&mut self, request: T) -> Self::Future {
        let response = Ok(request);
        Box::pin(async move { response })
    }
}

/// Hands the future of another service on: what it is only its caller knows.
struct Outer<S>(S);

#[observe]
impl<T, S: Service<T>> Service<T> for Outer<S> {
    type Future = S::Future;

    fn call(&mut self, request: T) -> Self::Future {
        self.0.call(request)
    }
}

/// As tower's `BoxService`: nothing says how long `U` and `E` live.
struct Boxed<T, U, E>(Box<dyn FnMut(T) -> tower_like::BoxFuture<U, E>>);

#[observe]
impl<T, U, E> Boxed<T, U, E> {
    fn call(&mut self, request: T) -> tower_like::BoxFuture<U, E> {
        (self.0)(request)
    }
}

#[tokio::test]
async fn they_end_when_they_are_done() {
    assert_eq!(one(|| boxed::<_, u8>(Ok(1))).await, (Ok(1), Outcome::Ok));
    assert_eq!(one(|| boxed::<u8, _>(Err("x"))).await.1, Outcome::Error);
    assert_eq!(
        one(|| in_its_box::<u8, _>(Err("x"))).await.1,
        Outcome::Error
    );
    assert_eq!(one(|| alias(" a ", false)).await, (Ok("a"), Outcome::Ok));
    assert_eq!(one(|| alias(" a ", true)).await.1, Outcome::Error);
    assert_eq!(one(|| local(Arc::new(3))).await.0, 3);
    assert_eq!(one(|| local(Arc::new(10))).await.0, 9);
    assert_eq!(one(everywhere).await.0, Some(1));
    assert_eq!(one(|| Echo.call(1)).await, (Ok(1), Outcome::Ok));
    let mut boxed = Boxed(Box::new(|n: u8| {
        Box::pin(ready(n.checked_sub(1).ok_or("0")))
    }));
    assert_eq!(one(|| boxed.call(3)).await, (Ok(2), Outcome::Ok));
    assert_eq!(one(|| boxed.call(0)).await, (Err("0"), Outcome::Error));
    assert_eq!(one(|| limited(false)).await, (Ok(1), Outcome::Ok));
    assert_eq!(one(|| limited(true)).await.1, Outcome::Timeout);
}

#[test]
fn what_is_only_called_like_one_ends_when_it_is_returned() {
    let seen = testing::observe();
    assert_eq!(no_future(1), no_future::BoxFuture(1));
    assert_eq!(no_pin(1).0, 1);
    assert_eq!(seen.calls().len(), 2);
}

#[tokio::test]
async fn a_future_of_unknown_type_is_handed_on() {
    let seen = testing::observe();
    let future = Outer(Echo).call(1);
    assert_eq!(seen.calls().len(), 1);
    assert_eq!(future.await, Ok(1));
    let calls = seen.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].parent_id, calls[0].span_id);
}

#[tokio::test]
async fn dropped_before_its_end_it_is_cancelled() {
    let seen = testing::observe();
    drop(alias("a", false));
    assert_eq!(seen.calls()[0].outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn without_an_observer_it_is_as_it_was() {
    assert_eq!(alias("a", false).await, Ok("a"));
}
