//! The line of an HTTP request: `GET /ask 200 in 123ms`, and its facts under the short names of text
//! lines or the attributes' of the OpenTelemetry HTTP conventions.

use std::{io::Write, time::Duration};

use super::{
    Style,
    json::{Members, put_json, put_plain},
    put::{put, put_duration, put_millis, put_u64},
    text_value,
};
use crate::kernel::{
    outcome::Outcome,
    record::Record,
    request::{Exchange, Fact},
    site::RequestSite,
};

/// Returns what the line is about, when the call is a request.
pub(super) fn of<'a>(record: &Record<'a>) -> Option<(&'a Exchange, &'static RequestSite)> {
    record.exchange.zip(record.site.request)
}

/// `GET /ask 200 in 123ms`; the outcome too where the status does not tell it.
pub(super) fn summary(
    out: &mut Vec<u8>,
    style: Style,
    record: &Record<'_>,
    exchange: &Exchange,
    site: &RequestSite,
    escape: impl Fn(&mut Vec<u8>, &str, usize),
) {
    put(out, site.method);
    put(out, " ");
    escape(out, &exchange.target, style.max_value_bytes);
    if let Some(status) = exchange.status {
        put(out, " ");
        put_u64(out, status.into());
    }
    let told = matches!(
        record.outcome,
        Outcome::Ok | Outcome::Error | Outcome::Timeout
    );
    let broken = record.outcome != Outcome::Ok && exchange.status.is_none_or(|s| s < 400);
    if !told || broken {
        put(out, " ");
        put(out, record.outcome.as_str());
    }
    put(out, " in ");
    put_duration(out, record.duration.as_nanos());
}

/// The facts that the summary does not have.
pub(super) fn text(out: &mut Vec<u8>, style: Style, exchange: &Exchange, site: &RequestSite) {
    exchange.facts(site, |name, fact| {
        if name.short.is_empty() {
            return;
        }
        put(out, " ");
        put(out, name.short);
        put(out, "=");
        match fact {
            Fact::Str(text) | Fact::Plain(text) => text_value(out, style, text),
            fact => number(out, fact),
        }
    });
}

/// All facts, as members of an object.
pub(super) fn json(
    out: &mut Vec<u8>,
    style: Style,
    members: &mut Members,
    exchange: &Exchange,
    site: &RequestSite,
) {
    exchange.attributes(site, |name, fact| {
        members.fact(out, name);
        match fact {
            Fact::Plain(text) if text.len() <= style.max_value_bytes => put_plain(out, text),
            Fact::Str(text) | Fact::Plain(text) => put_json(out, style, text),
            Fact::Ip(_) | Fact::Peer(_) => {
                put(out, "\"");
                number(out, fact);
                put(out, "\"");
            }
            fact => number(out, fact),
        }
    });
}

/// Cuts off what is no news in the time of a request.
fn to_the_microsecond(time: Duration) -> Duration {
    Duration::new(time.as_secs(), time.subsec_micros() * 1_000)
}

pub(super) fn number(out: &mut Vec<u8>, fact: Fact<'_>) {
    match fact {
        Fact::U64(n) => put_u64(out, n),
        Fact::Millis(time) => put_millis(out, to_the_microsecond(time)),
        // A `Vec` takes whatever is written.
        Fact::Ip(address) => drop(write!(out, "{address}")),
        Fact::Peer(address) => drop(write!(out, "{address}")),
        Fact::Str(_) | Fact::Plain(_) => {}
    }
}
