//! Lines: one record or one event as text or as a JSON object, appended to a buffer.
//!
//! Text: `2026-11-23 07:17:09.123 - INFO - embedding ok in 12.3ms rag::embed model=x trace_id=..`
//! JSON: one object a line with the keys `time`, `level`, `message`, `event`, `outcome`,
//! `duration_ms`, `function`, `trace_id`, `span_id`, `error`, `fields`; within an HTTP request
//! `request_id` besides, and `session` where it has one.
//!
//! No value can end a line or forge a key: every text from outside goes through the escaper.
//! Knows no files.

mod json;
mod operation;
mod put;

use llm_observe_config::{Format, Timezone};
use tracing::Level;

use super::{escape::escape_text, timestamp};
use crate::kernel::{
    clock, error_info::ErrorInfo, ids::TraceId, record::Record, request_context::RequestContext,
    sink::LogEvent, value::Value,
};

use json::{put_json, put_number};
use put::{put, put_f64, put_hex, put_u64};

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) timezone: Timezone,
    /// Longer values are cut, with their length noted.
    pub(crate) max_value_bytes: usize,
}

/// Appends the line of a call.
pub(crate) fn call(out: &mut Vec<u8>, format: Format, style: Style, record: &Record<'_>) {
    match format {
        Format::Json => json::call(out, style, record),
        _ => text_call(out, style, record),
    }
}

/// Appends the line of an event.
pub(crate) fn event(out: &mut Vec<u8>, format: Format, style: Style, event: &LogEvent<'_>) {
    match format {
        Format::Json => json::event(out, style, event),
        _ => text_event(out, style, event),
    }
}

/// Appends the text line that stands where `count` lines are missing, in UTC.
pub(crate) fn lost_text(out: &mut Vec<u8>, count: u64, reason: &str) {
    lost_text_in(Timezone::Utc, out, count, reason);
}

/// As [`lost_text`], in the local time zone.
pub(crate) fn lost_text_local(out: &mut Vec<u8>, count: u64, reason: &str) {
    lost_text_in(Timezone::Local, out, count, reason);
}

fn lost_text_in(timezone: Timezone, out: &mut Vec<u8>, count: u64, reason: &str) {
    timestamp::text(out, clock::now_micros(), timezone);
    put(out, " - WARN - ");
    lost(out, count, reason);
    out.push(b'\n');
}

/// Appends the JSON line that stands where `count` lines are missing.
pub(crate) fn lost_json(out: &mut Vec<u8>, count: u64, reason: &str) {
    json::head(out, clock::now_micros(), Level::WARN);
    lost(out, count, reason);
    put(out, "\",\"target\":\"llm_observe::log\"}\n");
}

fn lost(out: &mut Vec<u8>, count: u64, reason: &str) {
    put_u64(out, count);
    put(out, " lines are missing here: ");
    put(out, reason);
}

fn text_call(out: &mut Vec<u8>, style: Style, record: &Record<'_>) {
    text_head(out, style, record.time, record.level());
    if !operation::summary(out, style, record, escape_text) {
        put(out, " ");
        put(out, record.site.function());
    }
    text_request(out, style, record.request);
    operation::text(out, style, record);
    if let Some(error) = record.error {
        text_error(out, style, error);
    }
    text_marks(out, record);
    for (name, value) in record.fields.iter() {
        text_pair(out, style, name, value);
    }
    text_ids(out, record.trace_id);
}

fn text_request(out: &mut Vec<u8>, style: Style, request: Option<&RequestContext>) {
    let Some(request) = request else { return };
    put(out, " request_id=");
    text_value(out, style, request.id.as_str());
    if let Some(session) = &request.session_url {
        put(out, " session=");
        text_value(out, style, session);
    }
}

fn text_event(out: &mut Vec<u8>, style: Style, event: &LogEvent<'_>) {
    text_head(out, style, event.time, event.level);
    escape_text(out, event.message, style.max_value_bytes);
    put(out, " target=");
    escape_text(out, event.target, style.max_value_bytes);
    text_request(out, style, event.request);
    for (name, value) in event.fields {
        text_pair(out, style, name, value);
    }
    text_ids(out, event.trace_id);
}

/// Ends the line with the trace it belongs to, if any.
fn text_ids(out: &mut Vec<u8>, trace_id: TraceId) {
    if !trace_id.is_none() {
        put(out, " trace_id=");
        put_hex(out, trace_id);
    }
    out.push(b'\n');
}

fn text_head(out: &mut Vec<u8>, style: Style, time: u64, level: Level) {
    timestamp::text(out, time, style.timezone);
    put(out, " - ");
    put(out, level.as_str());
    put(out, " - ");
}

fn text_marks(out: &mut Vec<u8>, record: &Record<'_>) {
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

fn marks(record: &Record<'_>) -> [(&'static str, bool); 4] {
    [
        ("slow", record.slow),
        ("low_quality", record.low_quality()),
        ("expected", record.expected),
        ("passed_on", record.passed_on),
    ]
}

fn text_error(out: &mut Vec<u8>, style: Style, error: &ErrorInfo) {
    put(out, " error=");
    text_value(out, style, &error.message);
    put(out, " error.type=");
    text_value(out, style, error.type_name);
    put(out, " error.class=");
    put(out, error.class.as_str());
    for cause in &error.chain {
        put(out, " caused_by=");
        text_value(out, style, cause);
    }
    if let Some(location) = &error.location {
        put(out, " at=");
        text_value(out, style, location);
    }
}

fn text_pair(out: &mut Vec<u8>, style: Style, name: &str, value: &Value) {
    put(out, " ");
    escape_text(out, name, style.max_value_bytes);
    put(out, "=");
    match value {
        Value::Str(text) => text_value(out, style, text),
        number => put_number(out, number),
    }
}

/// A text value is quoted where a bare one would run into the next pair.
fn text_value(out: &mut Vec<u8>, style: Style, text: &str) {
    let bare = !text.is_empty() && !text.bytes().any(|b| matches!(b, b' ' | b'"' | b'='));
    if bare {
        escape_text(out, text, style.max_value_bytes);
    } else {
        put_json(out, style, text);
    }
}

#[cfg(test)]
mod tests;
