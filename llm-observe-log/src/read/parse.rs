//! Parses time, level, event, outcome and trace of one line, text or JSON.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

use super::line::{Line, rank};

/// Parses a line of either format.
pub(crate) fn line(text: String) -> Result<Line, &'static str> {
    match text.starts_with('{') {
        true => json(text),
        false => plain(text),
    }
}

/// The names of one member: those of this project, of the log data model of OpenTelemetry, and of the
/// Elastic Common Schema.
type Names = [&'static str; 3];

const TIME: Names = ["time", "Timestamp", "@timestamp"];
const LEVEL: Names = ["level", "SeverityText", "log.level"];
const MESSAGE: Names = ["message", "Body", "message"];
const EVENT: Names = ["event", "EventName", "event.action"];
const OUTCOME: Names = ["outcome", "", "llm_observe.outcome"];
const TRACE: Names = ["trace_id", "TraceId", "trace.id"];

fn json(text: String) -> Result<Line, &'static str> {
    let value: Value = serde_json::from_str(&text).map_err(|_| "the line is not a JSON object")?;
    let string = |value: &Value| value.as_str().map(str::to_owned);
    let get = |names: Names| names.iter().find_map(|name| string(value.get(name)?));
    let in_attributes = || string(value.get("Attributes")?.get("llm_observe.outcome")?);
    Ok(Line {
        micros: get(TIME)
            .and_then(|time| micros(&time))
            .ok_or("the line has no time")?,
        level: get(LEVEL).ok_or("the line has no level")?,
        message: get(MESSAGE).unwrap_or_default(),
        event: get(EVENT),
        outcome: get(OUTCOME).or_else(in_attributes),
        trace_id: get(TRACE),
        text,
    })
}

/// A time by RFC 3339, or in nanoseconds since the Unix epoch.
fn micros(time: &str) -> Option<i64> {
    match time.parse::<i64>() {
        Ok(nanos) => Some(nanos / 1_000),
        Err(_) => Some(time.parse::<Timestamp>().ok()?.as_microsecond()),
    }
}

/// `2026-11-23 07:17:09.123 - INFO - embedding ok in 12.3ms rag::embed k=v trace_id=...`
fn plain(text: String) -> Result<Line, &'static str> {
    let mut parts = text.splitn(3, " - ");
    let time = parts
        .next()
        .and_then(|time| DateTime::strptime("%Y-%m-%d %H:%M:%S%.f", time).ok());
    let time = time
        .and_then(|time| time.to_zoned(TimeZone::UTC).ok())
        .ok_or("the line does not start with a time")?;
    let level = parts
        .next()
        .filter(|level| rank(level).is_some())
        .ok_or("the line has no level")?;
    let message = parts.next().ok_or("the line has no message")?;
    let (event, outcome) = ending(message).unzip();
    Ok(Line {
        micros: time.timestamp().as_microsecond(),
        level: level.to_owned(),
        message: message.to_owned(),
        event,
        outcome,
        trace_id: message
            .rsplit(' ')
            .find_map(|word| word.strip_prefix("trace_id="))
            .map(str::to_owned),
        text,
    })
}

/// The event and outcome of `embedding ok in 12.3ms ...`.
fn ending(message: &str) -> Option<(String, String)> {
    let mut words = message.split(' ');
    let (event, outcome, word) = (words.next()?, words.next()?, words.next());
    let known = ["ok", "error", "timeout", "cancelled", "panic"].contains(&outcome);
    let timed = matches!(word, Some("in" | "after"));
    (known && timed).then(|| (event.to_owned(), outcome.to_owned()))
}
