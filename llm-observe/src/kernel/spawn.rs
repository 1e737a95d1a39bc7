//! Spawns work on tokio that belongs to the current call. Knows tokio, and no other file does for this.

use std::future::Future;

use tokio::task::JoinHandle;

use super::{current::current, propagation::in_current_call};

/// Spawns a future on tokio, as `tokio::spawn` does, with the current call, request and context taken
/// along.
///
/// ```
/// use llm_observe::{observe, testing};
///
/// #[observe]
/// async fn embed(text: String) -> usize {
///     text.len()
/// }
///
/// #[observe]
/// async fn answer(question: String) -> usize {
///     llm_observe::spawn(embed(question)).await.unwrap_or_default()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let observer = testing::observe();
/// assert_eq!(answer("why?".to_owned()).await, 4);
/// let (embed, answer) = (&observer.calls()[0], &observer.calls()[1]);
/// assert_eq!(embed.trace_id, answer.trace_id);
/// assert_eq!(embed.parent_id, answer.span_id);
/// # }
/// ```
///
/// The same as `tokio::spawn(llm_observe::in_current_call(future))`. The task may outlive the call: its
/// calls then end after their parent.
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::spawn` does.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(in_current_call(future))
}

/// Runs a closure on tokio's threads for blocking work, as `tokio::task::spawn_blocking` does, with the
/// current call, request and context taken along: see [`spawn`].
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::task::spawn_blocking` does.
#[track_caller]
pub fn spawn_blocking<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(current().wrap(f))
}
