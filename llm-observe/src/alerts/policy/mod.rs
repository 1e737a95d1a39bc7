//! When a message is due: thresholds, grouping, repeats, resolution, quiet hours, rates.
//!
//! Pure: it is told what was seen and what time it is (microseconds since the Unix epoch), and
//! says which messages are due on which channel. It must not know clocks, threads or channels.

mod incident;
mod limit;
mod quiet;
mod saved;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};

use llm_observe_config as config;
use serde::{Deserialize, Serialize};

pub(super) use incident::Incident;
pub(super) use limit::{Limit, limits};
pub(super) use saved::Saved;
pub(super) use seen::{Sample, Seen};

use super::{Notice, Status, route::Route};
use crate::{
    error::Error,
    kernel::{alert_rule::Severity, outcome::ErrorClass},
    outbox::micros,
};
use limit::Limiter;
use quiet::Quiet;

/// The durations of `[alerts]`, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Timing {
    pub(super) group_wait: u64,
    pub(super) repeat: u64,
    pub(super) resolve_after: u64,
    pub(super) send_resolved: bool,
    pub(super) quiet: Option<Quiet>,
}

impl Timing {
    pub(super) fn new(alerts: &config::Alerts) -> Result<Timing, Error> {
        let quiet = alerts.quiet_hours.as_deref().map(Quiet::new).transpose()?;
        Ok(Timing {
            group_wait: micros(alerts.group_wait),
            repeat: micros(alerts.repeat),
            resolve_after: micros(alerts.resolve_after),
            send_resolved: alerts.send_resolved,
            quiet,
        })
    }
}

/// What failures have in common that count together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) event: String,
    pub(super) function: String,
    pub(super) trigger: String,
    pub(super) class: String,
    pub(super) channels: Vec<String>,
}

impl Member {
    fn new(event: &str, function: &str, route: &Route, seen: &Seen) -> Member {
        Member {
            event: event.to_owned(),
            function: function.to_owned(),
            trigger: seen.trigger.as_str().to_owned(),
            class: seen.class().map_or("", ErrorClass::as_str).to_owned(),
            channels: route.channels.clone(),
        }
    }
}

/// The state of all alerts.
#[derive(Debug)]
pub(super) struct Policy {
    timing: Timing,
    /// The times of what has not reached its threshold yet.
    below: HashMap<Member, VecDeque<u64>>,
    members: HashMap<Member, u64>,
    incidents: BTreeMap<u64, Incident>,
    limiter: Limiter,
    last: u64,
    /// When it was last asked what is due.
    asked: u64,
    /// Whether what is to outlive the process has changed.
    changed: bool,
}

impl Policy {
    pub(super) fn new(timing: Timing, limits: HashMap<String, Limit>) -> Policy {
        Policy {
            timing,
            below: HashMap::new(),
            members: HashMap::new(),
            incidents: BTreeMap::new(),
            limiter: Limiter::new(limits),
            last: 0,
            asked: 0,
            changed: false,
        }
    }

    /// Takes note of calls that failed alike.
    pub(super) fn see(&mut self, event: &str, function: &str, route: &Route, seen: &Seen) {
        let member = Member::new(event, function, route, seen);
        if let Some(incident) = self
            .members
            .get(&member)
            .and_then(|id| self.incidents.get_mut(id))
        {
            incident.add(function, route.severity, seen);
            return;
        }
        // The end of a stalled call that was never told of.
        if seen.open < 0 || !self.reaches_threshold(&member, route, seen) {
            return;
        }
        let id = match self.joinable(&member) {
            Some(id) => id,
            None => self.open(&member, route, seen),
        };
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.members.push(member.clone());
            incident.add(function, route.severity, seen);
        }
        self.members.insert(member, id);
    }

    /// Returns whether `after` such calls were seen `within` the window.
    fn reaches_threshold(&mut self, member: &Member, route: &Route, seen: &Seen) -> bool {
        let after = usize::try_from(route.after.max(1)).unwrap_or(usize::MAX);
        if after == 1 {
            return true;
        }
        let times = self.below.entry(member.clone()).or_default();
        times.extend(seen.times(after));
        let surplus = times.len().saturating_sub(after);
        times.drain(..surplus);
        let (first, last) = (times.front().copied(), times.back().copied());
        let span = last
            .unwrap_or_default()
            .saturating_sub(first.unwrap_or_default());
        let reached = times.len() >= after && span <= micros(route.within);
        if reached {
            self.below.remove(member);
        }
        reached
    }

    /// Returns the incident that waits for its group and takes `member` in.
    fn joinable(&self, member: &Member) -> Option<u64> {
        let joins = |incident: &Incident| {
            incident.told.is_none()
                && incident.event == member.event
                && incident.channels == member.channels
        };
        self.incidents
            .iter()
            .find(|(_, incident)| joins(incident))
            .map(|(id, _)| *id)
    }

    fn open(&mut self, member: &Member, route: &Route, seen: &Seen) -> u64 {
        self.last += 1;
        self.changed = true;
        let due = seen.last.saturating_add(self.timing.group_wait);
        self.incidents
            .insert(self.last, Incident::new(member, route, seen, due));
        self.last
    }

    /// Returns the messages that are due at `now`, each with its channel.
    pub(super) fn due(&mut self, now: u64) -> Vec<(String, Notice)> {
        self.forget_old(now);
        self.collect(now, now)
    }

    /// Returns also those that still wait for their group: the process is about to end.
    pub(super) fn due_now(&mut self, now: u64) -> Vec<(String, Notice)> {
        self.collect(now, now.saturating_add(self.timing.group_wait))
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
                Step::Nothing => {}
                Step::Tell(status) => {
                    let notice = incident.notice(status);
                    incident.tell(now);
                    self.changed = true;
                    let channels = incident.channels.clone();
                    self.limiter.offer(&channels, &notice, now, &mut out);
                }
                Step::End(status) => self.end(id, status, now, &mut out),
            }
        }
        self.refresh(now, &mut out);
        let quiet = self.quiet_until(now).is_some();
        self.changed |= self.limiter.digests(now, quiet, &mut out);
        out
    }

    /// Tells the channels that forget of what goes on.
    fn refresh(&mut self, now: u64, out: &mut Vec<(String, Notice)>) {
        for incident in self.incidents.values_mut() {
            if refresh_at(incident, &self.limiter).is_none_or(|at| at > now) {
                continue;
            }
            incident.refreshed = now;
            let forgetful = incident
                .channels
                .iter()
                .filter(|c| self.limiter.refresh(c).is_some());
            let notice = incident.notice(Status::StillFiring);
            out.extend(forgetful.map(|channel| (channel.clone(), notice.clone())));
        }
    }

    fn end(&mut self, id: u64, status: Option<Status>, now: u64, out: &mut Vec<(String, Notice)>) {
        let Some(incident) = self.incidents.remove(&id) else {
            return;
        };
        self.changed = true;
        for member in &incident.members {
            if self.members.get(member) == Some(&id) {
                self.members.remove(member);
            }
        }
        let channels = self.ended_for(&incident);
        let quiet = self.quiet_until(now).is_some();
        match status {
            Some(status) => {
                let notice = incident.notice(status);
                if quiet && is_quiet_for(notice.severity) {
                    self.limiter.hold(&channels, &notice, out);
                } else {
                    self.limiter.offer(&channels, &notice, now, out);
                }
            }
            // Over before anybody was told of it, in quiet hours: a line in the digest, for
            // those who take one; nothing to resolve for the others.
            None if incident.told.is_none() && quiet => {
                let notice = incident.notice(Status::Resolved);
                self.limiter.hold(&channels, &notice, &mut Vec::new());
            }
            None => {}
        }
    }

    /// Returns the channels for which `incident` is over: one that forgets takes another that
    /// goes on, and looks like it, for the same.
    fn ended_for(&self, incident: &Incident) -> Vec<String> {
        let goes_on = |channel: &String| {
            self.limiter.refresh(channel).is_some()
                && self.incidents.values().any(|other| {
                    other.told.is_some()
                        && other.looks_like(incident)
                        && other.channels.contains(channel)
                })
        };
        let all = incident.channels.iter();
        all.filter(|channel| !goes_on(channel)).cloned().collect()
    }

    /// Returns when [`Policy::due`] is to be asked next.
    pub(super) fn wake(&self) -> Option<u64> {
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
        self.timing.quiet.as_ref()?.until(now)
    }

    /// Forgets calls below their threshold that are too old to count, however long the window.
    fn forget_old(&mut self, now: u64) {
        const LONGEST: u64 = 24 * 3600 * 1_000_000;
        self.below.retain(|_, times| {
            times
                .back()
                .is_some_and(|last| now.saturating_sub(*last) < LONGEST)
        });
    }

    /// Returns what is to outlive the process.
    pub(super) fn saved(&self) -> Saved {
        Saved {
            incidents: self.incidents.values().map(Incident::saved).collect(),
            channels: self.limiter.saved(),
        }
    }

    /// Returns whether that has changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Takes up what an earlier process, or one that died beside this, had not ended. Its
    /// incidents count as seen `now`: whether they are over shows only from here on. One whose
    /// first message `waits` to be delivered is told, whatever was saved of it.
    pub(super) fn take_up(&mut self, saved: Saved, now: u64, waits: impl Fn(&str) -> bool) {
        self.changed = true;
        self.limiter.take_up(saved.channels);
        for mut incident in saved.incidents {
            self.last += 1;
            incident.last = incident.last.max(now);
            // Whom it waited for is gone.
            incident.due = incident.due.min(now);
            if incident.told.is_none() && waits(&incident.key) {
                incident.tell(now);
            }
            for member in &incident.members {
                self.members.entry(member.clone()).or_insert(self.last);
            }
            self.incidents.insert(self.last, incident);
        }
    }
}

/// What happens to an incident at some time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// A message is due.
    Tell(Status),
    /// It is over, with a message or without.
    End(Option<Status>),
}

/// Returns when the channels of `incident` that forget are to hear of it again.
fn refresh_at(incident: &Incident, limiter: &Limiter) -> Option<u64> {
    let last = incident.told?.max(incident.refreshed);
    let every = incident
        .channels
        .iter()
        .filter_map(|channel| limiter.refresh(channel))
        .min()?;
    Some(last.saturating_add(every))
}

fn is_quiet_for(severity: Severity) -> bool {
    severity < Severity::Critical
}
