//! A report as Sentry's event, within Sentry's size limits: it drops larger events.

use std::{
    borrow::Cow,
    time::{Duration, UNIX_EPOCH},
};

use sentry::{
    Level,
    protocol::{
        Breadcrumb, Context, Event, Exception, Map, Mechanism, Request, SpanStatus, Stacktrace,
        TraceContext, Value,
    },
};

use super::{genai, sdk::sdk};
use crate::{
    breadcrumbs,
    kernel::{
        ids::SpanId,
        outcome::{ErrorClass, Outcome},
    },
    outbox::{origin::Origin, text::truncate},
    trackers::{frames::Frame, report::Report, size::ReportSize},
};

/// The longest value of a tag: Sentry cuts at 200.
const MOST_TAG: usize = 200;
/// The longest category of a breadcrumb.
const MOST_CATEGORY: usize = 128;
/// The longest name of an environment.
const MOST_ENVIRONMENT: usize = 64;

/// Returns the event of a report, in that size.
pub(super) fn event(report: &Report, origin: &Origin, size: ReportSize) -> Event<'static> {
    let fingerprint = [&report.event, &report.type_name, report.class.as_str()];
    let given = |text: &str, most| Some(line(text, most)).filter(|t| !t.is_empty());
    Event {
        level: if report.outcome == Outcome::Panic {
            Level::Fatal
        } else {
            Level::Error
        },
        fingerprint: fingerprint
            .map(|part| Cow::Owned(line(part, MOST_TAG)))
            .to_vec()
            .into(),
        transaction: given(&report.function, MOST_TAG),
        logger: Some("llm_observe".to_owned()),
        timestamp: UNIX_EPOCH + Duration::from_micros(report.time),
        server_name: given(&origin.host, MOST_TAG).map(Cow::Owned),
        release: given(&origin.release, MOST_TAG).map(Cow::Owned),
        environment: given(&origin.environment, MOST_ENVIRONMENT).map(Cow::Owned),
        exception: exceptions(report, size).into(),
        breadcrumbs: breadcrumbs(report, size).into(),
        request: request(report),
        tags: tags(report, origin),
        contexts: contexts(report, size),
        extra: extra(report, size),
        sdk: Some(Cow::Owned(sdk())),
        ..Event::default()
    }
}

/// Returns a text in one line: Sentry refuses line breaks in some fields.
fn line(text: &str, most: usize) -> String {
    truncate(&text.replace(char::is_control, " "), most)
}

/// Sentry expects the root cause first and the error itself last.
fn exceptions(report: &Report, size: ReportSize) -> Vec<Exception> {
    let causes = report.chain.iter().take(size.causes).rev();
    let mut all: Vec<Exception> = causes.map(|text| exception("cause", text, size)).collect();
    let mut error = exception(&report.type_name, &report.message, size);
    error.module = report
        .function
        .rsplit_once("::")
        .map(|(module, _)| truncate(module, size.name));
    error.stacktrace = stacktrace(&report.frames, size);
    let panic = report.outcome == Outcome::Panic;
    error.mechanism = Some(Mechanism {
        ty: if panic { "panic" } else { "observe" }.to_owned(),
        handled: Some(!panic),
        ..Mechanism::default()
    });
    all.push(error);
    all
}

fn exception(kind: &str, text: &str, size: ReportSize) -> Exception {
    Exception {
        ty: truncate(kind, size.name),
        value: Some(truncate(text, size.text)),
        ..Exception::default()
    }
}

/// Sentry expects the outermost frame first.
fn stacktrace(frames: &[Frame], size: ReportSize) -> Option<Stacktrace> {
    let name = |name: &str| Some(truncate(name, size.name)).filter(|name| !name.is_empty());
    let frame = |frame: &Frame| sentry::protocol::Frame {
        function: name(&frame.function),
        filename: name(&frame.file),
        lineno: Some(frame.line).filter(|n| *n > 0),
        colno: Some(frame.column).filter(|n| *n > 0),
        in_app: Some(frame.is_in_app()),
        ..Default::default()
    };
    let frames: Vec<_> = frames.iter().take(size.frames).rev().map(frame).collect();
    (!frames.is_empty()).then(|| Stacktrace {
        frames,
        ..Stacktrace::default()
    })
}

fn breadcrumbs(report: &Report, size: ReportSize) -> Vec<Breadcrumb> {
    let breadcrumb = |breadcrumb: &breadcrumbs::Breadcrumb| Breadcrumb {
        timestamp: UNIX_EPOCH + Duration::from_micros(breadcrumb.time),
        level: match breadcrumb.level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            _ => Level::Info,
        },
        category: Some(truncate(&breadcrumb.category, size.name.min(MOST_CATEGORY))),
        message: Some(truncate(&breadcrumb.message, size.text)),
        ..Breadcrumb::default()
    };
    report.latest_breadcrumbs(size).map(breadcrumb).collect()
}

fn request(report: &Report) -> Option<Request> {
    report.request.as_ref().map(|request| Request {
        // A path or a route is not a URL: it is in the tags.
        url: report.url().and_then(|url| url.parse().ok()),
        method: Some(request.method.clone()).filter(|method| is_method(method)),
        ..Request::default()
    })
}

/// Sentry accepts up to 30 letters, hyphens and underscores.
fn is_method(method: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphabetic() || b == b'-' || b == b'_';
    (1..=30).contains(&method.len()) && method.bytes().all(plain)
}

fn tags(report: &Report, origin: &Origin) -> Map<String, String> {
    let request = report.request.as_ref();
    let tags = [
        ("event", report.event.as_str()),
        ("function", &report.function),
        ("outcome", report.outcome.as_str()),
        ("class", report.class.as_str()),
        ("service", &origin.service),
        ("http.method", request.map_or("", |request| &request.method)),
        ("http.route", request.map_or("", |request| &request.route)),
        ("request_id", request.map_or("", |request| &request.id)),
    ];
    let given = tags.into_iter().filter(|(_, value)| !value.is_empty());
    given
        .map(|(name, value)| (name.to_owned(), line(value, MOST_TAG)))
        .collect()
}

fn contexts(report: &Report, size: ReportSize) -> Map<String, Context> {
    let mut contexts = Map::new();
    if !report.trace_id.is_none() && !report.span_id.is_none() {
        contexts.insert("trace".to_owned(), Context::Trace(Box::new(trace(report))));
    }
    let genai = genai::context(report, size);
    if !genai.is_empty() {
        contexts.insert("gen_ai".to_owned(), Context::Other(genai));
    }
    contexts
}

fn trace(report: &Report) -> TraceContext {
    // Both are printed in the hexadecimal form that Sentry parses.
    let span = |id: SpanId| id.to_string().parse().ok();
    TraceContext {
        trace_id: report.trace_id.to_string().parse().unwrap_or_default(),
        span_id: span(report.span_id).unwrap_or_default(),
        parent_span_id: Some(report.parent_id)
            .filter(|id| !id.is_none())
            .and_then(span),
        op: Some(genai::op(report)),
        status: Some(status(report)),
        ..TraceContext::default()
    }
}

fn status(report: &Report) -> SpanStatus {
    match report.class {
        _ if report.outcome == Outcome::Timeout => SpanStatus::DeadlineExceeded,
        ErrorClass::BadRequest | ErrorClass::ContextWindowExceeded | ErrorClass::ContentPolicy => {
            SpanStatus::InvalidArgument
        }
        ErrorClass::Authentication => SpanStatus::Unauthenticated,
        ErrorClass::PermissionDenied => SpanStatus::PermissionDenied,
        ErrorClass::NotFound => SpanStatus::NotFound,
        ErrorClass::Timeout => SpanStatus::DeadlineExceeded,
        ErrorClass::RateLimit | ErrorClass::BudgetExceeded => SpanStatus::ResourceExhausted,
        ErrorClass::Unavailable | ErrorClass::Connection => SpanStatus::Unavailable,
        ErrorClass::Internal | ErrorClass::Other => SpanStatus::InternalError,
    }
}

fn extra(report: &Report, size: ReportSize) -> Map<String, Value> {
    let mut extra: Map<String, Value> = report
        .recorded(size)
        .filter(|(name, _)| !genai::is_genai(name))
        .collect();
    extra.extend(report.of_request(size));
    extra.insert(
        "duration_ms".to_owned(),
        (report.duration.as_secs_f64() * 1e3).into(),
    );
    // An operation has no line of code.
    if report.source.1 > 0 {
        extra.insert(
            "source".to_owned(),
            format!("{}:{}", report.source.0, report.source.1).into(),
        );
    }
    if report.count > 1 {
        extra.insert("occurrences".to_owned(), report.count.into());
    }
    extra
}
