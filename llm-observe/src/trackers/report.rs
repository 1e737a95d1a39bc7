//! What is reported of a failed call.

use std::{borrow::Cow, time::Duration};

use serde_json::{Map, Value as Json};

use super::frames::{self, Frame};
use crate::{
    alerts::cut,
    outbox::now_micros,
    outcome::{Class, Outcome},
    record::{ErrorInfo, Record, SpanId, TraceId, Value},
    redact::Redactor,
};

/// The longest recorded value that is reported, in characters.
const MOST_FIELD: usize = 4_000;

/// How many recorded values are reported.
pub(super) const MOST_FIELDS: usize = 100;

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
        let fields = fields.map(|(name, value)| (name.to_owned(), value.clone()));
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
            fields: of_request(record).into_iter().chain(fields).collect(),
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

    /// Returns a new id in the form of a UUID, version 4.
    #[allow(dead_code, reason = "used by some features' trackers only")]
    pub(super) fn id(&self) -> String {
        let random = fastrand::u128(..);
        let id = (random & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
        let hex = format!("{id:032x}");
        let part = |from, to| hex.get(from..to).unwrap_or_default();
        [
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32),
        ]
        .join("-")
    }

    /// Returns what is known besides the error, as one object of JSON.
    #[allow(dead_code, reason = "used by some features' trackers only")]
    pub(super) fn details(&self) -> Json {
        let mut all = Map::new();
        let own = [
            ("event", Json::from(self.event.as_str())),
            ("outcome", self.outcome.as_str().into()),
            ("class", self.class.as_str().into()),
            ("duration_ms", (self.duration.as_secs_f64() * 1e3).into()),
            ("trace_id", self.trace_id.to_string().into()),
            ("span_id", self.span_id.to_string().into()),
            ("occurrences", self.count.into()),
        ];
        all.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let fields = self.fields.iter().take(MOST_FIELDS);
        all.extend(fields.map(|(name, value)| (name.clone(), json(value))));
        Json::Object(all)
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

/// Returns what is known of the HTTP request that the call belongs to, or is.
fn of_request(record: &Record<'_>) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    if let Some(request) = record.request {
        all.push(("request_id".to_owned(), Value::Str(request.id.to_string())));
        let session = request.session.clone();
        all.extend(session.map(|link| ("session".to_owned(), Value::Str(link))));
    }
    if let (Some(exchange), Some(site)) = (record.exchange, record.site.request) {
        exchange.attributes(site, |name, fact| {
            all.push((name.attribute.to_owned(), fact.to_value()));
        });
    }
    all
}

/// Returns a recorded value as JSON, a long text cut.
pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Str(text) => cut(text, MOST_FIELD).into(),
        Value::I64(n) => (*n).into(),
        Value::U64(n) => (*n).into(),
        Value::F64(n) => (*n).into(),
        Value::Bool(b) => (*b).into(),
    }
}
