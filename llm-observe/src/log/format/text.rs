//! One record or one event as a line for people.

use tracing::Level;

use super::{
    super::{escape::escape_text, timestamp},
    Style,
    json::{put_json, put_number},
    lost, marks, operation,
    put::{put, put_f64, put_hex, put_u64},
};
use crate::kernel::{
    clock, error_info::ErrorInfo, ids::TraceId, record::Record, request_context::RequestContext,
    sink::LogEvent, value::Value,
};

pub(super) fn call(out: &mut Vec<u8>, style: &Style, record: &Record<'_>) {
    head(out, style, record.time, record.level());
    if !operation::summary(out, style, record, escape_text) {
        put(out, " ");
        put(out, record.site.function());
    }
    put_request(out, style, record.request);
    operation::text(out, style, record);
    if let Some(error) = record.error {
        put_error(out, style, error);
    }
    put_marks(out, record);
    for (name, value) in record.fields.iter() {
        put_pair(out, style, name, value);
    }
    end(out, record.trace_id);
}

fn put_request(out: &mut Vec<u8>, style: &Style, request: Option<&RequestContext>) {
    let Some(request) = request else { return };
    put(out, " request_id=");
    put_text(out, style, request.id.as_str());
    if let Some(session) = &request.session_url {
        put(out, " session=");
        put_text(out, style, session);
    }
}

pub(super) fn event(out: &mut Vec<u8>, style: &Style, event: &LogEvent<'_>) {
    head(out, style, event.time, event.level);
    escape_text(out, event.message, style.max_value_bytes);
    put(out, " target=");
    escape_text(out, event.target, style.max_value_bytes);
    put_request(out, style, event.request);
    for (name, value) in event.fields {
        put_pair(out, style, name, value);
    }
    end(out, event.trace_id);
}

/// Ends the line with the trace it belongs to, if any.
fn end(out: &mut Vec<u8>, trace_id: TraceId) {
    if !trace_id.is_none() {
        put(out, " trace_id=");
        put_hex(out, trace_id);
    }
    out.push(b'\n');
}

fn head(out: &mut Vec<u8>, style: &Style, time: u64, level: Level) {
    timestamp::text(out, time, style.timezone);
    put(out, " - ");
    put(out, level.as_str());
    put(out, " - ");
}

fn put_marks(out: &mut Vec<u8>, record: &Record<'_>) {
    if let Some(items) = record.items {
        put(out, " items=");
        put_u64(out, items);
    }
    if let Some(chunks) = record.chunks {
        put(out, " chunks=");
        put_u64(out, chunks);
    }
    if let Some(quality) = record.quality {
        put(out, " quality=");
        put_f64(out, quality);
    }
    for (mark, set) in marks(record) {
        if set {
            put(out, " ");
            put(out, mark);
            put(out, "=true");
        }
    }
}

fn put_error(out: &mut Vec<u8>, style: &Style, error: &ErrorInfo) {
    put(out, " error=");
    put_text(out, style, &error.message);
    put(out, " error.type=");
    put_text(out, style, error.type_name);
    put(out, " error.class=");
    put(out, error.class.as_str());
    for cause in &error.chain {
        put(out, " caused_by=");
        put_text(out, style, cause);
    }
    if let Some(location) = &error.location {
        put(out, " at=");
        put_text(out, style, location);
    }
}

fn put_pair(out: &mut Vec<u8>, style: &Style, name: &str, value: &Value) {
    put(out, " ");
    escape_text(out, name, style.max_value_bytes);
    put(out, "=");
    match value {
        Value::Str(text) => put_text(out, style, text),
        number => put_number(out, number),
    }
}

/// A text value is quoted where a bare one would run into the next pair.
pub(super) fn put_text(out: &mut Vec<u8>, style: &Style, text: &str) {
    let bare = !text.is_empty() && !text.bytes().any(|b| matches!(b, b' ' | b'"' | b'='));
    if bare {
        escape_text(out, text, style.max_value_bytes);
    } else {
        put_json(out, style, text);
    }
}

/// The line that stands where `count` lines are missing.
pub(super) fn notice(out: &mut Vec<u8>, style: &Style, count: u64, reason: &str) {
    head(out, style, clock::now_micros(), Level::WARN);
    lost(out, count, reason);
    out.push(b'\n');
}
