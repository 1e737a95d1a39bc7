//! One record or one event as a JSON object with the names of this crate, and the pieces that objects
//! with other names are made of. Every text from outside goes through the escaper.
//!
//! `trace_id`, `span_id` and `trace_flags` are named and written as OpenTelemetry asks of formats
//! other than its own ("Trace Context in non-OTLP Log Formats", specification 1.55).

use tracing::Level;

use super::{
    super::{escape::escape_json, timestamp},
    OWN_TARGET, Style, lost, marks, operation,
    put::{put, put_f64, put_hex, put_hex8, put_hex64, put_i64, put_millis, put_u64},
};
use crate::kernel::{
    clock,
    error_info::ErrorInfo,
    ids::SpanId,
    operation::Attribute,
    record::Record,
    request_context::{RequestContext, SAMPLED},
    service::Service,
    sink::LogEvent,
    site::{PreparedTexts, Site},
    value::Value,
};

pub(super) fn call(out: &mut Vec<u8>, style: &Style, record: &Record<'_>) {
    head(out, record.time, record.level());
    operation::summary(out, style, record, escape_json);
    let prepared = record.site.prepared(prepare);
    put(out, &prepared.event);
    put(out, record.outcome.as_str());
    put(out, "\",\"duration_ms\":");
    put_millis(out, record.duration);
    let function = record.site.function();
    if function.len() <= style.max_value_bytes {
        put(out, &prepared.function);
    } else {
        put(out, ",\"function\":");
        put_json(out, style, function);
        put(out, ",\"trace_id\":\"");
    }
    put_hex(out, record.trace_id);
    put(out, "\",\"span_id\":\"");
    put_hex64(out, record.span_id.0);
    match record.trace_flags {
        // Most calls are sampled: their flags cost one copy, not two.
        SAMPLED => put(out, "\",\"trace_flags\":\"01\""),
        flags => put_flags(out, "\",\"trace_flags\":\"", flags),
    }
    put_parent(out, ",\"parent_span_id\":\"", record.parent_id);
    put_request(out, style, record.request);
    if let Some(error) = record.error {
        put_error(out, style, error);
    }
    put_fields(out, style, record);
    put(out, &style.end);
}

/// Returns what all lines of a site have in common.
#[cold]
fn prepare(site: &Site) -> PreparedTexts {
    let mut function = b",\"function\":\"".to_vec();
    escape_json(&mut function, site.function(), usize::MAX);
    put(&mut function, "\",\"trace_id\":\"");
    PreparedTexts {
        // The compiler has checked that an event's name needs no escape.
        event: format!("\",\"event\":\"{}\",\"outcome\":\"", site.event).into(),
        function: String::from_utf8_lossy(&function).into(),
    }
}

pub(super) fn event(out: &mut Vec<u8>, style: &Style, event: &LogEvent<'_>) {
    head(out, event.time, event.level);
    escape_json(out, event.message, style.max_value_bytes);
    put(out, "\",\"target\":");
    put_json(out, style, event.target);
    if !event.trace_id.is_none() {
        put(out, ",\"trace_id\":\"");
        put_hex(out, event.trace_id);
        put(out, "\",\"span_id\":\"");
        put_hex64(out, event.span_id.0);
        put_flags(out, "\",\"trace_flags\":\"", event.trace_flags);
    }
    put_request(out, style, event.request);
    if !event.fields.is_empty() {
        put(out, ",\"fields\":{");
        let mut members = Members::first();
        for (name, value) in event.fields {
            members.put(out, style, name, value);
        }
        put(out, "}");
    }
    put(out, &style.end);
}

pub(super) fn notice(out: &mut Vec<u8>, style: &Style, count: u64, reason: &str) {
    head(out, clock::now_micros(), Level::WARN);
    lost(out, count, reason);
    put(out, "\",\"target\":");
    put_plain(out, OWN_TARGET);
    put(out, style.notice_end());
}

/// Appends the end of every line.
pub(super) fn end(out: &mut Vec<u8>, style: &Style, service: &Service) {
    put_known(out, style, ",\"service\":", &service.name);
    put_known(out, style, ",\"environment\":", &service.environment);
    put_known(out, style, ",\"version\":", &service.release);
    put_known(out, style, ",\"host\":", service.known_host());
    put(out, "}\n");
}

/// Opens the object and the text of `message`.
fn head(out: &mut Vec<u8>, time: u64, level: Level) {
    put(out, "{\"time\":\"");
    timestamp::rfc3339(out, time);
    put(out, "\",\"level\":\"");
    put(out, level.as_str());
    put(out, "\",\"message\":\"");
}

/// The member `member` with a text, unless that is not known.
pub(super) fn put_known(out: &mut Vec<u8>, style: &Style, member: &str, text: &str) {
    if !text.is_empty() {
        put(out, member);
        put_json(out, style, text);
    }
}

/// The flags of the trace as two hexadecimal digits, as `traceparent` has them (W3C Trace Context),
/// and the quote behind them. `member` goes up to the digits.
#[inline]
pub(super) fn put_flags(out: &mut Vec<u8>, member: &str, flags: u8) {
    put(out, member);
    match flags {
        SAMPLED => put(out, "01\""),
        flags => {
            put_hex8(out, flags);
            put(out, "\"");
        }
    }
}

/// The span that the call was made in, where there is one. `member` goes up to its digits.
#[inline]
pub(super) fn put_parent(out: &mut Vec<u8>, member: &str, parent: SpanId) {
    if !parent.is_none() {
        put(out, member);
        put_hex64(out, parent.0);
        put(out, "\"");
    }
}

fn put_request(out: &mut Vec<u8>, style: &Style, request: Option<&RequestContext>) {
    let Some(request) = request else { return };
    put(out, ",\"request_id\":");
    put_json(out, style, request.id.as_str());
    if let Some(session) = &request.session_url {
        put(out, ",\"session\":");
        put_json(out, style, session);
    }
}

fn put_error(out: &mut Vec<u8>, style: &Style, error: &ErrorInfo) {
    put(out, ",\"error\":{\"type\":");
    put_json(out, style, error.type_name);
    put(out, ",\"message\":");
    put_json(out, style, &error.message);
    put(out, ",\"class\":\"");
    put(out, error.class.as_str());
    put(out, "\",\"chain\":[");
    for (at, cause) in error.chain.iter().enumerate() {
        if at > 0 {
            put(out, ",");
        }
        put_json(out, style, cause);
    }
    put(out, "]");
    if let Some(location) = &error.location {
        put(out, ",\"location\":");
        put_json(out, style, location);
    }
    put(out, "}");
}

fn put_fields(out: &mut Vec<u8>, style: &Style, record: &Record<'_>) {
    let marked = marks(record);
    let none = record.fields.is_empty()
        && record.operation.is_none()
        && record.items.is_none()
        && record.chunks.is_none()
        && record.quality.is_none()
        && marked.iter().all(|(_, set)| !set);
    if none {
        return;
    }
    put(out, ",\"fields\":{");
    let mut members = Members::first();
    operation::json(out, style, &mut members, record);
    for (name, value) in record.fields.iter() {
        members.put(out, style, name, value);
    }
    if let Some(items) = record.items {
        members.put(out, style, "items", &Value::U64(items));
    }
    if let Some(chunks) = record.chunks {
        members.put(out, style, "chunks", &Value::U64(chunks));
    }
    if let Some(quality) = record.quality {
        members.put(out, style, "quality", &Value::F64(quality));
    }
    for (mark, _) in marked.into_iter().filter(|(_, set)| *set) {
        members.put(out, style, mark, &Value::Bool(true));
    }
    put(out, "}");
}

/// The members of a JSON object: remembers whether a comma is due.
pub(super) struct Members(bool);

impl Members {
    /// The members of an object that has none yet.
    pub(super) const fn first() -> Members {
        Members(false)
    }

    /// The members that follow others.
    pub(super) const fn further() -> Members {
        Members(true)
    }

    fn name(&mut self, out: &mut Vec<u8>, style: &Style, name: &str) {
        if std::mem::replace(&mut self.0, true) {
            put(out, ",");
        }
        put_json(out, style, name);
        put(out, ":");
    }

    /// The name of an attribute, which has no quote in it.
    pub(super) fn attribute(&mut self, out: &mut Vec<u8>, attribute: Attribute<'_>) {
        let comma = std::mem::replace(&mut self.0, true);
        let member = attribute.member();
        if !member.is_empty() {
            let from = usize::from(!comma);
            return put(out, member.get(from..).unwrap_or_default());
        }
        put(out, if comma { ",\"" } else { "\"" });
        put(out, attribute.name());
        put(out, "\":");
    }

    pub(super) fn text(&mut self, out: &mut Vec<u8>, style: &Style, name: &str, text: &str) {
        self.name(out, style, name);
        put_json(out, style, text);
    }

    pub(super) fn put(&mut self, out: &mut Vec<u8>, style: &Style, name: &str, value: &Value) {
        self.name(out, style, name);
        put_value(out, style, value);
    }
}

pub(super) fn put_value(out: &mut Vec<u8>, style: &Style, value: &Value) {
    match value {
        Value::Str(text) => put_json(out, style, text),
        // JSON has no NaN and no infinities.
        Value::F64(number) if !number.is_finite() => put(out, "null"),
        number => put_number(out, number),
    }
}

/// A text that needs no escape, in quotes.
pub(super) fn put_plain(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    put(out, text);
    out.push(b'"');
}

pub(super) fn put_json(out: &mut Vec<u8>, style: &Style, text: &str) {
    out.push(b'"');
    escape_json(out, text, style.max_value_bytes);
    out.push(b'"');
}

pub(super) fn put_number(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::I64(v) => put_i64(out, *v),
        Value::U64(v) => put_u64(out, *v),
        Value::F64(v) => put_f64(out, *v),
        Value::Bool(v) => put(out, if *v { "true" } else { "false" }),
        Value::Str(_) => {}
    }
}
