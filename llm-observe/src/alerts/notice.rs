//! What an alert's message says, for channels to put into their own form.

use std::{borrow::Cow, time::Duration};

use crate::kernel::{
    alert_rule::{Severity, TriggerSet},
    outcome::ErrorClass,
    record::Record,
};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It began.
    Firing,
    /// It goes on: sent again after `alerts.repeat`.
    StillFiring,
    /// It is over.
    Resolved,
    /// What the channel's rate or the quiet hours held back, in short.
    Digest,
    /// Somebody asked for a test message.
    Test,
}

impl Status {
    pub(super) const ALL: [Status; 5] = [
        Status::Firing,
        Status::StillFiring,
        Status::Resolved,
        Status::Digest,
        Status::Test,
    ];

    /// Returns its name: `firing`, `still_firing`, `resolved`, `digest`, `test`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Firing => "firing",
            Status::StillFiring => "still_firing",
            Status::Resolved => "resolved",
            Status::Digest => "digest",
            Status::Test => "test",
        }
    }
}

/// What about a call made it alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Trigger {
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// It ran into its `timeout`.
    Timeout,
    /// It was dropped before it finished.
    Cancelled,
    /// It took longer than `slow`.
    Slow,
    /// It still runs after `stalled`.
    Stalled,
    /// Its quality was under `min_quality`.
    LowQuality,
}

impl Trigger {
    pub(super) const ALL: [Trigger; 7] = [
        Trigger::Error,
        Trigger::Panic,
        Trigger::Timeout,
        Trigger::Cancelled,
        Trigger::Slow,
        Trigger::Stalled,
        Trigger::LowQuality,
    ];

    /// Returns its name, as in `alert(on(...))`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Trigger::Error => "error",
            Trigger::Panic => "panic",
            Trigger::Timeout => "timeout",
            Trigger::Cancelled => "cancelled",
            Trigger::Slow => "slow",
            Trigger::Stalled => "stalled",
            Trigger::LowQuality => "low_quality",
        }
    }

    /// Returns the rule's member that it is.
    pub(crate) const fn on(self) -> TriggerSet {
        match self {
            Trigger::Error => TriggerSet::ERROR,
            Trigger::Panic => TriggerSet::PANIC,
            Trigger::Timeout => TriggerSet::TIMEOUT,
            Trigger::Cancelled => TriggerSet::CANCELLED,
            Trigger::Slow => TriggerSet::SLOW,
            Trigger::Stalled => TriggerSet::STALLED,
            Trigger::LowQuality => TriggerSet::LOW_QUALITY,
        }
    }

    pub(super) const fn is_failure(self) -> bool {
        matches!(self, Trigger::Error | Trigger::Panic | Trigger::Timeout)
    }

    /// Returns what of an ended call alerts.
    pub(super) fn of(record: &Record<'_>) -> impl Iterator<Item = Trigger> + use<> {
        let alerts = record.alerts();
        let all = Trigger::ALL.into_iter();
        all.filter(move |trigger| alerts.intersects(trigger.on()))
    }

    pub(super) fn from_name(name: &str) -> Option<Trigger> {
        Trigger::ALL
            .into_iter()
            .find(|trigger| trigger.as_str() == name)
    }

    /// Returns how a title says it of an event: "query is failing".
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Trigger::Error => "failing",
            Trigger::Panic => "panicking",
            Trigger::Timeout => "timing out",
            Trigger::Cancelled => "being cancelled",
            Trigger::Slow => "slow",
            Trigger::Stalled => "stalled",
            Trigger::LowQuality => "of low quality",
        }
    }
}

/// One of the different errors of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distinct {
    /// The function that failed.
    pub function: String,
    /// What about its calls alerted.
    pub trigger: Trigger,
    /// The error's type; empty where there is no error.
    pub type_name: String,
    /// The error's text, or what was slow.
    pub message: String,
    /// The error's class.
    pub class: Option<ErrorClass>,
    /// How often.
    pub count: u64,
}

impl Distinct {
    /// Returns the error's type, or what else it is.
    pub(super) fn kind(&self) -> &str {
        match self.type_name.as_str() {
            "" => self.trigger.as_str(),
            name => name,
        }
    }

    /// Returns it in one line: "30 × rag::QueryError in rag::query: connection refused".
    #[must_use]
    pub fn line(&self) -> String {
        let kind = self.kind();
        let text = if self.message.is_empty() {
            String::new()
        } else {
            format!(": {}", self.message)
        };
        format!("{} × {kind} in {}{text}", self.count, self.function)
    }
}

/// One alert that a digest stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// Its event.
    pub event: String,
    /// What would have been said of it.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// How many calls it was about.
    pub count: u64,
}

/// The event of requests that a service gets.
const REQUESTS: &str = "http_request";

/// What an alert's message says. Redacted; channels escape it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notice {
    /// What the message is about.
    pub status: Status,
    /// What identifies the alert, over all its messages; empty for a digest.
    pub key: String,
    /// The event that alerts.
    pub event: String,
    /// The functions that alert; the first is the one that began.
    pub functions: Vec<String>,
    /// What about them alerts.
    pub trigger: Trigger,
    /// How bad it is.
    pub severity: Severity,
    /// How bad it was said to be, when it has become worse since.
    pub risen_from: Option<Severity>,
    /// How many calls so far.
    pub count: u64,
    /// When the first was: microseconds since the Unix epoch.
    pub first: u64,
    /// When the last was.
    pub last: u64,
    /// The different errors, the most frequent first, at most ten.
    pub errors: Vec<Distinct>,
    /// How many calls failed in ways that `errors` has no room for.
    pub more: u64,
    /// The trace of one of the calls, in hexadecimal; empty for none.
    pub trace_id: String,
    /// What a digest stands for.
    pub held: Vec<Held>,
    /// The service's name.
    pub service: String,
    /// The deployment environment.
    pub environment: String,
    /// The machine's name.
    pub host: String,
    /// The page that says what to do.
    pub runbook: Option<String>,
    /// A page to look at.
    pub dashboard: Option<String>,
    /// The page of the trace `trace_id`.
    pub trace_url: Option<String>,
    /// The issues of that trace in Sentry.
    pub sentry_url: Option<String>,
    /// The LogRocket session in which one of the calls was made.
    pub session_url: Option<String>,
}

impl Notice {
    /// Returns how long it has gone on, from the first call to the last.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.last.saturating_sub(self.first))
    }

    /// Returns the pages to open, each with its label, in the order in which they help.
    pub fn links(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("Runbook", &self.runbook),
            ("Trace", &self.trace_url),
            ("Sentry", &self.sentry_url),
            ("LogRocket", &self.session_url),
            ("Dashboard", &self.dashboard),
        ];
        all.into_iter()
            .filter_map(|(label, url)| Some((label, url.as_deref()?)))
    }

    /// Returns a message with nothing in it but its status.
    pub(super) fn empty(status: Status, now: u64) -> Notice {
        Notice {
            status,
            key: String::new(),
            event: String::new(),
            functions: Vec::new(),
            trigger: Trigger::Error,
            severity: Severity::Info,
            risen_from: None,
            count: 0,
            first: now,
            last: now,
            errors: Vec::new(),
            more: 0,
            trace_id: String::new(),
            held: Vec::new(),
            service: String::new(),
            environment: String::new(),
            host: String::new(),
            runbook: None,
            dashboard: None,
            trace_url: None,
            sentry_url: None,
            session_url: None,
        }
    }

    /// Returns a message that tries a channel.
    pub(super) fn test(now: u64) -> Notice {
        Notice {
            key: format!("test-{now}"),
            event: "test".to_owned(),
            ..Notice::empty(Status::Test, now)
        }
    }

    /// Returns what alerts: of requests, which are all one event, the route that began.
    fn subject(&self) -> Cow<'_, str> {
        match self.functions.as_slice() {
            [route] if self.event == REQUESTS => route.into(),
            [route, others @ ..] if self.event == REQUESTS => {
                format!("{route} and {} more", others.len()).into()
            }
            _ => self.event.as_str().into(),
        }
    }

    /// Returns how a title says what alerts; "failing" of failures of several kinds.
    fn verb(&self) -> &'static str {
        let other = |error: &Distinct| error.trigger != self.trigger && error.trigger.is_failure();
        if self.trigger.is_failure() && self.errors.iter().any(other) {
            return Trigger::Error.verb();
        }
        self.trigger.verb()
    }

    /// Returns the one line that says it all: "query failing: 37 calls in 12 s".
    #[must_use]
    pub fn title(&self) -> String {
        let (event, verb) = (self.subject(), self.verb());
        let calls = super::text::calls(self.count);
        let time = super::text::duration(self.duration());
        match self.status {
            Status::Firing if self.count == 1 => format!("{event} {verb}"),
            Status::Firing => format!("{event} {verb}: {calls} in {time}"),
            Status::StillFiring => format!("{event} still {verb}: {calls} in {time}"),
            Status::Resolved => format!("{event} resolved after {time}: {calls}"),
            Status::Digest => {
                let named = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
                let all = named.saturating_add(self.more);
                match all {
                    1 => "1 more alert was held back".to_owned(),
                    _ => format!("{all} more alerts were held back"),
                }
            }
            Status::Test => "This is a test: alerts arrive here".to_owned(),
        }
    }
}
