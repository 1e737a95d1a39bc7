//! The background worker's part of alerts: it gives occurrences to the policy and puts the messages
//! that are due into the outbox.

use std::{sync::Arc, time::Duration};

use super::{
    notice::{Notice, NoticeStatus},
    occurrences::Occurrences,
    parcels::ParcelEncoder,
    policy::IncidentPolicy,
    route::AlertRoute,
    routes::AlertRoutes,
    state,
};
use crate::{
    kernel::{alert_rule::Severity, site::Site, stats::Counter},
    outbox::{
        Outbox,
        background::{BatchHandler, BatchPhase},
        now_micros,
    },
};

/// How often it looks for the state of alerts of processes that died while this one was running.
const ADOPT_INTERVAL: Duration = Duration::from_secs(10);

/// What alerted for the same reason, as it waits for the policy.
pub(super) struct PendingAlert {
    pub(super) source: AlertSource,
    pub(super) occurrences: Occurrences,
}

/// What alerts.
pub(super) enum AlertSource {
    /// Calls of one site.
    Site(&'static Site),
    /// An event whose calls have reached a threshold.
    Event {
        event: String,
        function: String,
        severity: Severity,
    },
}

impl AlertSource {
    fn names(&self) -> (&str, &str) {
        match self {
            AlertSource::Site(site) => (site.event, site.function()),
            AlertSource::Event {
                event, function, ..
            } => (event, function),
        }
    }

    fn routes(&self, routes: &AlertRoutes, occurrences: &Occurrences) -> Vec<AlertRoute> {
        match self {
            AlertSource::Site(site) => routes.of(site, occurrences),
            AlertSource::Event {
                event, severity, ..
            } => vec![routes.of_threshold(event, *severity)],
        }
    }
}

/// What the background worker runs.
pub(super) struct AlertHandler {
    pub(super) policy: IncidentPolicy,
    pub(super) encoder: Arc<ParcelEncoder>,
    pub(super) outbox: Outbox,
    /// Alerts without a channel.
    pub(super) unrouted: Counter,
    /// Messages whose channel panicked.
    pub(super) panicked: Counter,
}

impl BatchHandler for AlertHandler {
    type Item = PendingAlert;

    fn start(&mut self) {
        state::restore(&self.outbox, &mut self.policy, now_micros());
    }

    fn wake(&self) -> Option<u64> {
        self.policy.wake()
    }

    fn interval(&self) -> Option<Duration> {
        self.outbox.orphans().map(|_| ADOPT_INTERVAL)
    }

    fn handle(&mut self, items: Vec<PendingAlert>, phase: BatchPhase) {
        state::adopt(&self.outbox, &mut self.policy, now_micros());
        for pending in &items {
            self.add(pending);
        }
        let now = now_micros();
        let due = match phase.is_flush() {
            true => self.policy.due_now(now),
            false => self.policy.due(now),
        };
        self.send(due, phase);
    }
}

impl AlertHandler {
    fn add(&mut self, pending: &PendingAlert) {
        let PendingAlert {
            source,
            occurrences,
        } = pending;
        let (event, function) = source.names();
        for route in source.routes(&self.encoder.routes, occurrences) {
            if route.channels.is_empty() {
                self.unrouted.add(occurrences.count);
            } else {
                self.policy.add(event, function, &route, occurrences);
            }
        }
    }

    /// Puts the messages into the outbox, then saves the state. In the other order, a crash
    /// between the two would lose a message instead of repeating it.
    fn send(&mut self, due: Vec<(String, Notice)>, phase: BatchPhase) {
        for (channel, notice) in due {
            self.put(&channel, notice);
        }
        if self.policy.take_changed() || phase == BatchPhase::Closing {
            state::save(&self.outbox, &self.policy);
        }
    }

    fn put(&self, name: &str, notice: Notice) {
        let Some(channel) = self.encoder.channel(name) else {
            // Of an incident that began under an earlier configuration.
            self.unrouted.add(1);
            return;
        };
        if self.is_pending_refresh(name, &notice) {
            return;
        }
        match self.encoder.parcel(&**channel, notice) {
            Some(parcel) => self.outbox.put(parcel),
            None => self.panicked.add(1),
        }
    }

    /// Returns whether `notice` only refreshes an alert whose last message is still pending. A
    /// channel that was unreachable for an hour does not need an hour of refreshes.
    fn is_pending_refresh(&self, channel: &str, notice: &Notice) -> bool {
        notice.status == NoticeStatus::StillFiring
            && notice.risen_from.is_none()
            && self.policy.refreshes(channel)
            && self.outbox.is_pending(channel, &notice.key)
    }
}
