//! One record or one event as a JSON object with the names of OpenTelemetry.
//!
//! The members are the fields of the Logs Data Model, specification 1.55 (stable):
//! <https://opentelemetry.io/docs/specs/otel/logs/data-model/>. Attributes have the names of the
//! semantic conventions 1.41 where there is one, else names under `llm_observe.`. As in OTLP's JSON,
//! nanoseconds are a text of digits, since few readers keep all 64 bits of a number, and ids are
//! lowercase hexadecimal digits.

use tracing::Level;

use super::{
    super::escape::{Escaper, Syntax, escape_json},
    OWN_TARGET, Style,
    json::{Members, put_flags, put_json, put_known, put_parent, put_plain},
    lost, marks, operation,
    put::{put, put_f64, put_hex, put_hex64, put_millis, put_u64},
};
use crate::kernel::{
    clock,
    error_info::ErrorInfo,
    ids::{SpanId, TraceId},
    record::Record,
    request_context::RequestContext,
    service::Service,
    sink::LogEvent,
};

pub(super) fn call(out: &mut Vec<u8>, style: &Style, record: &Record<'_>) {
    head(out, record.time, record.level());
    operation::summary(out, style, record, escape_json);
    put(out, "\"");
    put_ids(out, record.trace_id, record.span_id, record.trace_flags);
    put(out, ",\"EventName\":");
    put_plain(out, record.site.event);
    put(out, ",\"Attributes\":{\"llm_observe.outcome\":");
    put_plain(out, record.outcome.as_str());
    put(out, ",\"llm_observe.duration_ms\":");
    put_millis(out, record.duration);
    put(out, ",\"code.function.name\":");
    put_json(out, style, record.site.function());
    put_parent(out, ",\"llm_observe.parent_span_id\":\"", record.parent_id);
    put_request(out, style, record.request);
    if let Some(error) = record.error {
        put_error(out, style, error);
    }
    let mut members = Members::further();
    operation::json(out, style, &mut members, record);
    put_own(out, record);
    for (name, value) in record.fields.iter() {
        members.put(out, style, name, value);
    }
    put(out, "}");
    put(out, &style.end);
}

pub(super) fn event(out: &mut Vec<u8>, style: &Style, event: &LogEvent<'_>) {
    head(out, event.time, event.level);
    escape_json(out, event.message, style.max_value_bytes);
    put(out, "\"");
    if !event.trace_id.is_none() {
        put_ids(out, event.trace_id, event.span_id, event.trace_flags);
    }
    put(out, ",\"InstrumentationScope\":{\"Name\":");
    put_json(out, style, event.target);
    // A map may be empty, and nothing has to be known of a comma.
    put(out, "},\"Attributes\":{");
    let mut members = Members::first();
    for (name, value) in event.fields {
        members.put(out, style, name, value);
    }
    if let Some(request) = event.request {
        let id = request.id.as_str();
        members.text(out, style, "llm_observe.request_id", id);
        if let Some(session) = &request.session_url {
            members.text(out, style, "llm_observe.session", session);
        }
    }
    put(out, "}");
    put(out, &style.end);
}

pub(super) fn notice(out: &mut Vec<u8>, style: &Style, count: u64, reason: &str) {
    head(out, clock::now_micros(), Level::WARN);
    lost(out, count, reason);
    put(out, "\",\"InstrumentationScope\":{\"Name\":");
    put_plain(out, OWN_TARGET);
    put(out, "}");
    put(out, style.notice_end());
}

/// Appends the end of every line: the resource.
pub(super) fn end(out: &mut Vec<u8>, style: &Style, service: &Service) {
    if service.name.is_empty() {
        return put(out, "}\n");
    }
    put(out, ",\"Resource\":{\"service.name\":");
    put_json(out, style, &service.name);
    put_known(out, style, ",\"service.version\":", &service.release);
    let environment = ",\"deployment.environment.name\":";
    put_known(out, style, environment, &service.environment);
    put_known(out, style, ",\"host.name\":", service.known_host());
    put(out, "}}\n");
}

/// Opens the object and the text of its body.
fn head(out: &mut Vec<u8>, micros: u64, level: Level) {
    put(out, "{\"Timestamp\":\"");
    put_u64(out, micros.saturating_mul(1_000));
    put(out, "\",\"SeverityText\":\"");
    put(out, level.as_str());
    put(out, "\",\"SeverityNumber\":");
    put(out, severity_number(level));
    put(out, ",\"Body\":\"");
}

/// Returns the smallest number of the level's range.
const fn severity_number(level: Level) -> &'static str {
    match level {
        Level::TRACE => "1",
        Level::DEBUG => "5",
        Level::INFO => "9",
        Level::WARN => "13",
        Level::ERROR => "17",
    }
}

fn put_ids(out: &mut Vec<u8>, trace: TraceId, span: SpanId, flags: u8) {
    put(out, ",\"TraceId\":\"");
    put_hex(out, trace);
    put(out, "\",\"SpanId\":\"");
    put_hex64(out, span.0);
    put_flags(out, "\",\"TraceFlags\":\"", flags);
}

fn put_request(out: &mut Vec<u8>, style: &Style, request: Option<&RequestContext>) {
    let Some(request) = request else { return };
    put(out, ",\"llm_observe.request_id\":");
    put_json(out, style, request.id.as_str());
    if let Some(session) = &request.session_url {
        put(out, ",\"llm_observe.session\":");
        put_json(out, style, session);
    }
}

fn put_error(out: &mut Vec<u8>, style: &Style, error: &ErrorInfo) {
    put(out, ",\"error.type\":");
    put_plain(out, error.class.as_str());
    put(out, ",\"exception.type\":");
    put_json(out, style, error.type_name);
    put(out, ",\"exception.message\":");
    put_json(out, style, &error.message);
    put_trace(out, style, ",\"exception.stacktrace\":", error);
}

/// Where a panic started, and the causes of an error, where there are any, one a line of the text.
pub(super) fn put_trace(out: &mut Vec<u8>, style: &Style, member: &str, error: &ErrorInfo) {
    if error.location.is_none() && error.chain.is_empty() {
        return;
    }
    put(out, member);
    put(out, "\"");
    let mut text = Escaper::new(out, style.max_value_bytes, Syntax::Json);
    let mut separator = "";
    let location = error.location.iter().map(|at| ("at ", at));
    let causes = error.chain.iter().map(|cause| ("caused by: ", cause));
    for (word, value) in location.chain(causes) {
        text.push(separator);
        text.push(word);
        text.push(value);
        separator = "\n";
    }
    text.finish();
    put(out, "\"");
}

/// What is recorded of every call, under this crate's names.
pub(super) fn put_own(out: &mut Vec<u8>, record: &Record<'_>) {
    if let Some(items) = record.items {
        put(out, ",\"llm_observe.items\":");
        put_u64(out, items);
    }
    if let Some(chunks) = record.chunks {
        put(out, ",\"llm_observe.chunks\":");
        put_u64(out, chunks);
    }
    if let Some(quality) = record.quality {
        put(out, ",\"llm_observe.quality\":");
        match quality.is_finite() {
            true => put_f64(out, quality),
            false => put(out, "null"),
        }
    }
    for (mark, _) in marks(record).into_iter().filter(|(_, set)| *set) {
        put(out, ",\"llm_observe.");
        put(out, mark);
        put(out, "\":true");
    }
}
