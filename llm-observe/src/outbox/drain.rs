//! The tasks of the thread that delivers: for each destination, one parcel after the other; and at
//! intervals a search for expired parcels and for those of dead processes.

use std::{sync::Arc, time::Duration};

use super::{
    attempt::attempt,
    delivery::Delivery,
    destination::{Destination, LossReason},
    destination_queue::Availability,
    guard::caught,
    queue::NextDelivery,
    state::DeliveryState,
    time::steady_micros,
};

/// Delivers to all destinations until [`DeliveryState::stop`] is notified.
pub(super) async fn run(state: Arc<DeliveryState>) {
    for destination in &state.destinations {
        let concurrency = caught(|| destination.concurrency()).unwrap_or(1);
        for _ in 0..concurrency.max(1) {
            tokio::spawn(drain(state.clone(), destination.clone()));
        }
    }
    let stopped = state.stop.notified();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(state.options.upkeep) => {
                // Reads files: not between the deliveries.
                let work = state.clone();
                drop(tokio::task::spawn_blocking(move || work.adopt()));
            }
        }
    }
}

/// Delivers to one destination, for as long as the runtime lives.
async fn drain(state: Arc<DeliveryState>, destination: Arc<dyn Destination>) {
    let Some(wake) = state.wakes.get(destination.name()) else {
        return;
    };
    loop {
        let next = state.queue().next(destination.name(), steady_micros());
        match next {
            NextDelivery::Deliver(id) => deliver(&state, &*destination, id).await,
            NextDelivery::Idle => wake.notified().await,
            NextDelivery::Wait(until) => {
                let wait = Duration::from_micros(until.saturating_sub(steady_micros()));
                // Woken early or in time: either way it looks again.
                let _ = tokio::time::timeout(wait, wake.notified()).await;
            }
        }
    }
}

async fn deliver(state: &DeliveryState, destination: &dyn Destination, id: u64) {
    let stored = state.queue().get(id).map(|entry| entry.stored.clone());
    let Some(stored) = stored else { return };
    let Some(parcel) = stored.read() else {
        lost(state, id);
        return;
    };
    let result = attempt(destination, &parcel, state.options.attempt_timeout).await;
    if !matches!(result, Delivery::Retry { .. }) {
        // Before the queue forgets it: whoever waits for the queue may end the process.
        stored.remove();
    }
    let availability = {
        let mut queue = state.queue();
        let (_, availability) = queue.settle(id, &result, steady_micros());
        count(state, destination.name(), &result, &availability);
        availability
    };
    state
        .log
        .attempt(destination.name(), &result, &availability);
    state.settled.notify_all();
}

/// A file that was there and is not any more, or not whole.
fn lost(state: &DeliveryState, id: u64) {
    let corrupt = Delivery::refused("corrupt");
    let (done, _) = state.queue().settle(id, &corrupt, steady_micros());
    let done = done.into_iter().collect();
    state.give_up(done, LossReason::Unreadable);
}

fn count(state: &DeliveryState, name: &str, result: &Delivery, availability: &Availability) {
    state.with_counts(name, |counts| {
        match availability {
            Availability::Down => counts.down.set(1),
            Availability::Up => counts.down.set(0),
            Availability::Unchanged => {}
        }
        match result {
            Delivery::Delivered => {
                counts.delivered.add(1);
                counts.pending.add(-1);
            }
            Delivery::Retry { .. } => counts.retried.add(1),
            Delivery::Refused { .. } => {
                counts.refused.add(1);
                counts.pending.add(-1);
            }
        }
    });
}
