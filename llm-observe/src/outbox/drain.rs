//! The tasks of the thread that delivers: for each destination, one parcel after the other; and now
//! and then a look at what is too old, and what others left.

use std::{sync::Arc, time::Duration};

use super::{
    Delivery, Destination, Lost,
    attempt::attempt,
    queue::{Next, Turn},
    steady_micros,
    worker::Shared,
};

impl Shared {
    pub(super) async fn run(self: Arc<Shared>) {
        for destination in &self.destinations {
            for _ in 0..destination.concurrency().max(1) {
                tokio::spawn(self.clone().drain(destination.clone()));
            }
        }
        let stopped = self.stop.notified();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(self.settings.upkeep) => {
                    // Reads files: not between the deliveries.
                    let work = self.clone();
                    drop(tokio::task::spawn_blocking(move || work.adopt()));
                }
            }
        }
    }

    /// Delivers to one destination, for as long as the runtime lives.
    async fn drain(self: Arc<Shared>, destination: Arc<dyn Destination>) {
        let Some(wake) = self.wakes.get(destination.name()) else {
            return;
        };
        loop {
            let next = self.queue().next(destination.name(), steady_micros());
            match next {
                Next::Deliver(id) => self.deliver(&*destination, id).await,
                Next::Idle => wake.notified().await,
                Next::Wait(until) => {
                    let wait = Duration::from_micros(until.saturating_sub(steady_micros()));
                    // Woken early or in time: either way it looks again.
                    let _ = tokio::time::timeout(wait, wake.notified()).await;
                }
            }
        }
    }

    async fn deliver(&self, destination: &dyn Destination, id: u64) {
        let place = self.queue().get(id).map(|entry| entry.place.clone());
        let Some(place) = place else { return };
        let Some(parcel) = place.read() else {
            self.lost(id);
            return;
        };
        let how = attempt(destination, &parcel, self.settings.attempt).await;
        if !matches!(how, Delivery::Retry { .. }) {
            // Before the queue forgets it: whoever waits for the queue may end the process.
            place.remove();
        }
        let turn = {
            let mut queue = self.queue();
            let (_, turn) = queue.settle(id, &how, steady_micros());
            self.count(destination.name(), &how, &turn);
            turn
        };
        self.told.attempt(destination.name(), &how, &turn);
        self.settled.notify_all();
    }

    /// A file that was there and is not any more, or not whole.
    fn lost(&self, id: u64) {
        let corrupt = Delivery::refused("corrupt");
        let (done, _) = self.queue().settle(id, &corrupt, steady_micros());
        let done = done.into_iter().collect();
        self.give_up(done, Lost::Unreadable);
    }

    fn count(&self, name: &str, how: &Delivery, turn: &Turn) {
        self.with_counts(name, |counts| match turn {
            Turn::Down => counts.down.set(1),
            Turn::Up => counts.down.set(0),
            Turn::Same => {}
        });
        self.with_counts(name, |counts| match how {
            Delivery::Delivered => {
                counts.delivered.add(1);
                counts.pending.add(-1);
            }
            Delivery::Retry { .. } => counts.retried.add(1),
            Delivery::Refused { .. } => {
                counts.refused.add(1);
                counts.pending.add(-1);
            }
        });
    }
}
