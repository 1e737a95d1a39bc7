//! What a call was about, and the attributes of its operation, in a line.

use std::{io::Write, time::Duration};

use super::{
    Style,
    json::{Members, put_json, put_plain},
    put::{put, put_duration, put_f64, put_i64, put_millis, put_u64},
    text::put_text,
};
use crate::kernel::{
    operation::{AttributeValue, SummaryWriter},
    record::Record,
};

/// Writes a summary to a line, whose texts `escape` escapes.
struct Summary<'a, F> {
    out: &'a mut Vec<u8>,
    style: &'a Style,
    escape: F,
}

impl<F: Fn(&mut Vec<u8>, &str, usize)> SummaryWriter for Summary<'_, F> {
    fn literal(&mut self, text: &'static str) {
        put(self.out, text);
    }

    fn text(&mut self, text: &str) {
        (self.escape)(self.out, text, self.style.max_value_bytes);
    }

    fn number(&mut self, n: u64) {
        put_u64(self.out, n);
    }
}

/// `GET /ask 200 in 123ms` for an operation, which has words of its own, and `true`; else
/// `embedding ok in 12.3ms`.
pub(super) fn summary(
    out: &mut Vec<u8>,
    style: &Style,
    record: &Record<'_>,
    escape: impl Fn(&mut Vec<u8>, &str, usize),
) -> bool {
    let mut line = Summary { out, style, escape };
    let operation = record.operation;
    let own = operation.is_some_and(|operation| operation.summary(record.outcome, &mut line));
    if !own {
        put(out, record.site.event);
        put(out, " ");
        put(out, record.outcome.as_str());
    }
    put(out, " in ");
    put_duration(out, record.duration.as_nanos());
    own
}

/// The attributes that text lines have, under their short names.
pub(super) fn text(out: &mut Vec<u8>, style: &Style, record: &Record<'_>) {
    let Some(operation) = record.operation else {
        return;
    };
    operation.attributes(&mut |attribute, value| {
        if attribute.short_name().is_empty() {
            return;
        }
        put(out, " ");
        put(out, attribute.short_name());
        put(out, "=");
        match value {
            AttributeValue::Str(text) | AttributeValue::Plain(text) => put_text(out, style, text),
            value => number(out, value),
        }
    });
}

/// The attributes, as members of an object.
pub(super) fn json(out: &mut Vec<u8>, style: &Style, members: &mut Members, record: &Record<'_>) {
    let Some(operation) = record.operation else {
        return;
    };
    operation.attributes(&mut |attribute, value| {
        if attribute.name().is_empty() {
            return;
        }
        members.attribute(out, attribute);
        match value {
            AttributeValue::Plain(text) if text.len() <= style.max_value_bytes => {
                put_plain(out, text);
            }
            AttributeValue::Str(text) | AttributeValue::Plain(text) => put_json(out, style, text),
            AttributeValue::Address(_) | AttributeValue::Socket(_) => {
                put(out, "\"");
                number(out, value);
                put(out, "\"");
            }
            // JSON has no NaN and no infinities.
            AttributeValue::F64(n) if !n.is_finite() => put(out, "null"),
            value => number(out, value),
        }
    });
}

/// Cuts off what is no news in a time.
fn to_the_microsecond(time: Duration) -> Duration {
    Duration::new(time.as_secs(), time.subsec_micros() * 1_000)
}

/// Writes a value that is no text.
pub(super) fn number(out: &mut Vec<u8>, value: AttributeValue<'_>) {
    match value {
        AttributeValue::I64(n) => put_i64(out, n),
        AttributeValue::U64(n) => put_u64(out, n),
        AttributeValue::F64(n) => put_f64(out, n),
        AttributeValue::Bool(b) => put(out, if b { "true" } else { "false" }),
        AttributeValue::Millis(time) => put_millis(out, to_the_microsecond(time)),
        // A `Vec` takes whatever is written.
        AttributeValue::Address(address) => drop(write!(out, "{address}")),
        AttributeValue::Socket(address) => drop(write!(out, "{address}")),
        AttributeValue::Str(_) | AttributeValue::Plain(_) => {}
    }
}
