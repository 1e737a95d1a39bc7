//! What is reported of a failed call.

use std::{borrow::Cow, time::Duration};

use serde_json::{Map, Value as Json};

use super::{
    frames::{self, Frame},
    scope::TrackerScope,
    size::ReportSize,
};
use crate::{
    breadcrumbs::{self, Breadcrumb},
    kernel::{
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        outcome::{ErrorClass, Outcome},
        record::Record,
        request_context::{RequestContext, RequestId},
        value::Value,
    },
    outbox::{now_micros, text::truncate},
    redact::{Redact, Redactor, neutral::neutralised},
};

/// The longest value in bytes of JSON: Sentry cuts those of more than 16 KiB.
const MOST_VALUE: usize = 16_000;

/// The longest address of a request, in characters.
const MOST_URL: usize = 2_000;

/// What is reported of a failed call, or of several that failed alike.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The name of the event.
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
    pub class: ErrorClass,
    /// The texts of its causes, the nearest first.
    pub chain: Vec<String>,
    /// The frames of a panic, innermost first.
    pub frames: Vec<Frame>,
    /// When the call ended, in microseconds since the Unix epoch.
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
    /// The request that the call served, if any.
    pub request: Option<RequestInfo>,
    /// Where the call's operation went, such as a URL or the name of a queue.
    pub location: Option<String>,
    /// What happened before, oldest first: in the same trace, and outside of any trace on the same
    /// thread.
    pub breadcrumbs: Vec<Breadcrumb>,
    /// What a tracker kept of the thread of the call.
    pub scope: Option<TrackerScope>,
    /// How many calls it represents.
    pub count: u64,
}

/// The request that a call served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestInfo {
    /// The method.
    pub method: String,
    /// The template of its route, such as `/users/{id}`; empty when not known.
    pub route: String,
    /// The request's id; empty when it has none.
    pub id: String,
    /// A link to the session in which its user made it.
    pub session_url: Option<String>,
}

impl RequestInfo {
    fn of(request: &RequestContext) -> RequestInfo {
        RequestInfo {
            method: request.method.to_owned(),
            route: request.route.unwrap_or_default().to_owned(),
            id: request.id.to_string(),
            session_url: request.session_url.clone(),
        }
    }
}

impl Report {
    /// Returns the latest breadcrumbs, as many as `size` has room for, the oldest first.
    pub(super) fn latest_breadcrumbs(&self, size: ReportSize) -> impl Iterator<Item = &Breadcrumb> {
        self.breadcrumbs.iter().rev().take(size.breadcrumbs).rev()
    }

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
            fields: operation_attributes(record)
                .into_iter()
                .chain(fields)
                .collect(),
            request: record.request.map(RequestInfo::of),
            location: record
                .operation
                .and_then(|operation| operation.location())
                .map(Cow::into_owned),
            breadcrumbs: breadcrumbs::before(record.trace_id),
            scope: None,
            count: 1,
        }
    }

    /// Returns a report to test a tracker with.
    pub(super) fn test() -> Report {
        Report {
            event: "test".to_owned(),
            function: "llm_observe::Observer::send_test".to_owned(),
            source: (String::new(), 0),
            outcome: Outcome::Error,
            type_name: "Test".to_owned(),
            message: "this is a test: error reports arrive here".to_owned(),
            class: ErrorClass::Other,
            chain: Vec::new(),
            frames: Vec::new(),
            time: now_micros(),
            duration: Duration::ZERO,
            trace_id: TraceId::random(),
            span_id: SpanId::random(),
            parent_id: SpanId::default(),
            fields: Vec::new(),
            request: None,
            location: None,
            breadcrumbs: Vec::new(),
            scope: None,
            count: 1,
        }
    }

    /// Returns a new id in the form of a UUID, version 4.
    pub(super) fn id(&self) -> String {
        RequestId::random().to_string()
    }

    /// Returns everything but the error as one JSON object.
    pub(super) fn details(&self, size: ReportSize) -> Json {
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
        all.extend(self.recorded(size));
        all.extend(self.of_request(size));
        Json::Object(all)
    }

    /// Returns where the operation went, else the route of the request that the call served.
    pub(super) fn url(&self) -> Option<String> {
        let route = || self.request.as_ref().map(|request| request.route.clone());
        let url = self.location.clone().or_else(route);
        let url = url.filter(|url| !url.is_empty())?;
        Some(truncate(&url, MOST_URL))
    }

    /// Returns the recorded values, long texts cut.
    pub(super) fn recorded(&self, size: ReportSize) -> impl Iterator<Item = (String, Json)> {
        let fields = self.fields.iter().take(size.fields);
        fields.map(move |(name, value)| (truncate(name, size.name), json(value, size.value)))
    }

    /// Returns what is known of the request besides its method and route.
    pub(super) fn of_request(&self, size: ReportSize) -> impl Iterator<Item = (String, Json)> {
        let id = self.request.as_ref().map(|request| request.id.as_str());
        let id = id.filter(|id| !id.is_empty());
        let id = id.map(|id| truncate(id, size.name));
        let session = self.request.as_ref().and_then(|r| r.session_url.clone());
        // The name that LogRocket gives it in other trackers (docs.logrocket.com, "Sentry").
        let all = [("request_id", id), ("sessionURL", session)];
        all.into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text?.into())))
    }
}

/// Returns the attributes of the call's operation. Those that must not leave the machine, such as a
/// query that a person wrote, are left out.
fn operation_attributes(record: &Record<'_>) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    if let Some(operation) = record.operation {
        operation.attributes(&mut |attribute, value| {
            if !attribute.name().is_empty() && !attribute.is_local() {
                all.push((attribute.name().to_owned(), value.to_value()));
            }
        });
    }
    all
}

/// Returns a recorded value as JSON, a text of more than `most` characters cut.
fn json(value: &Value, most: usize) -> Json {
    match value {
        Value::Str(text) => short(text, most),
        Value::I64(n) => (*n).into(),
        Value::U64(n) => (*n).into(),
        Value::F64(n) => (*n).into(),
        Value::Bool(b) => (*b).into(),
    }
}

/// Returns a prefix of a text; a shorter one when its JSON form is long, such as that of control
/// characters.
fn short(text: &str, most: usize) -> Json {
    let kept = Json::from(truncate(text, most));
    if most > 1 && kept.to_string().len() > MOST_VALUE {
        return short(text, most / 2);
    }
    kept
}

impl Redact for Report {
    fn redact(&mut self, redactor: &Redactor) {
        for (name, value) in &mut self.fields {
            value.redact(name, redactor);
        }
        let values = self.fields.iter_mut().filter_map(|(_, value)| match value {
            Value::Str(text) => Some(text),
            _ => None,
        });
        let request = self.request.iter_mut();
        let request = request.flat_map(|r| [&mut r.method, &mut r.route, &mut r.id]);
        let error = [&mut self.message].into_iter().chain(&mut self.chain);
        let location = self.location.iter_mut();
        for text in values.chain(error).chain(request).chain(location) {
            let clean = redactor.redact(text);
            if let Cow::Owned(clean) = neutralised(clean) {
                *text = clean;
            }
        }
    }
}
