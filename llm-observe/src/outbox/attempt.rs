//! One attempt to deliver, with a timeout and a guard against panics of the destination.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use super::{delivery::Delivery, destination::Destination, parcel::Parcel};

/// Tries once, within `limit`. A panic of a user's destination counts as a refusal.
pub(super) async fn attempt(
    destination: &dyn Destination,
    parcel: &Parcel,
    limit: Duration,
) -> Delivery {
    let caught = poll_caught(async { destination.deliver(parcel).await });
    match tokio::time::timeout(limit, caught).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Delivery::refused("its `deliver` panicked"),
        Err(_) => Delivery::retry(format!("no answer within {limit:?}")),
    }
}

async fn poll_caught<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // A future that has panicked is not polled again.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}
