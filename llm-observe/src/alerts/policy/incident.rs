//! One incident: failures of one event for the same channels, from the first to its resolution.

use serde::{Deserialize, Serialize};

use super::{Member, Seen, Step, Timing, is_quiet_for};
use crate::{
    alerts::{Distinct, Notice, Status, Trigger, route::Route},
    site::Severity,
};

/// How many different errors an incident keeps.
const MOST_ERRORS: usize = 10;

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
    /// When the group is complete.
    due: u64,
    /// When the last message was.
    pub(super) told: Option<u64>,
    /// When channels that forget were last told that it goes on.
    #[serde(skip)]
    pub(super) refreshed: u64,
    /// How many calls that stalled are still running.
    #[serde(skip)]
    pub(super) open: i64,
    /// Whether the calls that stalled have all ended.
    #[serde(skip)]
    over: bool,
    #[serde(skip)]
    errors: Vec<Distinct>,
    #[serde(skip)]
    more: u64,
}

impl Incident {
    pub(super) fn new(member: &Member, route: &Route, seen: &Seen, due: u64) -> Incident {
        Incident {
            key: format!(
                "{}/{}/{}/{}",
                member.event, member.function, member.trigger, seen.first
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
            due,
            told: None,
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

    /// Returns what is to happen at `now`; what is due by `grouped_until` counts as due.
    pub(super) fn step(&self, now: u64, grouped_until: u64, timing: &Timing) -> Step {
        let held = is_quiet_for(self.severity())
            && timing
                .quiet
                .as_ref()
                .is_some_and(|q| q.until(now).is_some());
        if self.is_over(now, timing) {
            let tell = self.told.is_some() && timing.send_resolved;
            return Step::End(tell.then_some(Status::Resolved));
        }
        match self.told {
            _ if held => Step::Nothing,
            None if self.due <= grouped_until => Step::Tell(Status::Firing),
            Some(told) if self.is_repeated(told) && told.saturating_add(timing.repeat) <= now => {
                Step::Tell(Status::StillFiring)
            }
            _ => Step::Nothing,
        }
    }

    fn is_over(&self, now: u64, timing: &Timing) -> bool {
        self.over || (self.open <= 0 && self.last.saturating_add(timing.resolve_after) <= now)
    }

    /// Whether it goes on since the last message: another call failed, or one still hangs.
    fn is_repeated(&self, told: u64) -> bool {
        self.open > 0 || self.last > told
    }

    /// Returns when something may happen next.
    pub(super) fn wake(&self, timing: &Timing) -> u64 {
        let over = match (self.over, self.open > 0) {
            (true, _) => 0,
            (_, true) => u64::MAX,
            _ => self.last.saturating_add(timing.resolve_after),
        };
        let tell = match self.told {
            None => timing
                .quiet
                .as_ref()
                .and_then(|q| q.until(self.due))
                .unwrap_or(self.due),
            Some(told) if self.is_repeated(told) => told.saturating_add(timing.repeat),
            Some(_) => u64::MAX,
        };
        let critical = !is_quiet_for(self.severity());
        over.min(if critical && self.told.is_none() {
            self.due
        } else {
            tell
        })
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
            trace_id: self.trace.clone(),
            ..Notice::empty(status, self.last)
        }
    }
}
