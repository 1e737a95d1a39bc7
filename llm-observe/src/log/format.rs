//! Lines: one record or one event as text or as a JSON object, appended to a buffer.
//!
//! Text: `2026-11-23 07:17:09.123 - INFO - embedding ok in 12.3ms rag::embed model=x trace_id=..`
//! JSON: one object a line with the keys `time`, `level`, `message`, `event`, `outcome`,
//! `duration_ms`, `function`, `trace_id`, `span_id`, `error`, `fields`; within an HTTP request
//! `request_id` besides, and `session` where it has one.
//!
//! No value can end a line or forge a key: every text from outside goes through the escaper.
//! Knows no files.

mod exchange;
mod put;

use llm_observe_config::{Format, Timezone};
use tracing::Level;

use super::{
    escape::{escape_json, escape_text},
    timestamp,
};
use crate::{
    clock,
    record::{ErrorInfo, Record, SpanId, TraceId, Value},
    request::{Named, Request},
};

use put::{put, put_duration, put_f64, put_hex, put_hex64, put_millis, put_u64};

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) timezone: Timezone,
    /// Longer values are cut, with their length noted.
    pub(crate) max_value_bytes: usize,
}

/// An event of `tracing` or `log`, with where it happened.
pub(crate) struct EventLine<'a> {
    /// Microseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) level: Level,
    pub(crate) target: &'a str,
    pub(crate) message: &'a str,
    pub(crate) fields: &'a [(&'static str, Value)],
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The HTTP request that it was said in.
    pub(crate) request: Option<&'a Request>,
}

/// Appends the line of a call.
pub(crate) fn call(out: &mut Vec<u8>, format: Format, style: Style, record: &Record<'_>) {
    match format {
        Format::Json => json_call(out, style, record),
        _ => text_call(out, style, record),
    }
}

/// Appends the line of an event.
pub(crate) fn event(out: &mut Vec<u8>, format: Format, style: Style, event: &EventLine<'_>) {
    match format {
        Format::Json => json_event(out, style, event),
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
    json_head(out, clock::now_micros(), Level::WARN);
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
    match exchange::of(record) {
        Some((exchange, site)) => {
            exchange::summary(out, style, record, exchange, site, escape_text);
            text_request(out, style, record.request);
            exchange::text(out, style, exchange, site);
        }
        None => {
            summary(out, record);
            put(out, " ");
            put(out, record.site.function());
            text_request(out, style, record.request);
        }
    }
    if let Some(error) = record.error {
        text_error(out, style, error);
    }
    text_marks(out, record);
    for (name, value) in record.fields.iter() {
        text_pair(out, style, name, value);
    }
    text_ids(out, record.trace_id);
}

fn text_request(out: &mut Vec<u8>, style: Style, request: Option<&Request>) {
    let Some(request) = request else { return };
    put(out, " request_id=");
    text_value(out, style, request.id.as_str());
    if let Some(session) = &request.session {
        put(out, " session=");
        text_value(out, style, session);
    }
}

fn text_event(out: &mut Vec<u8>, style: Style, event: &EventLine<'_>) {
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

/// `embedding ok in 12.3ms`
fn summary(out: &mut Vec<u8>, record: &Record<'_>) {
    put(out, record.site.event);
    put(out, " ");
    put(out, record.outcome.as_str());
    put(out, " in ");
    put_duration(out, record.duration.as_nanos());
}

fn text_marks(out: &mut Vec<u8>, record: &Record<'_>) {
    if let Some(items) = record.items {
        put(out, " items=");
        put_u64(out, items);
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

fn json_call(out: &mut Vec<u8>, style: Style, record: &Record<'_>) {
    json_head(out, record.time, record.level());
    match exchange::of(record) {
        Some((exchange, site)) => {
            exchange::summary(out, style, record, exchange, site, escape_json);
        }
        None => summary(out, record),
    }
    put(out, "\",\"event\":\"");
    put(out, record.site.event);
    put(out, "\",\"outcome\":\"");
    put(out, record.outcome.as_str());
    put(out, "\",\"duration_ms\":");
    put_millis(out, record.duration);
    put(out, ",\"function\":");
    let function = record.site.function();
    let plain = record.site.request.is_some_and(|request| request.plain);
    if plain && function.len() <= style.max_value_bytes {
        put_plain(out, function);
    } else {
        put_json(out, style, function);
    }
    json_ids(out, record.trace_id, record.span_id);
    json_request(out, style, record.request);
    if let Some(error) = record.error {
        json_error(out, style, error);
    }
    json_fields(out, style, record);
    put(out, "}\n");
}

fn json_event(out: &mut Vec<u8>, style: Style, event: &EventLine<'_>) {
    json_head(out, event.time, event.level);
    escape_json(out, event.message, style.max_value_bytes);
    put(out, "\",\"target\":");
    put_json(out, style, event.target);
    if !event.trace_id.is_none() {
        json_ids(out, event.trace_id, event.span_id);
    }
    json_request(out, style, event.request);
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
fn json_head(out: &mut Vec<u8>, time: u64, level: Level) {
    put(out, "{\"time\":\"");
    timestamp::rfc3339(out, time);
    put(out, "\",\"level\":\"");
    put(out, level.as_str());
    put(out, "\",\"message\":\"");
}

fn json_ids(out: &mut Vec<u8>, trace_id: TraceId, span_id: SpanId) {
    put(out, ",\"trace_id\":\"");
    put_hex(out, trace_id);
    put(out, "\",\"span_id\":\"");
    put_hex64(out, span_id.0);
    put(out, "\"");
}

fn json_request(out: &mut Vec<u8>, style: Style, request: Option<&Request>) {
    let Some(request) = request else { return };
    put(out, ",\"request_id\":");
    put_json(out, style, request.id.as_str());
    if let Some(session) = &request.session {
        put(out, ",\"session\":");
        put_json(out, style, session);
    }
}

fn json_error(out: &mut Vec<u8>, style: Style, error: &ErrorInfo) {
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

fn json_fields(out: &mut Vec<u8>, style: Style, record: &Record<'_>) {
    let marked = marks(record);
    let exchange = exchange::of(record);
    let none = record.fields.is_empty()
        && exchange.is_none()
        && record.items.is_none()
        && record.quality.is_none()
        && marked.iter().all(|(_, set)| !set);
    if none {
        return;
    }
    put(out, ",\"fields\":{");
    let mut members = Members(false);
    if let Some((exchange, site)) = exchange {
        exchange::json(out, style, &mut members, exchange, site);
    }
    for (name, value) in record.fields.iter() {
        members.put(out, style, name, value);
    }
    if let Some(items) = record.items {
        members.put(out, style, "items", &Value::U64(items));
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
struct Members(bool);

impl Members {
    fn name(&mut self, out: &mut Vec<u8>, style: Style, name: &str) {
        if std::mem::replace(&mut self.0, true) {
            put(out, ",");
        }
        put_json(out, style, name);
        put(out, ":");
    }

    /// The name of a fact. A header's is a token (RFC 9110, section 5.6.2): no quote is in it.
    fn fact(&mut self, out: &mut Vec<u8>, name: Named) {
        let comma = std::mem::replace(&mut self.0, true);
        if !name.member.is_empty() {
            let from = usize::from(!comma);
            return put(out, name.member.get(from..).unwrap_or_default());
        }
        put(out, if comma { ",\"" } else { "\"" });
        put(out, name.attribute);
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
fn put_plain(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    put(out, text);
    out.push(b'"');
}

fn put_json(out: &mut Vec<u8>, style: Style, text: &str) {
    out.push(b'"');
    escape_json(out, text, style.max_value_bytes);
    out.push(b'"');
}

fn put_number(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::I64(v) => put(out, itoa::Buffer::new().format(*v)),
        Value::U64(v) => put_u64(out, *v),
        Value::F64(v) => put_f64(out, *v),
        Value::Bool(v) => put(out, if *v { "true" } else { "false" }),
        Value::Str(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(nanos: u128) -> String {
        let mut out = Vec::new();
        put_duration(&mut out, nanos);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        for (nanos, text) in [
            (0, "0ns"),
            (850, "850ns"),
            (1_000, "1.00us"),
            (12_345, "12.3us"),
            (1_050_000, "1.05ms"),
            (999_999_999, "999ms"),
            (75_250_000_000, "75.2s"),
            (754_000_000_000, "754s"),
        ] {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn milliseconds_have_the_digits_they_need() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000001"),
            (12_345_000, "12.345"),
            (7_000_000, "7"),
            (100_000, "0.1"),
            (3_600_000_000_010, "3600000.00001"),
        ] {
            let mut out = Vec::new();
            put_millis(&mut out, std::time::Duration::from_nanos(nanos));
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn a_forged_value_stays_one_value() {
        let style = Style {
            timezone: Timezone::Utc,
            max_value_bytes: 100,
        };
        let evil = "x\n2026-11-23 07:17:09.123 - INFO - forged a=\"1\"";
        let fields = [("user", Value::Str(evil.to_owned()))];
        let line = EventLine {
            time: 1_795_418_229_123_456,
            level: Level::INFO,
            target: "t",
            message: evil,
            fields: &fields,
            trace_id: TraceId::default(),
            span_id: SpanId::default(),
            request: None,
        };
        for format in [Format::Text, Format::Json] {
            let mut out = Vec::new();
            event(&mut out, format, style, &line);
            assert_eq!(out.iter().filter(|b| **b == b'\n').count(), 1);
        }
    }
}
