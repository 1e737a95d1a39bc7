//! From what is due to parcels in the outbox.

use super::{Channel, Notice, Parcel, Policy, Shared, Status, now_micros, state};
use crate::outbox;

impl Shared {
    /// Puts the messages into the outbox, then saves what was told: the other way round, a
    /// crash between the two would lose a message instead of repeating it.
    pub(super) fn send(&self, due: Vec<(String, Notice)>, closing: bool, policy: &mut Policy) {
        for (name, notice) in due {
            let Some(channel) = self.channels.get(&name) else {
                // Of an incident that began under an earlier configuration.
                self.unrouted.add(1);
                continue;
            };
            if self.says_nothing_new(&**channel, &notice) {
                continue;
            }
            match self.parcel(&**channel, notice) {
                Some(parcel) => self.outbox.put(parcel),
                None => self.panicked.add(1),
            }
        }
        if policy.take_changed() || closing {
            state::save(&self.outbox, policy);
        }
    }

    /// Returns a message to try a channel with.
    pub(super) fn test_parcel(&self, channel: &str) -> Option<Parcel> {
        let channel = self.channels.get(channel)?;
        self.parcel(&**channel, Notice::test(now_micros()))
    }

    /// A channel that is told every minute of what goes on needs no hour of that at once when it
    /// can be reached again: the next minute's is as good.
    fn says_nothing_new(&self, channel: &dyn Channel, notice: &Notice) -> bool {
        notice.status == Status::StillFiring
            && notice.risen_from.is_none()
            && channel.refresh().is_some()
            && self.outbox.waits_for(channel.name(), &notice.key)
    }

    /// Returns the message as `channel` sends it; `None` when it panics over it.
    fn parcel(&self, channel: &dyn Channel, notice: Notice) -> Option<Parcel> {
        let notice = self.complete(notice);
        let Some(body) = outbox::caught(|| channel.encode(&notice)) else {
            tracing::error!(target: "llm_observe::outbox", destination = channel.name(), "a channel panicked over an alert, which is lost");
            return None;
        };
        // Never empty: what has a key is an alert to the outbox, written through to the disk.
        let key = match notice.key.as_str() {
            "" => "digest",
            key => key,
        };
        let parcel = Parcel::new(channel.name(), body);
        Some(parcel.key(key).severity(notice.severity))
    }

    /// Adds what is the same for every message of this process, and what the event's table says.
    fn complete(&self, notice: Notice) -> Notice {
        Notice {
            service: self.origin.service.clone(),
            environment: self.origin.environment.clone(),
            host: self.origin.host.clone(),
            runbook: self.routes.runbook(&notice.event),
            ..self.links.add(notice)
        }
    }
}
