//! What is reported of a failed call.

use std::{borrow::Cow, time::Duration};

use super::frames::{self, Frame};
use crate::{
    outbox::now_micros,
    outcome::{Class, Outcome},
    record::{ErrorInfo, Record, SpanId, TraceId, Value},
    redact::Redactor,
};

/// Who reports.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Origin {
    /// The service's name.
    pub service: String,
    /// The deployment environment.
    pub environment: String,
    /// The release.
    pub release: String,
    /// The machine's name.
    pub host: String,
}

/// What is reported of a failed call, or of several that failed alike.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The event.
    pub event: String,
    /// The function's path.
    pub function: String,
    /// The source file of the function, and the line of its attribute.
    pub source: (String, u32),
    /// How the call ended.
    pub outcome: Outcome,
    /// The error's type, or `panic`.
    pub type_name: String,
    /// The error's text.
    pub message: String,
    /// The kind of failure.
    pub class: Class,
    /// The texts of its causes, the nearest first.
    pub chain: Vec<String>,
    /// The frames of a panic, innermost first.
    pub frames: Vec<Frame>,
    /// When it was: microseconds since the Unix epoch.
    pub time: u64,
    /// How long the call took.
    pub duration: Duration,
    /// The trace of the call.
    pub trace_id: TraceId,
    /// The span of the call.
    pub span_id: SpanId,
    /// The span above it; none at the root.
    pub parent_id: SpanId,
    /// What was recorded on the call.
    pub fields: Vec<(String, Value)>,
    /// How many calls it stands for.
    pub count: u64,
}

impl Report {
    pub(super) fn of(record: &Record<'_>, error: &ErrorInfo) -> Report {
        let site = record.site;
        let fields = record.fields.iter();
        Report {
            event: site.event.to_owned(),
            function: site.function().to_owned(),
            source: (site.file.to_owned(), site.line),
            outcome: record.outcome,
            type_name: error.type_name.to_owned(),
            message: error.message.clone(),
            class: error.class,
            chain: error.chain.clone(),
            frames: frames::of(error),
            time: record.time,
            duration: record.duration,
            trace_id: record.trace_id,
            span_id: record.span_id,
            parent_id: record.parent_id,
            fields: fields
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect(),
            count: 1,
        }
    }

    /// Returns a report that tries a tracker.
    pub(super) fn test() -> Report {
        Report {
            event: "test".to_owned(),
            function: "llm_observe::Observer::send_test".to_owned(),
            source: (String::new(), 0),
            outcome: Outcome::Error,
            type_name: "Test".to_owned(),
            message: "this is a test: error reports arrive here".to_owned(),
            class: Class::Other,
            chain: Vec::new(),
            frames: Vec::new(),
            time: now_micros(),
            duration: Duration::ZERO,
            trace_id: TraceId::random(),
            span_id: SpanId::random(),
            parent_id: SpanId::default(),
            fields: Vec::new(),
            count: 1,
        }
    }

    /// Takes secrets out of every text that came from outside.
    pub(super) fn redacted(mut self, redactor: &Redactor) -> Report {
        let values = self.fields.iter_mut().filter_map(|(_, value)| match value {
            Value::Str(text) => Some(text),
            _ => None,
        });
        for text in values.chain([&mut self.message]).chain(&mut self.chain) {
            if let Cow::Owned(clean) = redactor.redact(text) {
                *text = clean;
            }
        }
        self
    }
}
