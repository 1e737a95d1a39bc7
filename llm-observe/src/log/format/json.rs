//! One record or one event as a JSON object. Every text from outside goes through the escaper.

use tracing::Level;

use super::{
    super::{escape::escape_json, timestamp},
    Style, marks, operation,
    put::{put, put_f64, put_hex, put_hex64, put_i64, put_millis, put_u64},
};
use crate::kernel::{
    error_info::ErrorInfo,
    ids::{SpanId, TraceId},
    operation::Attribute,
    record::Record,
    request_context::RequestContext,
    sink::LogEvent,
    site::{PreparedTexts, Site},
    value::Value,
};

pub(super) fn call(out: &mut Vec<u8>, style: Style, record: &Record<'_>) {
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
    put(out, "\"");
    put_request(out, style, record.request);
    if let Some(error) = record.error {
        put_error(out, style, error);
    }
    put_fields(out, style, record);
    put(out, "}\n");
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

pub(super) fn event(out: &mut Vec<u8>, style: Style, event: &LogEvent<'_>) {
    head(out, event.time, event.level);
    escape_json(out, event.message, style.max_value_bytes);
    put(out, "\",\"target\":");
    put_json(out, style, event.target);
    if !event.trace_id.is_none() {
        put_ids(out, event.trace_id, event.span_id);
    }
    put_request(out, style, event.request);
    if !event.fields.is_empty() {
        put(out, ",\"fields\":{");
        let mut members = Members(false);
        for (name, value) in event.fields {
            members.put(out, style, name, value);
        }
        put(out, "}");
    }
    put(out, "}\n");
}

/// Opens the object and the text of `message`.
pub(super) fn head(out: &mut Vec<u8>, time: u64, level: Level) {
    put(out, "{\"time\":\"");
    timestamp::rfc3339(out, time);
    put(out, "\",\"level\":\"");
    put(out, level.as_str());
    put(out, "\",\"message\":\"");
}

fn put_ids(out: &mut Vec<u8>, trace_id: TraceId, span_id: SpanId) {
    put(out, ",\"trace_id\":\"");
    put_hex(out, trace_id);
    put(out, "\",\"span_id\":\"");
    put_hex64(out, span_id.0);
    put(out, "\"");
}

fn put_request(out: &mut Vec<u8>, style: Style, request: Option<&RequestContext>) {
    let Some(request) = request else { return };
    put(out, ",\"request_id\":");
    put_json(out, style, request.id.as_str());
    if let Some(session) = &request.session_url {
        put(out, ",\"session\":");
        put_json(out, style, session);
    }
}

fn put_error(out: &mut Vec<u8>, style: Style, error: &ErrorInfo) {
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

fn put_fields(out: &mut Vec<u8>, style: Style, record: &Record<'_>) {
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
    let mut members = Members(false);
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
    fn name(&mut self, out: &mut Vec<u8>, style: Style, name: &str) {
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

    fn put(&mut self, out: &mut Vec<u8>, style: Style, name: &str, value: &Value) {
        self.name(out, style, name);
        match value {
            Value::Str(text) => put_json(out, style, text),
            // JSON has no NaN and no infinities.
            Value::F64(number) if !number.is_finite() => put(out, "null"),
            number => put_number(out, number),
        }
    }
}

/// A text that needs no escape, in quotes.
pub(super) fn put_plain(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    put(out, text);
    out.push(b'"');
}

pub(super) fn put_json(out: &mut Vec<u8>, style: Style, text: &str) {
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
