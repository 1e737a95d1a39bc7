//! One record or one event as a JSON object with the names of the Elastic Common Schema.
//!
//! The members are fields of ECS 8.11: <https://www.elastic.co/guide/en/ecs/8.11/index.html>. Names have
//! dots, and the first three members are in the order that ECS logging asks for:
//! <https://github.com/elastic/ecs-logging/blob/main/spec/spec.json>. What ECS has no field for is under
//! `llm_observe.`. Fields of the program are `labels`, which are texts, and `numeric_labels`, as
//! Elastic's agents have them; attributes of operations keep the names of OpenTelemetry, which ECS
//! shares for HTTP and URLs.

use tracing::Level;

use super::{
    super::{
        escape::{Escaper, Syntax, escape_json},
        timestamp,
    },
    OWN_TARGET, Style,
    json::{Members, put_flags, put_json, put_known, put_number, put_parent, put_plain, put_value},
    lost, operation,
    otel::{put_own, put_trace},
    put::{put, put_hex, put_hex64, put_u64},
};
use crate::kernel::{
    carried::USER,
    clock,
    error_info::ErrorInfo,
    ids::{SpanId, TraceId},
    outcome::Outcome,
    record::Record,
    request_context::RequestContext,
    service::Service,
    sink::LogEvent,
    value::Value,
};

pub(super) fn call(out: &mut Vec<u8>, style: &Style, record: &Record<'_>) {
    head(out, record.time, record.level());
    operation::summary(out, style, record, escape_json);
    put(out, "\",\"event.action\":");
    put_plain(out, record.site.event);
    put(out, ",\"event.outcome\":");
    put_plain(out, outcome(record.outcome));
    put(out, ",\"event.duration\":");
    put_u64(
        out,
        u64::try_from(record.duration.as_nanos()).unwrap_or(u64::MAX),
    );
    put(out, ",\"llm_observe.outcome\":");
    put_plain(out, record.outcome.as_str());
    put(out, ",\"log.origin.function\":");
    put_json(out, style, record.site.function());
    put_ids(out, record.trace_id, record.span_id, record.trace_flags);
    put_parent(out, ",\"llm_observe.parent_span_id\":\"", record.parent_id);
    put_request(out, style, record.request);
    if let Some(error) = record.error {
        put_error(out, style, error);
    }
    operation::json(out, style, &mut Members::further(), record);
    put_own(out, record);
    put_fields(out, style, || record.fields.iter());
    put(out, &style.end);
}

pub(super) fn event(out: &mut Vec<u8>, style: &Style, event: &LogEvent<'_>) {
    head(out, event.time, event.level);
    escape_json(out, event.message, style.max_value_bytes);
    put(out, "\",\"log.logger\":");
    put_json(out, style, event.target);
    if !event.trace_id.is_none() {
        put_ids(out, event.trace_id, event.span_id, event.trace_flags);
    }
    put_request(out, style, event.request);
    put_fields(out, style, || {
        event.fields.iter().map(|(name, value)| (*name, value))
    });
    put(out, &style.end);
}

pub(super) fn notice(out: &mut Vec<u8>, style: &Style, count: u64, reason: &str) {
    head(out, clock::now_micros(), Level::WARN);
    lost(out, count, reason);
    put(out, "\",\"log.logger\":");
    put_plain(out, OWN_TARGET);
    put(out, style.notice_end());
}

/// Appends the end of every line.
pub(super) fn end(out: &mut Vec<u8>, style: &Style, service: &Service) {
    put(out, ",\"ecs.version\":\"8.11.0\"");
    put_known(out, style, ",\"service.name\":", &service.name);
    let environment = ",\"service.environment\":";
    put_known(out, style, environment, &service.environment);
    put_known(out, style, ",\"service.version\":", &service.release);
    put_known(out, style, ",\"host.hostname\":", service.known_host());
    if !service.name.is_empty() {
        let dataset = format!("{}.log", service.name);
        put_known(out, style, ",\"event.dataset\":", &dataset);
    }
    put(out, "}\n");
}

/// Opens the object and the text of `message`.
fn head(out: &mut Vec<u8>, time: u64, level: Level) {
    put(out, "{\"@timestamp\":\"");
    timestamp::rfc3339(out, time);
    put(out, "\",\"log.level\":\"");
    put(out, level.as_str());
    put(out, "\",\"message\":\"");
}

/// Returns one of the three values that `event.outcome` may have.
const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "success",
        Outcome::Error | Outcome::Timeout | Outcome::Panic => "failure",
        // Whoever dropped it did not want to know.
        Outcome::Cancelled => "unknown",
    }
}

fn put_ids(out: &mut Vec<u8>, trace: TraceId, span: SpanId, flags: u8) {
    put(out, ",\"trace.id\":\"");
    put_hex(out, trace);
    put(out, "\",\"span.id\":\"");
    put_hex64(out, span.0);
    put_flags(out, "\",\"llm_observe.trace_flags\":\"", flags);
}

fn put_request(out: &mut Vec<u8>, style: &Style, request: Option<&RequestContext>) {
    let Some(request) = request else { return };
    put(out, ",\"http.request.id\":");
    put_json(out, style, request.id.as_str());
    if let Some(session) = &request.session_url {
        put(out, ",\"llm_observe.session\":");
        put_json(out, style, session);
    }
}

fn put_error(out: &mut Vec<u8>, style: &Style, error: &ErrorInfo) {
    put(out, ",\"error.type\":");
    put_json(out, style, error.type_name);
    put(out, ",\"error.message\":");
    put_json(out, style, &error.message);
    put(out, ",\"error.code\":");
    put_plain(out, error.class.as_str());
    put_trace(out, style, ",\"error.stack_trace\":", error);
}

/// The fields of the program: the user under ECS's own name; other texts and truth values as `labels`, which are keywords, and numbers as
/// `numeric_labels`.
fn put_fields<'n, 'v, I>(out: &mut Vec<u8>, style: &Style, fields: impl Fn() -> I)
where
    I: Iterator<Item = (&'n str, &'v Value)>,
{
    let is_user = |name: &str, value: &Value| name == USER && matches!(value, Value::Str(_));
    if let Some((_, user)) = fields().find(|(name, value)| is_user(name, value)) {
        put(out, ",\"user.id\":");
        put_value(out, style, user);
    }
    let is_word = |value: &Value| matches!(value, Value::Str(_) | Value::Bool(_));
    let labels = || fields().filter(|(name, value)| !is_user(name, value));
    for (member, words) in [(",\"labels\":{", true), (",\"numeric_labels\":{", false)] {
        let mut separator = member;
        for (name, value) in labels().filter(|(_, value)| is_word(value) == words) {
            put(out, separator);
            put_label(out, style, name);
            match value {
                Value::Bool(_) => {
                    put(out, "\"");
                    put_number(out, value);
                    put(out, "\"");
                }
                value => put_value(out, style, value),
            }
            separator = ",";
        }
        if separator == "," {
            put(out, "}");
        }
    }
}

/// The name of a label and its colon. A dot in it would make an object of it (ECS logging).
fn put_label(out: &mut Vec<u8>, style: &Style, name: &str) {
    put(out, "\"");
    let mut text = Escaper::new(out, style.max_value_bytes, Syntax::Json);
    for piece in name.split_inclusive(['.', '*', '\\']) {
        match piece.strip_suffix(['.', '*', '\\']) {
            Some(piece) => {
                text.push(piece);
                text.push("_");
            }
            None => text.push(piece),
        }
    }
    text.finish();
    put(out, "\":");
}
