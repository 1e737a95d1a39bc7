//! The incidents, and which messages about them are due.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use super::{
    fingerprint::Fingerprint,
    incident::{Incident, IncidentStep, is_suppressed_in_quiet_hours},
    limiter::{ChannelLimit, ChannelLimiter},
    saved::SavedState,
    timing::AlertTiming,
};
use crate::{
    alerts::{
        notice::{Notice, NoticeStatus},
        occurrences::Occurrences,
        route::AlertRoute,
        trigger::Trigger,
    },
    outbox::micros,
};

/// The state of all alerts.
#[derive(Debug)]
pub(in crate::alerts) struct IncidentPolicy {
    timing: AlertTiming,
    /// The times of occurrences that have not reached their threshold.
    below_threshold: HashMap<Fingerprint, VecDeque<u64>>,
    fingerprints: HashMap<Fingerprint, u64>,
    incidents: BTreeMap<u64, Incident>,
    limiter: ChannelLimiter,
    last_id: u64,
    /// When it last returned what is due.
    asked: u64,
    /// Whether the state to save has changed.
    changed: bool,
}

impl IncidentPolicy {
    pub(in crate::alerts) fn new(
        timing: AlertTiming,
        limits: HashMap<String, ChannelLimit>,
    ) -> IncidentPolicy {
        IncidentPolicy {
            timing,
            below_threshold: HashMap::new(),
            fingerprints: HashMap::new(),
            incidents: BTreeMap::new(),
            limiter: ChannelLimiter::new(limits),
            last_id: 0,
            asked: 0,
            changed: false,
        }
    }

    /// Adds occurrences at a function that go to `route`.
    pub(in crate::alerts) fn add(
        &mut self,
        event: &str,
        function: &str,
        route: &AlertRoute,
        occurrences: &Occurrences,
    ) {
        let fingerprint = Fingerprint::new(event, function, route, occurrences);
        if let Some(incident) = self
            .fingerprints
            .get(&fingerprint)
            .and_then(|id| self.incidents.get_mut(id))
        {
            incident.add(function, route.severity, occurrences);
            return;
        }
        // The end of a stalled call that no incident contains.
        if occurrences.stalled < 0 || !self.reaches_threshold(&fingerprint, route, occurrences) {
            return;
        }
        let id = match self.open_group(&fingerprint) {
            Some(id) => id,
            None => self.open(&fingerprint, route, occurrences),
        };
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.fingerprints.push(fingerprint.clone());
            incident.add(function, route.severity, occurrences);
        }
        self.fingerprints.insert(fingerprint, id);
    }

    /// Returns whether `after` such calls occurred `within` the window.
    fn reaches_threshold(
        &mut self,
        fingerprint: &Fingerprint,
        route: &AlertRoute,
        occurrences: &Occurrences,
    ) -> bool {
        let after = usize::try_from(route.after.max(1)).unwrap_or(usize::MAX);
        if after == 1 {
            return true;
        }
        let times = self.below_threshold.entry(fingerprint.clone()).or_default();
        times.extend(occurrences.times(after));
        let surplus = times.len().saturating_sub(after);
        times.drain(..surplus);
        let (first, last) = (times.front().copied(), times.back().copied());
        let span = last
            .unwrap_or_default()
            .saturating_sub(first.unwrap_or_default());
        let reached = times.len() >= after && span <= micros(route.within);
        if reached {
            self.below_threshold.remove(fingerprint);
        }
        reached
    }

    /// Returns the incident whose group is still open and takes `fingerprint`.
    fn open_group(&self, fingerprint: &Fingerprint) -> Option<u64> {
        // A threshold is an incident of its own.
        let alone = |trigger| trigger == Trigger::Budget;
        if alone(fingerprint.trigger) {
            return None;
        }
        let joins = |incident: &Incident| {
            incident.notified.is_none()
                && !alone(incident.trigger)
                && incident.event == fingerprint.event
                && incident.channels == fingerprint.channels
        };
        self.incidents
            .iter()
            .find(|(_, incident)| joins(incident))
            .map(|(id, _)| *id)
    }

    fn open(
        &mut self,
        fingerprint: &Fingerprint,
        route: &AlertRoute,
        occurrences: &Occurrences,
    ) -> u64 {
        self.last_id += 1;
        self.changed = true;
        let due = occurrences.last.saturating_add(self.timing.group_wait);
        self.incidents.insert(
            self.last_id,
            Incident::new(fingerprint, route, occurrences, due),
        );
        self.last_id
    }

    /// Returns the messages that are due at `now`, each with its channel.
    pub(in crate::alerts) fn due(&mut self, now: u64) -> Vec<(String, Notice)> {
        self.forget_old(now);
        self.collect(now, now)
    }

    /// Returns also those whose group is still open: the process is about to end.
    pub(in crate::alerts) fn due_now(&mut self, now: u64) -> Vec<(String, Notice)> {
        // Not `now` and the wait: a call's clock may be ahead of `now` by some microseconds.
        self.collect(now, u64::MAX)
    }

    fn collect(&mut self, now: u64, grouped_until: u64) -> Vec<(String, Notice)> {
        self.asked = now;
        let mut out = Vec::new();
        let ids: Vec<u64> = self.incidents.keys().copied().collect();
        for id in ids {
            let Some(incident) = self.incidents.get_mut(&id) else {
                continue;
            };
            let step = incident.step(now, grouped_until, &self.timing);
            match step {
                IncidentStep::Wait => {}
                IncidentStep::Notify(status) => {
                    let notice = incident.notice(status);
                    incident.mark_notified(now);
                    self.changed = true;
                    let channels = incident.channels.clone();
                    self.limiter.offer(&channels, &notice, now, &mut out);
                }
                IncidentStep::End(status) => self.end(id, status, now, &mut out),
            }
        }
        self.refresh(now, &mut out);
        let quiet = self.quiet_until(now).is_some();
        self.changed |= self.limiter.digests(now, quiet, &mut out);
        out
    }

    /// Adds the messages to channels with a refresh interval.
    fn refresh(&mut self, now: u64, out: &mut Vec<(String, Notice)>) {
        for incident in self.incidents.values_mut() {
            if refresh_at(incident, &self.limiter).is_none_or(|at| at > now) {
                continue;
            }
            incident.refreshed = now;
            let refreshing = incident
                .channels
                .iter()
                .filter(|c| self.limiter.refresh(c).is_some());
            let notice = incident.notice(NoticeStatus::StillFiring);
            out.extend(refreshing.map(|channel| (channel.clone(), notice.clone())));
        }
    }

    fn end(
        &mut self,
        id: u64,
        status: Option<NoticeStatus>,
        now: u64,
        out: &mut Vec<(String, Notice)>,
    ) {
        let Some(incident) = self.incidents.remove(&id) else {
            return;
        };
        self.changed = true;
        for fingerprint in &incident.fingerprints {
            if self.fingerprints.get(fingerprint) == Some(&id) {
                self.fingerprints.remove(fingerprint);
            }
        }
        let mut channels = self.resolved_for(&incident);
        let quiet = self.quiet_until(now).is_some();
        match status {
            Some(status) => {
                if incident.is_single() && !self.timing.resolve_single {
                    // One failure that was not seen again needs no second message, except where the
                    // first has opened something.
                    channels.retain(|channel| self.limiter.keeps_open(channel));
                }
                let mut notice = incident.notice(status);
                if !incident.recovered {
                    notice.quiet = Duration::from_micros(self.timing.resolve_after);
                }
                if quiet && is_suppressed_in_quiet_hours(notice.severity) {
                    self.limiter.suppress(&channels, &notice, out);
                } else {
                    self.limiter.offer(&channels, &notice, now, out);
                }
            }
            // Over in quiet hours, before any message: a line in the digest, for channels that
            // take one; nothing to resolve for the others.
            None if incident.notified.is_none() && quiet => {
                let notice = incident.notice(NoticeStatus::Resolved);
                self.limiter.suppress(&channels, &notice, &mut Vec::new());
            }
            None => {}
        }
    }

    /// Returns the channels for which `incident` is over. A channel with a refresh interval takes
    /// another incident of the same labels for the same, as long as that continues.
    fn resolved_for(&self, incident: &Incident) -> Vec<String> {
        let goes_on = |channel: &String| {
            self.limiter.refresh(channel).is_some()
                && self.incidents.values().any(|other| {
                    other.notified.is_some()
                        && other.has_labels_of(incident)
                        && other.channels.contains(channel)
                })
        };
        let all = incident.channels.iter();
        all.filter(|channel| !goes_on(channel)).cloned().collect()
    }

    /// Returns when [`IncidentPolicy::due`] has to be called next.
    pub(in crate::alerts) fn wake(&self) -> Option<u64> {
        let steps = self
            .incidents
            .values()
            .map(|incident| incident.wake(self.asked, &self.timing));
        let digest = self.limiter.wake().map(|at| at.max(self.asked));
        let digest = digest.map(|at| self.quiet_until(at).unwrap_or(at));
        let refresh = self
            .incidents
            .values()
            .filter_map(|incident| refresh_at(incident, &self.limiter));
        steps.chain(digest).chain(refresh).min()
    }

    fn quiet_until(&self, now: u64) -> Option<u64> {
        self.timing.quiet_hours.as_ref()?.until(now)
    }

    /// Forgets occurrences below their threshold that are too old for any window.
    fn forget_old(&mut self, now: u64) {
        const LONGEST: u64 = 24 * 3600 * 1_000_000;
        self.below_threshold.retain(|_, times| {
            times
                .back()
                .is_some_and(|last| now.saturating_sub(*last) < LONGEST)
        });
    }

    /// Returns whether `channel` has a refresh interval.
    pub(in crate::alerts) fn refreshes(&self, channel: &str) -> bool {
        self.limiter.refresh(channel).is_some()
    }

    /// Returns the state to save.
    pub(in crate::alerts) fn saved(&self) -> SavedState {
        SavedState::new(self.incidents.values(), self.limiter.saved())
    }

    /// Returns whether that state has changed since the last call.
    pub(in crate::alerts) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Restores the incidents of an earlier process, or of one that died while this one was
    /// running. They count as last seen `now`: whether they are over shows only from here on. One
    /// whose first message `is_pending` in the outbox counts as notified, whatever was saved.
    pub(in crate::alerts) fn restore(
        &mut self,
        saved: SavedState,
        now: u64,
        is_pending: impl Fn(&str) -> bool,
    ) {
        self.changed = true;
        self.limiter.restore(saved.channels);
        for saved in saved.incidents {
            let Some(mut incident) = saved.restore() else {
                continue;
            };
            self.last_id += 1;
            incident.last = incident.last.max(now);
            // The process whose group it waited for is gone.
            incident.due = incident.due.min(now);
            if incident.notified.is_none() && is_pending(&incident.key) {
                incident.mark_notified(now);
            }
            for fingerprint in &incident.fingerprints {
                self.fingerprints
                    .entry(fingerprint.clone())
                    .or_insert(self.last_id);
            }
            self.incidents.insert(self.last_id, incident);
        }
    }
}

/// Returns when the channels of `incident` with a refresh interval are due.
fn refresh_at(incident: &Incident, limiter: &ChannelLimiter) -> Option<u64> {
    let last = incident.notified?.at.max(incident.refreshed);
    let every = incident
        .channels
        .iter()
        .filter_map(|channel| limiter.refresh(channel))
        .min()?;
    Some(last.saturating_add(every))
}
