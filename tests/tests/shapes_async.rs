//! Every shape of async function: it compiles, does what it did, its call is seen, and it ends
//! when its future does.

#![allow(unsafe_code, reason = "unsafe functions are shapes, too")]

use std::{
    cell::RefCell,
    fmt::{Debug, Display},
    future::Future,
    mem::size_of_val,
    panic::AssertUnwindSafe,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use llm_observe::{Elapsed, Outcome, observe, testing};
use tokio::task::yield_now;

/// Runs `future` and returns its output, the outcome of its one call, and the call's function.
async fn one<F: Future>(future: F) -> (F::Output, Outcome, &'static str) {
    let seen = testing::observe();
    let value = future.await;
    let calls = seen.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    (value, calls[0].outcome, calls[0].function())
}

#[derive(Debug, PartialEq)]
enum Refused {
    Elapsed(Duration),
    Busy,
}

impl From<Elapsed> for Refused {
    fn from(elapsed: Elapsed) -> Refused {
        Refused::Elapsed(elapsed.limit())
    }
}

#[observe]
async fn plain(n: u8) -> u8 {
    if n == 0 {
        return 7;
    }
    yield_now().await;
    n
}

#[observe]
async fn unit() {}

#[observe]
async fn question_mark(text: &str) -> Result<u8, std::num::ParseIntError> {
    yield_now().await;
    let n = text.parse()?;
    Ok(n)
}

#[observe]
async fn generic<'a, T: PartialEq + Sync, const N: usize>(
    all: &'a [T; N],
    wanted: &T,
) -> Option<&'a T> {
    yield_now().await;
    all.iter().find(|t| *t == wanted)
}

#[observe]
async fn impl_in_and_out(n: impl Into<u64>, text: &str) -> impl Iterator<Item = String> {
    let n = n.into();
    yield_now().await;
    (0..n).map(move |x| format!("{text}{x}"))
}

#[observe]
async fn two_lifetimes<'a, 'b>(left: &'a str, right: &'b str) -> (&'a str, &'b str) {
    yield_now().await;
    (left, right)
}

#[observe]
async fn mut_in_mut_out<'a>(all: &'a mut Vec<u8>, by: &mut u8) -> &'a mut u8 {
    *by += 1;
    yield_now().await;
    all.push(*by);
    all.last_mut().unwrap()
}

#[observe]
async fn reassigned(mut text: &str) -> usize {
    let local = text.to_uppercase();
    text = &local;
    yield_now().await;
    text.len()
}

#[observe(args)]
async fn destructured((a, [b, ..]): (u8, [u8; 3]), _: String, #[cfg(any())] c: Missing) -> u8 {
    yield_now().await;
    a + b
}

#[observe]
async fn not_send(n: Rc<RefCell<u8>>) -> u8 {
    yield_now().await;
    *n.borrow()
}

#[observe]
async fn handler(text: String) -> Result<String, Refused> {
    yield_now().await;
    Ok(text)
}

fn takes_handler<F, Fut>(f: F) -> Pin<Box<dyn Future<Output = Result<String, Refused>> + Send>>
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = Result<String, Refused>> + Send + 'static,
{
    Box::pin(f("x".to_owned()))
}

#[observe]
async fn recursive(n: u8) -> u8 {
    if n == 0 {
        0
    } else {
        1 + Box::pin(recursive(n - 1)).await
    }
}

#[observe]
async fn never(fail: bool) -> ! {
    if fail {
        panic!("never returns");
    }
    std::future::pending::<()>().await;
    unreachable!()
}

#[observe]
async unsafe fn dangerous(n: u8) -> u8 {
    yield_now().await;
    n
}

#[observe(timeout = "20ms")]
async fn limited(hang: bool) -> Result<u8, Refused> {
    if hang {
        std::future::pending::<()>().await;
    }
    Ok(1)
}

#[observe]
#[must_use]
async fn must_use() -> u8 {
    1
}

macro_rules! made {
    ($name:ident, $arg:ident: $ty:ty => $body:block) => {
        #[observe(args)]
        async fn $name($arg: $ty) -> $ty $body
    };
}
made!(made_by_macro, n: u8 => { yield_now().await; n + 1 });

struct Store {
    all: Vec<String>,
}

impl Store {
    #[observe(fields(count = self.all.len()))]
    async fn push(&mut self, text: impl Display + Send) -> &mut String {
        yield_now().await;
        self.all.push(text.to_string());
        self.all.last_mut().unwrap()
    }

    #[observe]
    async fn shared(self: Arc<Self>) -> usize {
        yield_now().await;
        self.all.len()
    }

    #[observe]
    async fn pinned(self: Pin<&mut Self>, text: &str) -> usize {
        yield_now().await;
        self.get_mut().all.push(text.to_owned());
        1
    }

    #[observe]
    async fn consumed(mut self) -> Vec<String> {
        yield_now().await;
        self.all.push("last".to_owned());
        self.all
    }
}

trait Search {
    async fn search(&self, text: &str) -> Result<usize, Refused>;

    #[observe]
    async fn by_default(&self) -> String
    where
        Self: Debug,
    {
        format!("{:?} {:?}", self, self.search("x").await)
    }
}

impl Search for u8 {
    #[observe]
    async fn search(&self, text: &str) -> Result<usize, Refused> {
        yield_now().await;
        Ok(text.len() + usize::from(*self))
    }
}

#[async_trait::async_trait]
trait Dynamic {
    async fn above(&self, text: &str) -> Result<usize, Refused>;
    async fn on_method(&mut self, text: &str, n: usize) -> Result<usize, Refused>;
    #[observe]
    async fn by_default(&self) -> usize {
        yield_now().await;
        3
    }
}

#[observe]
#[async_trait::async_trait]
impl Dynamic for u8 {
    async fn above(&self, text: &str) -> Result<usize, Refused> {
        yield_now().await;
        Ok(text.len() + usize::from(*self))
    }

    async fn on_method(&mut self, _: &str, _: usize) -> Result<usize, Refused> {
        Err(Refused::Busy)
    }
}

#[async_trait::async_trait]
#[observe]
impl Dynamic for u16 {
    async fn above(&self, text: &str) -> Result<usize, Refused> {
        yield_now().await;
        Ok(text.len())
    }

    async fn on_method(&mut self, _: &str, _: usize) -> Result<usize, Refused> {
        Err(Refused::Busy)
    }
}

#[async_trait::async_trait]
impl Dynamic for String {
    #[observe(fields(n = text.len()), args(text))]
    async fn above(&self, text: &str) -> Result<usize, Refused> {
        let n = text.len();
        yield_now().await;
        Ok(n)
    }

    #[observe(args(n), fields(len = self.len()), timeout = "20ms")]
    async fn on_method(&mut self, text: &str, n: usize) -> Result<usize, Refused> {
        self.push_str(text);
        std::future::pending::<()>().await;
        Ok(n)
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn functions_return_what_they_did() {
    assert_eq!(one(plain(0)).await, (7, Outcome::Ok, "shapes_async::plain"));
    assert_eq!(one(is_send(plain(3))).await.0, 3);
    one(is_send(unit())).await;
    assert_eq!(one(question_mark("8")).await.0, Ok(8));
    assert_eq!(one(question_mark("x")).await.1, Outcome::Error);
    assert_eq!(one(generic(&[1, 2, 3], &2)).await.0, Some(&2));
    assert_eq!(
        one(impl_in_and_out(2_u8, "n")).await.0.collect::<String>(),
        "n0n1"
    );
    assert_eq!(one(two_lifetimes("a", "b")).await.0, ("a", "b"));
    assert_eq!(one(mut_in_mut_out(&mut vec![], &mut 4)).await.0, &mut 5);
    assert_eq!(one(reassigned("abc")).await.0, 3);
    assert_eq!(one(destructured((1, [2, 3, 4]), String::new())).await.0, 3);
    assert_eq!(one(not_send(Rc::new(RefCell::new(4)))).await.0, 4);
    assert_eq!(one(takes_handler(handler)).await.0, Ok("x".to_owned()));
    assert_eq!(one(made_by_macro(1)).await.0, 2);
    assert_eq!(one(must_use()).await.0, 1);
}

#[tokio::test]
async fn methods_return_what_they_did() {
    let mut store = Store { all: vec![] };
    assert_eq!(
        one(is_send(store.push(12))).await.2,
        "shapes_async::Store::push"
    );
    assert_eq!(one(Pin::new(&mut store).pinned("y")).await.0, 1);
    assert_eq!(one(store.consumed()).await.0.len(), 3);
    assert_eq!(one(Arc::new(Store { all: vec![] }).shared()).await.0, 0);
    let seen = testing::observe();
    assert_eq!(5_u8.by_default_search().await, "5 Ok(6)");
    assert_eq!(seen.calls().len(), 2);
}

trait BySearch: Search + Debug + Sized {
    async fn by_default_search(&self) -> String {
        Search::by_default(self).await
    }
}
impl BySearch for u8 {}

#[tokio::test]
async fn async_trait_above_and_below() {
    let mut text = "abc".to_owned();
    assert_eq!(
        one(is_send(1_u8.above("ab"))).await,
        (Ok(3), Outcome::Ok, "u8::above")
    );
    assert_eq!(one(1_u8.on_method("ab", 1)).await.1, Outcome::Error);
    assert_eq!(one(1_u16.above("ab")).await.0, Ok(2));
    assert_eq!(one(1_u16.on_method("ab", 1)).await.1, Outcome::Error);
    assert_eq!(one(text.above("ab")).await.0, Ok(2));
    let (result, outcome, _) = one(text.on_method("d", 4)).await;
    assert_eq!(
        (result, outcome),
        (
            Err(Refused::Elapsed(Duration::from_millis(20))),
            Outcome::Timeout
        )
    );
    assert_eq!(text, "abcd");
    assert_eq!(one(Dynamic::by_default(&text)).await.0, 3);
}

#[tokio::test]
async fn a_call_lasts_from_the_first_poll_to_the_end() {
    let seen = testing::observe();
    let future = plain(1);
    let pause = Duration::from_millis(30);
    tokio::time::sleep(pause).await;
    assert!(seen.calls().is_empty());
    future.await;
    let calls = seen.calls();
    assert_eq!(calls.len(), 1);
    assert!(calls[0].duration < pause, "{:?}", calls[0].duration);
    drop(plain(1));
    assert_eq!(
        seen.calls().len(),
        1,
        "a future that was never polled is no call"
    );
}

#[tokio::test]
async fn never_ends_by_panic_or_by_being_dropped() {
    let seen = testing::observe();
    assert!(AssertUnwindSafe(never(true)).catch_unwind().await.is_err());
    assert!(
        tokio::time::timeout(Duration::from_millis(1), never(false))
            .await
            .is_err()
    );
    let outcomes: Vec<_> = seen.calls().iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Panic, Outcome::Cancelled]);
}

#[tokio::test]
async fn a_timeout_drops_the_call_and_returns_an_error() {
    let (result, outcome, _) = one(limited(true)).await;
    assert_eq!(result, Err(Refused::Elapsed(Duration::from_millis(20))));
    assert_eq!(outcome, Outcome::Timeout);
    assert_eq!(one(limited(false)).await.1, Outcome::Ok);
}

#[tokio::test]
async fn recursion_is_one_call_each() {
    let seen = testing::observe();
    assert_eq!(recursive(3).await, 3);
    // SAFETY: it is only called unsafe.
    assert_eq!(unsafe { dangerous(1) }.await, 1);
    assert_eq!(seen.calls().len(), 5);
}

mod sizes {
    //! Four functions deep, with an argument of 256 bytes: annotated and not.

    use super::*;

    macro_rules! four_deep {
        ($(#[$attr:meta])?) => {
            $(#[$attr])?
            pub(crate) async fn first(n: [u8; 256]) -> u8 {
                second(n).await
            }
            $(#[$attr])?
            async fn second(n: [u8; 256]) -> u8 {
                third(n).await
            }
            $(#[$attr])?
            async fn third(n: [u8; 256]) -> u8 {
                fourth(n).await
            }
            $(#[$attr])?
            async fn fourth(n: [u8; 256]) -> u8 {
                yield_now().await;
                n[0]
            }
        };
    }

    pub(super) mod annotated {
        use super::*;
        four_deep!(#[observe]);
    }
    pub(super) mod plain {
        use super::*;
        four_deep!();
    }
}

#[test]
fn an_annotated_future_is_no_larger() {
    let annotated = size_of_val(&sizes::annotated::first([0; 256]));
    let plain = size_of_val(&sizes::plain::first([0; 256]));
    println!("four deep, 256 bytes: {annotated} annotated, {plain} plain");
    assert!(annotated <= plain, "{annotated} > {plain}");
}
