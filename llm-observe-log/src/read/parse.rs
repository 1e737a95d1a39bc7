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

fn json(text: String) -> Result<Line, &'static str> {
    let value: Value = serde_json::from_str(&text).map_err(|_| "the line is not a JSON object")?;
    let get = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let time = get("time")
        .and_then(|time| time.parse::<Timestamp>().ok())
        .ok_or("the line has no time")?;
    Ok(Line {
        micros: time.as_microsecond(),
        level: get("level").ok_or("the line has no level")?,
        message: get("message").unwrap_or_default(),
        event: get("event"),
        outcome: get("outcome"),
        trace_id: get("trace_id"),
        text,
    })
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
