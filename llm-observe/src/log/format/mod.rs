//! Lines: one record or one event as text or as a JSON object, appended to a buffer.
//!
//! Text: `2026-11-23 07:17:09.123 - INFO - embedding ok in 12.3ms rag::embed model=x trace_id=..`
//! JSON: one object a line. What its members are called is `json_names` of `[log]`: [`json`] has the
//! names of this crate, [`otel`] and [`ecs`] those of two standards. Each line ends in what is the
//! same in all of them: who wrote it.
//!
//! No value can end a line or forge a key: every text from outside goes through the escaper.
//! Knows no files.

mod ecs;
mod json;
mod operation;
mod otel;
mod put;
mod text;

use llm_observe_config::{Format, JsonNames, Log, Timezone};

use crate::kernel::{record::Record, service::Service, sink::LogEvent};

use put::{put, put_u64};

/// How lines are written.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    pub(crate) timezone: Timezone,
    /// Longer values are cut, with their length noted.
    pub(crate) max_value_bytes: usize,
    names: JsonNames,
    /// The end of every JSON line, from behind its last member: who wrote it.
    end: String,
}

/// A longer end is left out of a loss notice, which has to be short.
const MOST_IN_NOTICE: usize = 300;

impl Style {
    /// Returns the style that `log` sets, for the lines of `service`.
    pub(crate) fn new(log: &Log, service: &Service) -> Style {
        let mut style = Style {
            timezone: log.timezone,
            max_value_bytes: usize::try_from(log.max_value_bytes).unwrap_or(usize::MAX),
            names: log.json_names,
            end: String::new(),
        };
        let mut end = Vec::new();
        match style.names {
            JsonNames::Default => json::end(&mut end, &style, service),
            JsonNames::Otel => otel::end(&mut end, &style, service),
            JsonNames::Ecs => ecs::end(&mut end, &style, service),
        }
        style.end = String::from_utf8_lossy(&end).into_owned();
        style
    }

    /// Returns the end of a loss notice.
    fn notice_end(&self) -> &str {
        match self.end.len() {
            0..=MOST_IN_NOTICE => &self.end,
            _ => "}\n",
        }
    }
}

/// Appends the line of a call.
pub(crate) fn call(out: &mut Vec<u8>, format: Format, style: &Style, record: &Record<'_>) {
    match (format, style.names) {
        (Format::Text, _) => text::call(out, style, record),
        (Format::Json, JsonNames::Default) => json::call(out, style, record),
        (Format::Json, JsonNames::Otel) => otel::call(out, style, record),
        (Format::Json, JsonNames::Ecs) => ecs::call(out, style, record),
    }
}

/// Appends the line of an event.
pub(crate) fn event(out: &mut Vec<u8>, format: Format, style: &Style, event: &LogEvent<'_>) {
    match (format, style.names) {
        (Format::Text, _) => text::event(out, style, event),
        (Format::Json, JsonNames::Default) => json::event(out, style, event),
        (Format::Json, JsonNames::Otel) => otel::event(out, style, event),
        (Format::Json, JsonNames::Ecs) => ecs::event(out, style, event),
    }
}

/// Appends the line that stands where `count` lines are missing: at most 512 bytes.
pub(crate) fn notice(out: &mut Vec<u8>, format: Format, style: &Style, count: u64, reason: &str) {
    match (format, style.names) {
        (Format::Text, _) => text::notice(out, style, count, reason),
        (Format::Json, JsonNames::Default) => json::notice(out, style, count, reason),
        (Format::Json, JsonNames::Otel) => otel::notice(out, style, count, reason),
        (Format::Json, JsonNames::Ecs) => ecs::notice(out, style, count, reason),
    }
}

/// The target of the lines that this module writes itself.
const OWN_TARGET: &str = "llm_observe::log";

fn lost(out: &mut Vec<u8>, count: u64, reason: &str) {
    put_u64(out, count);
    put(out, " lines are missing here: ");
    put(out, reason);
}

fn marks(record: &Record<'_>) -> [(&'static str, bool); 4] {
    [
        ("slow", record.slow),
        ("low_quality", record.low_quality()),
        ("expected", record.expected),
        ("passed_on", record.passed_on),
    ]
}

#[cfg(test)]
mod tests;
