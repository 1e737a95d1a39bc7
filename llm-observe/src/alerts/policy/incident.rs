//! One incident: failures of one event for the same channels, from the first to its resolution.

use super::{fingerprint::Fingerprint, timing::AlertTiming};
use crate::{
    alerts::{
        error_group::ErrorGroup,
        notice::{Notice, NoticeStatus},
        occurrences::Occurrences,
        route::AlertRoute,
        trigger::Trigger,
    },
    kernel::{alert_rule::Severity, ids::TraceId},
};

/// How many different errors an incident keeps.
const MOST_ERRORS: usize = 10;

/// Failures of one event for the same channels, from the first to its resolution.
#[derive(Clone, Debug)]
pub(super) struct Incident {
    pub(super) key: String,
    pub(super) event: String,
    pub(super) channels: Vec<String>,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) functions: Vec<String>,
    /// Whether these are operations, such as routes of a server.
    pub(super) is_operation: bool,
    pub(super) trigger: Trigger,
    pub(super) severity: Severity,
    pub(super) count: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    /// The trace of the first call.
    pub(super) trace_id: TraceId,
    /// The session of the first call that belonged to one.
    pub(super) session_url: Option<String>,
    /// What the first call that is an operation besides shows of it.
    pub(super) attributes: Vec<(String, String)>,
    /// When the group is complete.
    pub(super) due: u64,
    /// The last message that was sent.
    pub(super) notified: Option<Notified>,
    /// When channels with a refresh interval were last notified that it continues.
    pub(super) refreshed: u64,
    /// How many calls that stalled are still running.
    pub(super) stalled: i64,
    /// Whether the calls that stalled have all ended.
    pub(super) recovered: bool,
    pub(super) errors: Vec<ErrorGroup>,
    /// How many calls failed with errors beyond [`MOST_ERRORS`].
    pub(super) more: u64,
}

/// A message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Notified {
    /// When.
    pub(super) at: u64,
    /// The severity that it had; `None` in the state of some earlier version.
    pub(super) severity: Option<Severity>,
}

/// What is due for an incident.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IncidentStep {
    /// Nothing.
    Wait,
    /// A message.
    Notify(NoticeStatus),
    /// Its end, with a message or without.
    End(Option<NoticeStatus>),
}

/// Returns whether quiet hours suppress messages of `severity`.
pub(super) fn is_suppressed_in_quiet_hours(severity: Severity) -> bool {
    severity < Severity::Critical
}

impl Incident {
    pub(super) fn new(
        fingerprint: &Fingerprint,
        route: &AlertRoute,
        occurrences: &Occurrences,
        due: u64,
    ) -> Incident {
        let class = fingerprint.class.map_or("", |class| class.as_str());
        Incident {
            key: format!(
                "{}/{}/{}/{class}/{}",
                fingerprint.event,
                fingerprint.function,
                fingerprint.trigger.as_str(),
                occurrences.first
            ),
            event: fingerprint.event.clone(),
            channels: fingerprint.channels.clone(),
            fingerprints: Vec::new(),
            functions: Vec::new(),
            is_operation: occurrences.is_operation,
            trigger: fingerprint.trigger,
            severity: route.severity,
            count: 0,
            first: occurrences.first,
            last: occurrences.last,
            trace_id: occurrences.trace_id,
            session_url: None,
            attributes: Vec::new(),
            due,
            notified: None,
            refreshed: 0,
            stalled: 0,
            recovered: false,
            errors: Vec::new(),
            more: 0,
        }
    }

    /// Adds occurrences at `function`.
    pub(super) fn add(&mut self, function: &str, severity: Severity, occurrences: &Occurrences) {
        self.first = self.first.min(occurrences.first);
        self.last = self.last.max(occurrences.last);
        self.severity = self.severity.max(severity);
        let count = i64::try_from(occurrences.count).unwrap_or(i64::MAX);
        self.stalled += occurrences.stalled.saturating_mul(count);
        self.recovered = occurrences.stalled < 0 && self.stalled <= 0;
        if occurrences.stalled < 0 {
            return;
        }
        self.count += occurrences.count;
        if self.session_url.is_none() {
            self.session_url.clone_from(&occurrences.session_url);
        }
        if self.attributes.is_empty() {
            self.attributes.clone_from(&occurrences.attributes);
        }
        if !self.functions.iter().any(|known| known == function) {
            self.functions.push(function.to_owned());
        }
        self.add_error(function, occurrences);
    }

    fn add_error(&mut self, function: &str, occurrences: &Occurrences) {
        let sample = &occurrences.sample;
        // Descriptions without an error differ in their numbers alone: the latest stands for all.
        let same = |e: &&mut ErrorGroup| {
            e.function == function
                && e.trigger == occurrences.trigger
                && (e.type_name.is_empty()
                    || (e.type_name == sample.type_name && e.message == sample.message))
        };
        if let Some(known) = self.errors.iter_mut().find(same) {
            known.count += occurrences.count;
            known.message.clone_from(&sample.message);
        } else if self.errors.len() < MOST_ERRORS {
            self.errors.push(ErrorGroup {
                function: function.to_owned(),
                trigger: occurrences.trigger,
                type_name: sample.type_name.clone(),
                message: sample.message.clone(),
                class: sample.class,
                count: occurrences.count,
            });
        } else {
            self.more += occurrences.count;
        }
    }

    /// Returns the severity of the last message, when it has risen since.
    fn risen_from(&self) -> Option<Severity> {
        let last = self.notified?.severity?;
        (self.severity > last).then_some(last)
    }

    /// Returns what is due at `now`; a group that is complete by `grouped_until` counts as
    /// complete.
    pub(super) fn step(&self, now: u64, grouped_until: u64, timing: &AlertTiming) -> IncidentStep {
        let suppressed = self.suppressed_until(now, timing).is_some();
        let over = self.recovered || (self.stalled <= 0 && self.is_silent_since(now, timing));
        match self.notified {
            // A call that stalled and ended while its group waited needs no message.
            None if self.recovered || (suppressed && over) => IncidentStep::End(None),
            None if !suppressed && self.due <= grouped_until => {
                IncidentStep::Notify(NoticeStatus::Firing)
            }
            Some(_) if over => {
                IncidentStep::End(timing.send_resolved.then_some(NoticeStatus::Resolved))
            }
            Some(_) if !suppressed && self.repeat_at(timing) <= now => {
                IncidentStep::Notify(NoticeStatus::StillFiring)
            }
            _ => IncidentStep::Wait,
        }
    }

    /// Returns the end of the quiet hours that suppress its messages at `now`.
    fn suppressed_until(&self, now: u64, timing: &AlertTiming) -> Option<u64> {
        let quiet_hours = timing.quiet_hours.as_ref()?;
        is_suppressed_in_quiet_hours(self.severity)
            .then(|| quiet_hours.until(now))
            .flatten()
    }

    fn is_silent_since(&self, now: u64, timing: &AlertTiming) -> bool {
        self.last.saturating_add(timing.resolve_after) <= now
    }

    /// Returns when its message is repeated: at once when its severity has risen, else after
    /// `repeat` if it continues: another call failed since, or one is still stalled.
    fn repeat_at(&self, timing: &AlertTiming) -> u64 {
        let continues = |notified: u64| self.stalled > 0 || self.last > notified;
        match self.notified {
            Some(_) if self.risen_from().is_some() => 0,
            Some(notified) if continues(notified.at) => notified.at.saturating_add(timing.repeat),
            _ => u64::MAX,
        }
    }

    /// Returns when something may be due next, asked at `now`.
    pub(super) fn wake(&self, now: u64, timing: &AlertTiming) -> u64 {
        let over = match (self.recovered, self.stalled > 0) {
            (true, _) => 0,
            (_, true) => u64::MAX,
            _ => self.last.saturating_add(timing.resolve_after),
        };
        let message = match self.notified {
            None => self.due,
            Some(_) => self.repeat_at(timing),
        };
        let suppressed = self.suppressed_until(message.max(now), timing);
        match self.notified {
            None if !self.recovered && suppressed.is_none() => message,
            _ => over.min(suppressed.unwrap_or(message)),
        }
    }

    /// Records that a message of its present state is sent.
    pub(super) fn mark_notified(&mut self, now: u64) {
        self.notified = Some(Notified {
            at: now,
            severity: Some(self.severity),
        });
    }

    /// Returns whether it was one call that failed, and that has ended.
    pub(super) fn is_single(&self) -> bool {
        self.count == 1 && self.trigger != Trigger::Stalled
    }

    /// Returns whether a channel that identifies alerts by their labels, not by their key, takes
    /// both for one.
    pub(super) fn has_labels_of(&self, other: &Incident) -> bool {
        (&self.event, self.trigger, self.severity) == (&other.event, other.trigger, other.severity)
    }

    /// Returns the message of its present state.
    pub(super) fn notice(&self, status: NoticeStatus) -> Notice {
        let mut errors = self.errors.clone();
        errors.sort_by_key(|e| std::cmp::Reverse(e.count));
        Notice {
            key: self.key.clone(),
            event: self.event.clone(),
            functions: self.functions.clone(),
            is_operation: self.is_operation,
            trigger: self.trigger,
            severity: self.severity,
            count: self.count,
            first: self.first,
            errors,
            more: self.more,
            risen_from: self.risen_from(),
            trace_id: match self.trace_id.is_none() {
                true => String::new(),
                false => self.trace_id.to_string(),
            },
            session_url: self.session_url.clone(),
            attributes: self.attributes.clone(),
            ..Notice::empty(status, self.last)
        }
    }
}
