//! What is reported of a failed call.

use std::{any::Any, borrow::Cow, fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value as Json};

use super::{
    frames::{self, Frame},
    size::Size,
};
use crate::{
    alerts::cut,
    crumbs::{self, Breadcrumb},
    kernel::{
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        outcome::{ErrorClass, Outcome},
        record::Record,
        request_context::RequestId,
        value::Value,
    },
    outbox::now_micros,
    redact::Redactor,
};

/// The attribute of a request's query.

/// The longest value in bytes of JSON: Sentry cuts those of more than 16 KiB.
const MOST_VALUE: usize = 16_000;

/// The longest address of a request, in characters.
const MOST_URL: usize = 2_000;

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
    pub class: ErrorClass,
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
    /// The request that the call served, where it is known.
    pub request: Option<RequestInfo>,
    /// What came before, of the same trace or, outside of any, on the same thread: oldest first.
    pub breadcrumbs: Vec<Breadcrumb>,
    /// What a tracker took note of on the thread of the call.
    pub scope: Option<Scope>,
    /// How many calls it stands for.
    pub count: u64,
}

/// What a tracker takes note of on the thread of a failing call, such as its SDK's own scope.
#[derive(Clone)]
pub struct Scope(Arc<dyn Any + Send + Sync>);

impl Scope {
    /// Returns a note for a tracker's own use.
    pub fn new(note: impl Any + Send + Sync) -> Scope {
        Scope(Arc::new(note))
    }

    /// Returns the note, where it is of that type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// The HTTP request that a call served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestInfo {
    /// The method.
    pub method: String,
    /// The template of its route, such as `/users/{id}`; empty when not known.
    pub route: String,
    /// The request's id; empty when it has none.
    pub id: String,
    /// A link to the LogRocket session that sent it.
    pub session: Option<String>,
}

impl RequestInfo {
    /// Returns what the HTTP layer knows of the request, or else the call's own fields, named as
    /// by the conventions of OpenTelemetry (1.41).
    fn of(record: &Record<'_>) -> Option<RequestInfo> {
        let text = |name: &str| record.fields.get(name).map(Value::to_string);
        if let Some(request) = record.request {
            return Some(RequestInfo {
                method: request.method.to_owned(),
                route: request.route.unwrap_or_default().to_owned(),
                id: request.id.to_string(),
                session: request.session_url.clone(),
            });
        }
        let method = text("http.request.method");
        let route = text("http.route").or_else(|| text("url.path"));
        (method.is_some() || route.is_some()).then(|| RequestInfo {
            method: method.unwrap_or_default(),
            route: route.unwrap_or_default(),
            ..RequestInfo::default()
        })
    }
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
            fields: of_exchange(record).into_iter().chain(fields).collect(),
            request: RequestInfo::of(record),
            breadcrumbs: crumbs::before(record.trace_id),
            scope: None,
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
            breadcrumbs: Vec::new(),
            scope: None,
            count: 1,
        }
    }

    /// Returns a new id in the form of a UUID, version 4.
    pub(super) fn id(&self) -> String {
        RequestId::random().to_string()
    }

    /// Returns what is known besides the error, as one object of JSON.
    pub(super) fn details(&self, size: Size) -> Json {
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

    /// Returns where the request went: as it was where the call itself is the request, else its
    /// route.
    pub(super) fn url(&self) -> Option<String> {
        let known = ["url.full", "url.path"].iter().find_map(|name| {
            let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
            Some(value.to_string())
        });
        let route = || self.request.as_ref().map(|request| request.route.clone());
        let url = known.or_else(route).filter(|url| !url.is_empty())?;
        Some(cut(&url, MOST_URL))
    }

    /// Returns the recorded values, long texts cut.
    pub(super) fn recorded(&self, size: Size) -> impl Iterator<Item = (String, Json)> {
        let fields = self.fields.iter().take(size.fields);
        fields.map(move |(name, value)| (cut(name, size.name), json(value, size.value)))
    }

    /// Returns what is known of the request besides its method and route.
    pub(super) fn of_request(&self, size: Size) -> impl Iterator<Item = (String, Json)> {
        let id = self.request.as_ref().map(|request| request.id.as_str());
        let id = id.filter(|id| !id.is_empty());
        let id = id.map(|id| cut(id, size.name));
        let session = self.request.as_ref().and_then(|r| r.session.clone());
        // The name that LogRocket gives it in other trackers (docs.logrocket.com, "Sentry").
        let all = [("request_id", id), ("sessionURL", session)];
        all.into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text?.into())))
    }

    /// Takes secrets out of every text that came from outside.
    pub(super) fn redacted(mut self, redactor: &Redactor) -> Report {
        let values = self.fields.iter_mut().filter_map(|(_, value)| match value {
            Value::Str(text) => Some(text),
            _ => None,
        });
        let request = self.request.iter_mut();
        let request = request.flat_map(|r| [&mut r.method, &mut r.route, &mut r.id]);
        let error = [&mut self.message].into_iter().chain(&mut self.chain);
        for text in values.chain(error).chain(request) {
            if let Cow::Owned(clean) = redactor.redact(text) {
                *text = clean;
            }
        }
        self
    }
}

/// Returns what was asked and answered, where the call itself is an HTTP request. Not the query: it may be
/// what a person asked, and a tracker is somebody else's machine.
fn of_exchange(record: &Record<'_>) -> Vec<(String, Value)> {
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

/// Returns the start of a text. Of one that JSON writes at length, such as of control characters,
/// it is shorter.
fn short(text: &str, most: usize) -> Json {
    let kept = Json::from(cut(text, most));
    if most > 1 && kept.to_string().len() > MOST_VALUE {
        return short(text, most / 2);
    }
    kept
}
