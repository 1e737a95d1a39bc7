//! From notices to parcels.

use std::{collections::BTreeMap, sync::Arc};

use super::{channel::Channel, links::AlertLinks, notice::Notice, routes::AlertRoutes};
use crate::{
    outbox::{Parcel, caught, now_micros, origin::Origin},
    redact::Redactor,
};

/// Completes notices and has channels encode them.
pub(super) struct ParcelEncoder {
    pub(super) channels: BTreeMap<String, Arc<dyn Channel>>,
    pub(super) origin: Origin,
    pub(super) links: AlertLinks,
    pub(super) routes: Arc<AlertRoutes>,
    pub(super) redactor: Arc<Redactor>,
}

impl ParcelEncoder {
    /// Returns the channel of that name.
    pub(super) fn channel(&self, name: &str) -> Option<&Arc<dyn Channel>> {
        self.channels.get(name)
    }

    /// Returns a message to test a channel with.
    pub(super) fn test_parcel(&self, channel: &str) -> Option<Parcel> {
        self.parcel(&**self.channel(channel)?, Notice::test(now_micros()))
    }

    /// Returns the message as `channel` sends it; `None` when its encoder panics.
    pub(super) fn parcel(&self, channel: &dyn Channel, notice: Notice) -> Option<Parcel> {
        let notice = self.redactor.redacted(self.complete(notice));
        let Some(body) = caught(|| channel.encode(&notice)) else {
            tracing::error!(target: "llm_observe::outbox", destination = channel.name(), "a channel panicked over an alert, which is lost");
            return None;
        };
        // Never empty: the outbox syncs parcels with a key to the disk.
        let key = match notice.key.as_str() {
            "" => "digest",
            key => key,
        };
        let parcel = Parcel::new(channel.name(), body);
        Some(parcel.key(key).severity(notice.severity))
    }

    /// Adds what is the same for every message of this process, and what the event's table has.
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
