//! A report as Sentry's event, within the sizes that Sentry takes: it drops larger events whole.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use sentry::{
    Level,
    protocol::{
        Context, Event, Exception, Map, Mechanism, SpanStatus, Stacktrace, TraceContext, Value,
    },
};

use super::{Origin, Report};
use crate::{
    alerts::cut,
    outcome::{Class, Outcome},
    record,
    trackers::{
        Frame,
        report::{MOST_FIELDS, json},
    },
};

/// The longest text of an error or cause, in characters.
const MOST_TEXT: usize = 8_000;
/// The longest value of a tag: Sentry cuts at 200.
const MOST_TAG: usize = 200;
/// How many causes are kept.
const MOST_CAUSES: usize = 20;

/// Returns the event of a report. All texts together stay well below Sentry's 1 MiB.
pub(super) fn event(report: &Report, origin: &Origin) -> Event<'static> {
    let fingerprint = [&report.event, &report.type_name, report.class.as_str()];
    let given = |text: &String| Some(text.clone()).filter(|t| !t.is_empty()).map(Cow::Owned);
    Event {
        level: if report.outcome == Outcome::Panic {
            Level::Fatal
        } else {
            Level::Error
        },
        fingerprint: fingerprint
            .map(|part| Cow::Owned(cut(part, MOST_TAG)))
            .to_vec()
            .into(),
        transaction: Some(cut(&report.function, MOST_TAG)),
        logger: Some("llm_observe".to_owned()),
        timestamp: UNIX_EPOCH + Duration::from_micros(report.time),
        server_name: given(&origin.host),
        release: given(&origin.release),
        environment: given(&origin.environment),
        exception: exceptions(report).into(),
        tags: tags(report, origin),
        contexts: contexts(report),
        extra: extra(report),
        sdk: Some(Cow::Owned(super::sdk())),
        ..Event::default()
    }
}

/// Sentry wants the root cause first and the error itself last.
fn exceptions(report: &Report) -> Vec<Exception> {
    let causes = report.chain.iter().take(MOST_CAUSES).rev();
    let mut all: Vec<Exception> = causes.map(|text| exception("cause", text)).collect();
    let mut error = exception(&report.type_name, &report.message);
    error.module = report
        .function
        .rsplit_once("::")
        .map(|(module, _)| module.to_owned());
    error.stacktrace = stacktrace(&report.frames);
    let panic = report.outcome == Outcome::Panic;
    error.mechanism = Some(Mechanism {
        ty: if panic { "panic" } else { "observe" }.to_owned(),
        handled: Some(!panic),
        ..Mechanism::default()
    });
    all.push(error);
    all
}

fn exception(kind: &str, text: &str) -> Exception {
    Exception {
        ty: cut(kind, MOST_TAG),
        value: Some(cut(text, MOST_TEXT)),
        ..Exception::default()
    }
}

/// Sentry wants the outermost frame first.
fn stacktrace(frames: &[Frame]) -> Option<Stacktrace> {
    let frame = |frame: &Frame| sentry::protocol::Frame {
        function: Some(frame.function.clone()).filter(|f| !f.is_empty()),
        filename: Some(frame.file.clone()).filter(|f| !f.is_empty()),
        lineno: Some(frame.line).filter(|n| *n > 0),
        colno: Some(frame.column).filter(|n| *n > 0),
        in_app: Some(frame.is_in_app()),
        ..Default::default()
    };
    let frames: Vec<_> = frames.iter().rev().map(frame).collect();
    (!frames.is_empty()).then(|| Stacktrace {
        frames,
        ..Stacktrace::default()
    })
}

fn tags(report: &Report, origin: &Origin) -> Map<String, String> {
    let tags = [
        ("event", report.event.as_str()),
        ("function", &report.function),
        ("outcome", report.outcome.as_str()),
        ("class", report.class.as_str()),
        ("service", &origin.service),
    ];
    let given = tags.into_iter().filter(|(_, value)| !value.is_empty());
    given
        .map(|(name, value)| (name.to_owned(), cut(value, MOST_TAG)))
        .collect()
}

fn contexts(report: &Report) -> Map<String, Context> {
    let mut contexts = Map::new();
    if !report.trace_id.is_none() && !report.span_id.is_none() {
        contexts.insert("trace".to_owned(), Context::Trace(Box::new(trace(report))));
    }
    let genai: BTreeMap<String, Value> = fields(report)
        .filter(|(name, _)| name.starts_with("gen_ai."))
        .collect();
    if !genai.is_empty() {
        contexts.insert("gen_ai".to_owned(), Context::Other(genai));
    }
    contexts
}

fn trace(report: &Report) -> TraceContext {
    // Both are printed as the hexadecimal that Sentry reads.
    let span = |id: record::SpanId| id.to_string().parse().ok();
    TraceContext {
        trace_id: report.trace_id.to_string().parse().unwrap_or_default(),
        span_id: span(report.span_id).unwrap_or_default(),
        parent_span_id: Some(report.parent_id)
            .filter(|id| !id.is_none())
            .and_then(span),
        op: Some("function".to_owned()),
        status: Some(status(report)),
        ..TraceContext::default()
    }
}

fn status(report: &Report) -> SpanStatus {
    match report.class {
        _ if report.outcome == Outcome::Timeout => SpanStatus::DeadlineExceeded,
        Class::BadRequest | Class::ContextWindowExceeded | Class::ContentPolicy => {
            SpanStatus::InvalidArgument
        }
        Class::Authentication => SpanStatus::Unauthenticated,
        Class::PermissionDenied => SpanStatus::PermissionDenied,
        Class::NotFound => SpanStatus::NotFound,
        Class::Timeout => SpanStatus::DeadlineExceeded,
        Class::RateLimit | Class::BudgetExceeded => SpanStatus::ResourceExhausted,
        Class::Unavailable | Class::Connection => SpanStatus::Unavailable,
        Class::Internal | Class::Other => SpanStatus::InternalError,
    }
}

fn extra(report: &Report) -> Map<String, Value> {
    let mut extra: Map<String, Value> = fields(report)
        .filter(|(name, _)| !name.starts_with("gen_ai."))
        .collect();
    extra.insert(
        "duration_ms".to_owned(),
        (report.duration.as_secs_f64() * 1e3).into(),
    );
    if !report.source.0.is_empty() {
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

fn fields(report: &Report) -> impl Iterator<Item = (String, Value)> {
    report
        .fields
        .iter()
        .take(MOST_FIELDS)
        .map(|(name, value)| (name.clone(), json(value)))
}
