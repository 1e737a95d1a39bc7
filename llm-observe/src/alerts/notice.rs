//! The content of an alert's message, for channels to put into their own form.

use std::{borrow::Cow, time::Duration};

use super::{error_group::ErrorGroup, text, trigger::Trigger};
use crate::{
    kernel::alert_rule::Severity,
    redact::{Redact, Redactor, neutral::neutralised},
};

/// The phase of an alert that a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeStatus {
    /// The incident has begun.
    Firing,
    /// The incident continues: repeated after `alerts.repeat`.
    StillFiring,
    /// The incident has ended.
    Resolved,
    /// A summary of alerts that the channel's rate or the quiet hours suppressed.
    Digest,
    /// A test message was requested.
    Test,
}

impl NoticeStatus {
    const ALL: [NoticeStatus; 5] = [
        NoticeStatus::Firing,
        NoticeStatus::StillFiring,
        NoticeStatus::Resolved,
        NoticeStatus::Digest,
        NoticeStatus::Test,
    ];

    pub(super) fn from_name(name: &str) -> Option<NoticeStatus> {
        NoticeStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
    }

    /// Returns its name: `firing`, `still_firing`, `resolved`, `digest`, `test`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            NoticeStatus::Firing => "firing",
            NoticeStatus::StillFiring => "still_firing",
            NoticeStatus::Resolved => "resolved",
            NoticeStatus::Digest => "digest",
            NoticeStatus::Test => "test",
        }
    }
}

/// Calls within this time happened at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// One alert that a digest summarises.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SuppressedAlert {
    /// Its event.
    pub event: String,
    /// The status of the message that was suppressed.
    pub status: NoticeStatus,
    /// Its severity.
    pub severity: Severity,
    /// The number of its calls.
    pub count: u64,
}

/// The content of an alert's message, before a channel puts it into its own form.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notice {
    /// The phase of the alert.
    pub status: NoticeStatus,
    /// Identifies the alert across all its messages; empty for a digest.
    pub key: String,
    /// The event that alerts.
    pub event: String,
    /// The functions that alert; the first one began.
    pub functions: Vec<String>,
    /// Whether these are operations, such as routes of a server: the title then names them, and
    /// not the event.
    pub is_operation: bool,
    /// The property of their calls that alerts.
    pub trigger: Trigger,
    /// Its severity.
    pub severity: Severity,
    /// The severity of the last message, when it has risen since.
    pub risen_from: Option<Severity>,
    /// How many calls so far.
    pub count: u64,
    /// When the first call ended, in microseconds since the Unix epoch.
    pub first: u64,
    /// When the last call ended.
    pub last: u64,
    /// When it is resolved: for how long there was no further call. Zero when that is not why.
    pub quiet: Duration,
    /// The different errors, the most frequent first, at most ten.
    pub errors: Vec<ErrorGroup>,
    /// How many calls failed with errors beyond these ten; in a digest, how many alerts are not
    /// named.
    pub more: u64,
    /// The trace of one of the calls, in hexadecimal; empty for none.
    pub trace_id: String,
    /// What one of the calls shows in text lines as an operation besides, such as its model, tokens and cost:
    /// names and values.
    pub attributes: Vec<(String, String)>,
    /// The alerts that a digest summarises.
    pub suppressed: Vec<SuppressedAlert>,
    /// The service's name.
    pub service: String,
    /// The deployment environment.
    pub environment: String,
    /// The machine's name.
    pub host: String,
    /// The page with instructions.
    pub runbook: Option<String>,
    /// The page of the dashboard.
    pub dashboard: Option<String>,
    /// The page of the trace `trace_id`.
    pub trace_url: Option<String>,
    /// The issues of that trace in Sentry.
    pub sentry_url: Option<String>,
    /// The LogRocket session in which one of the calls was made.
    pub session_url: Option<String>,
}

impl Notice {
    /// Returns the time from the first call to the last.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.last.saturating_sub(self.first))
    }

    /// Returns the pages to open, each with its label, the most useful first.
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

    /// Returns a message with a status and nothing else.
    pub(super) fn empty(status: NoticeStatus, now: u64) -> Notice {
        Notice {
            status,
            key: String::new(),
            event: String::new(),
            functions: Vec::new(),
            is_operation: false,
            trigger: Trigger::Error,
            severity: Severity::Info,
            risen_from: None,
            count: 0,
            first: now,
            last: now,
            quiet: Duration::ZERO,
            errors: Vec::new(),
            more: 0,
            trace_id: String::new(),
            attributes: Vec::new(),
            suppressed: Vec::new(),
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

    /// Returns a message to test a channel with.
    pub(super) fn test(now: u64) -> Notice {
        Notice {
            key: format!("test-{now}"),
            event: "test".to_owned(),
            ..Notice::empty(NoticeStatus::Test, now)
        }
    }

    /// Returns what the title names: the event; of operations, which share one, the first of them.
    fn subject(&self) -> Cow<'_, str> {
        match self.functions.as_slice() {
            [route] if self.is_operation => route.into(),
            [route, others @ ..] if self.is_operation => {
                format!("{route} and {} more", others.len()).into()
            }
            _ => self.event.as_str().into(),
        }
    }

    /// Returns the verb of the title: "failing" for failures of several kinds.
    fn verb(&self) -> &'static str {
        let other =
            |error: &ErrorGroup| error.trigger != self.trigger && error.trigger.is_failure();
        if self.trigger.is_failure() && self.errors.iter().any(other) {
            return Trigger::Error.verb();
        }
        self.trigger.verb()
    }

    /// Returns the title of an end. One call has no duration that could be told.
    fn resolved(&self, event: &str) -> String {
        let quiet = match self.quiet {
            Duration::ZERO => String::new(),
            quiet => format!(", not seen again for {}", text::duration(quiet)),
        };
        let (calls, time) = (text::calls(self.count), self.duration());
        match self.count {
            1 if self.trigger == Trigger::Stalled => {
                format!("{event} resolved: the stalled call has ended")
            }
            1 => format!("{event} resolved: one {}{quiet}", self.trigger.noun()),
            _ if time < AT_ONCE => format!("{event} resolved: {calls} at once{quiet}"),
            _ => {
                let time = text::duration(time);
                format!("{event} resolved after {time}: {calls}")
            }
        }
    }

    /// Returns a summary in one line: "query failing: 37 calls in 12 s".
    #[must_use]
    pub fn title(&self) -> String {
        let (event, verb) = (self.subject(), self.verb());
        let calls = text::calls(self.count);
        let time = text::duration(self.duration());
        match self.status {
            NoticeStatus::Firing if self.trigger == Trigger::Budget => {
                let used = self.errors.first().map_or(verb, |used| &used.message);
                format!("{event} budget: {used}")
            }
            NoticeStatus::Firing if self.count == 1 => format!("{event} {verb}"),
            NoticeStatus::Firing => format!("{event} {verb}: {calls} in {time}"),
            NoticeStatus::StillFiring => format!("{event} still {verb}: {calls} in {time}"),
            NoticeStatus::Resolved => self.resolved(&event),
            NoticeStatus::Digest => {
                let named = u64::try_from(self.suppressed.len()).unwrap_or(u64::MAX);
                let all = named.saturating_add(self.more);
                match all {
                    1 => "1 more alert was held back".to_owned(),
                    _ => format!("{all} more alerts were held back"),
                }
            }
            NoticeStatus::Test => "This is a test: alerts arrive here".to_owned(),
        }
    }
}

impl Redact for Notice {
    fn redact(&mut self, redactor: &Redactor) {
        for error in &mut self.errors {
            if let Cow::Owned(clean) = neutralised(redactor.redact(&error.message)) {
                error.message = clean;
            }
        }
    }
}
