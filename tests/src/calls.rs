//! One call, as an observer for tests sees it.

use llm_observe::{Outcome, testing};

/// Makes a future and awaits it. Returns its value, and the outcome of the one call that it was.
///
/// # Panics
///
/// When a call ended before the future was awaited, or there was not exactly one.
pub async fn one_when_awaited<F: Future>(make: impl FnOnce() -> F) -> (F::Output, Outcome) {
    let seen = testing::observe();
    let future = make();
    assert!(seen.calls().is_empty(), "not done when it is made");
    let value = future.await;
    let calls = seen.calls();
    match calls.as_slice() {
        [call] => (value, call.outcome),
        _ => panic!("{calls:?}"),
    }
}
