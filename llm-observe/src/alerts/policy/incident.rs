//! One incident: failures of one event for the same channels, from the first to its resolution.

use serde::{Deserialize, Serialize};

use super::{Member, Seen, Step, Timing, is_quiet_for, saved};
use crate::{
    alerts::{Distinct, Notice, Status, Trigger, route::Route},
    kernel::alert_rule::Severity,
};

/// How many different errors an incident keeps.
const MOST_ERRORS: usize = 10;

/// How many of them outlive the process once they were told.
const MOST_SAVED: usize = 3;

/// Names its file format on disk; what cannot be read back is told anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::alerts) struct Incident {
    pub(in crate::alerts) key: String,
    pub(super) event: String,
    pub(super) channels: Vec<String>,
    pub(super) members: Vec<Member>,
    functions: Vec<String>,
    trigger: String,
    severity: String,
    count: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    trace: String,
    /// The session of the first call that was in one.
    #[serde(default)]
    session: Option<String>,
    /// When the group is complete.
    pub(super) due: u64,
    /// When the last message was.
    pub(super) told: Option<u64>,
    /// How bad that message said it is.
    said: Option<String>,
    /// When channels that forget were last told that it goes on.
    #[serde(skip)]
    pub(super) refreshed: u64,
    /// How many calls that stalled are still running.
    #[serde(skip)]
    pub(super) open: i64,
    /// Whether the calls that stalled have all ended.
    #[serde(skip)]
    over: bool,
    #[serde(with = "saved::errors")]
    errors: Vec<Distinct>,
    more: u64,
}

impl Incident {
    pub(super) fn new(member: &Member, route: &Route, seen: &Seen, due: u64) -> Incident {
        Incident {
            key: format!(
                "{}/{}/{}/{}/{}",
                member.event, member.function, member.trigger, member.class, seen.first
            ),
            event: member.event.clone(),
            channels: member.channels.clone(),
            members: Vec::new(),
            functions: Vec::new(),
            trigger: member.trigger.clone(),
            severity: route.severity.as_str().to_owned(),
            count: 0,
            first: seen.first,
            last: seen.last,
            trace: seen.trace.to_string(),
            session: None,
            due,
            told: None,
            said: None,
            refreshed: 0,
            open: 0,
            over: false,
            errors: Vec::new(),
            more: 0,
        }
    }

    /// Counts calls in.
    pub(super) fn add(&mut self, function: &str, severity: Severity, seen: &Seen) {
        self.first = self.first.min(seen.first);
        self.last = self.last.max(seen.last);
        self.severity = self.severity().max(severity).as_str().to_owned();
        self.open += seen
            .open
            .saturating_mul(i64::try_from(seen.count).unwrap_or(i64::MAX));
        self.over = seen.open < 0 && self.open <= 0;
        if seen.open < 0 {
            return;
        }
        self.count += seen.count;
        if self.session.is_none() {
            self.session.clone_from(&seen.session);
        }
        if !self.functions.iter().any(|known| known == function) {
            self.functions.push(function.to_owned());
        }
        self.add_error(function, seen);
    }

    fn add_error(&mut self, function: &str, seen: &Seen) {
        let sample = &seen.sample;
        // What is no error differs in its numbers alone: the latest stands for all.
        let same = |e: &&mut Distinct| {
            e.function == function
                && e.trigger == seen.trigger
                && (e.type_name.is_empty()
                    || (e.type_name == sample.type_name && e.message == sample.message))
        };
        if let Some(known) = self.errors.iter_mut().find(same) {
            known.count += seen.count;
            known.message.clone_from(&sample.message);
        } else if self.errors.len() < MOST_ERRORS {
            self.errors.push(Distinct {
                function: function.to_owned(),
                trigger: seen.trigger,
                type_name: sample.type_name.clone(),
                message: sample.message.clone(),
                class: sample.class,
                count: seen.count,
            });
        } else {
            self.more += seen.count;
        }
    }

    fn severity(&self) -> Severity {
        self.severity.parse().unwrap_or_default()
    }

    /// Returns how bad it was said to be, when it has become worse since.
    fn risen_from(&self) -> Option<Severity> {
        let said = self.said.as_ref()?.parse().ok()?;
        (self.severity() > said).then_some(said)
    }

    /// Returns what is to happen at `now`; what is due by `grouped_until` counts as due.
    pub(super) fn step(&self, now: u64, grouped_until: u64, timing: &Timing) -> Step {
        let held = self.held_until(now, timing).is_some();
        let over = self.over || (self.open <= 0 && self.is_quiet_since(now, timing));
        match self.told {
            // What stalled and went on within its group's wait is no news.
            None if self.over || (held && over) => Step::End(None),
            None if !held && self.due <= grouped_until => Step::Tell(Status::Firing),
            Some(_) if over => Step::End(timing.send_resolved.then_some(Status::Resolved)),
            Some(_) if !held && self.again_at(timing) <= now => Step::Tell(Status::StillFiring),
            _ => Step::Nothing,
        }
    }

    /// Returns when the quiet hours end that keep it from being told at `now`.
    fn held_until(&self, now: u64, timing: &Timing) -> Option<u64> {
        let quiet = timing.quiet.as_ref()?;
        is_quiet_for(self.severity())
            .then(|| quiet.until(now))
            .flatten()
    }

    fn is_quiet_since(&self, now: u64, timing: &Timing) -> bool {
        self.last.saturating_add(timing.resolve_after) <= now
    }

    /// Returns when it is told of again: at once when it has become worse, else when it was
    /// told long ago and goes on: another call failed since, or one still hangs.
    fn again_at(&self, timing: &Timing) -> u64 {
        let goes_on = |told| self.open > 0 || self.last > told;
        match self.told {
            Some(_) if self.risen_from().is_some() => 0,
            Some(told) if goes_on(told) => told.saturating_add(timing.repeat),
            _ => u64::MAX,
        }
    }

    /// Returns when something may happen next, asked at `now`.
    pub(super) fn wake(&self, now: u64, timing: &Timing) -> u64 {
        let over = match (self.over, self.open > 0) {
            (true, _) => 0,
            (_, true) => u64::MAX,
            _ => self.last.saturating_add(timing.resolve_after),
        };
        let tell = match self.told {
            None => self.due,
            Some(_) => self.again_at(timing),
        };
        let held = self.held_until(tell.max(now), timing);
        match self.told {
            None if !self.over && held.is_none() => tell,
            _ => over.min(held.unwrap_or(tell)),
        }
    }

    /// Takes note that a message tells of it.
    pub(super) fn tell(&mut self, now: u64) {
        self.told = Some(now);
        self.said = Some(self.severity.clone());
    }

    /// Returns what of it outlives the process: of one that was told of, few of its errors.
    pub(super) fn saved(&self) -> Incident {
        let mut saved = self.clone();
        if saved.told.is_some() && saved.errors.len() > MOST_SAVED {
            let rest = saved.errors.split_off(MOST_SAVED);
            saved.more += rest.iter().map(|error| error.count).sum::<u64>();
        }
        saved
    }

    /// Returns whether a channel that knows alerts by what they are, not by their key, takes
    /// both for one.
    pub(super) fn looks_like(&self, other: &Incident) -> bool {
        (&self.event, &self.trigger, &self.severity)
            == (&other.event, &other.trigger, &other.severity)
    }

    /// Returns the message that tells its state.
    pub(super) fn notice(&self, status: Status) -> Notice {
        let mut errors = self.errors.clone();
        errors.sort_by_key(|e| std::cmp::Reverse(e.count));
        Notice {
            key: self.key.clone(),
            event: self.event.clone(),
            functions: self.functions.clone(),
            trigger: Trigger::from_name(&self.trigger).unwrap_or(Trigger::Error),
            severity: self.severity(),
            count: self.count,
            first: self.first,
            errors,
            more: self.more,
            risen_from: self.risen_from(),
            trace_id: self.trace.clone(),
            session_url: self.session.clone(),
            ..Notice::empty(status, self.last)
        }
    }
}
