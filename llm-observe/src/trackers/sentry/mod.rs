//! Sentry: events in envelopes, by the types of the `sentry` crate, sent through the outbox.
//!
//! The SDK's own transport has room for 30 envelopes and tries each once; here nothing is lost
//! while the server is down. Formats and limits: develop.sentry.dev, "Envelopes" and "Rate
//! Limiting".

mod discards;
mod event;
mod limits;
#[cfg(test)]
mod tests;
mod theirs;

use std::{sync::Arc, time::SystemTime};

use llm_observe_config as config;
use sentry::{
    Envelope,
    protocol::{ClientSdkInfo, EnvelopeHeaders, Event},
    types::{Dsn, Uuid},
};

pub(crate) use theirs::theirs;

use super::{Answer, Delivery, Destination, Lost, Origin, Parcel, Report, Tracker, size::fit};
use crate::{
    error::Error,
    outbox::{
        http::{Http, Reply},
        now_micros,
    },
};
use discards::{Counts, Discards};
use limits::Limits;

/// Sentry drops what is larger than 1 MB whole; the rest is for the envelope's headers.
const MOST_BYTES: usize = 980_000;

/// The category of what is sent, for rate limits and client reports.
const CATEGORY: &str = "error";

const CLIENT: &str = concat!("llm-observe/", env!("CARGO_PKG_VERSION"));

/// Returns the tracker of a Sentry project.
///
/// # Errors
///
/// When the DSN cannot be read or is none.
pub(crate) fn tracker(sentry: &config::Sentry, origin: Origin) -> Result<Arc<dyn Tracker>, Error> {
    let dsn = sentry
        .dsn
        .read()
        .map_err(|e| Error::with("trackers.sentry.dsn", e))?;
    let origin = Origin {
        environment: sentry.environment.clone().unwrap_or(origin.environment),
        release: sentry.release.clone().unwrap_or(origin.release),
        ..origin
    };
    with_dsn(&dsn, sentry.sample_rate, origin)
}

/// Returns the tracker of the project that `dsn` names.
pub(crate) fn with_dsn(
    dsn: &str,
    sample_rate: f64,
    origin: Origin,
) -> Result<Arc<dyn Tracker>, Error> {
    // The DSN itself is not shown: it holds a key.
    let dsn: Dsn = dsn.trim().parse().map_err(|e| {
        Error::with(
            "trackers.sentry.dsn must be like https://KEY@HOST/PROJECT",
            e,
        )
    })?;
    Ok(Arc::new(Sentry {
        url: dsn.envelope_api_url().to_string(),
        auth: dsn.to_auth(Some(CLIENT)).to_string(),
        sample_rate,
        origin,
        limits: Limits::default(),
        discards: Discards::default(),
        http: Http::new()?,
    }))
}

struct Sentry {
    url: String,
    auth: String,
    sample_rate: f64,
    origin: Origin,
    limits: Limits,
    discards: Discards,
    http: Http,
}

impl Destination for Sentry {
    fn name(&self) -> &str {
        "sentry"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        Box::pin(async move {
            if let Some(left) = self.limits.left(now_micros()) {
                return Delivery::Retry {
                    after: Some(left),
                    reason: "rate limited".to_owned(),
                };
            }
            let mut told = Telling::start(&self.discards);
            let how = self.send(stamped(&parcel.body, &told.counts)).await;
            match &how {
                Delivery::Delivered => told.counts.clear(),
                Delivery::Refused { .. } => self.discards.add(discards::SEND_ERROR, 1),
                Delivery::Retry { .. } => {}
            }
            how
        })
    }

    fn lost(&self, _: &str, why: Lost, count: u64) {
        let limited = self.limits.left(now_micros()).is_some();
        let reason = match why {
            Lost::Overflow => discards::QUEUE_OVERFLOW,
            Lost::Full => discards::CACHE_OVERFLOW,
            Lost::Expired if limited => discards::RATELIMIT_BACKOFF,
            Lost::Expired => discards::NETWORK_ERROR,
            Lost::Unreadable => discards::INTERNAL_SDK_ERROR,
        };
        self.discards.add(reason, count);
    }

    fn concurrency(&self) -> usize {
        4
    }
}

/// What was discarded, while an envelope with it is on its way; kept for the next one unless it is
/// cleared, even if the attempt is given up.
struct Telling<'a> {
    discards: &'a Discards,
    counts: Counts,
}

impl Telling<'_> {
    fn start(discards: &Discards) -> Telling<'_> {
        let counts = discards.take();
        Telling { discards, counts }
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.discards.keep(std::mem::take(&mut self.counts));
    }
}

impl Sentry {
    async fn send(&self, body: Vec<u8>) -> Delivery {
        let request = self
            .http
            .post(&self.url)
            .header("Content-Type", "application/x-sentry-envelope")
            .header("X-Sentry-Auth", &self.auth);
        match self.http.send(request.body(body)).await {
            Ok(reply) => self.judge(&reply),
            Err(failure) => failure,
        }
    }

    /// Takes note of the limits, which come with any status, and of what became of the event.
    fn judge(&self, reply: &Reply) -> Delivery {
        self.limits.learn(reply, now_micros());
        match reply.judge() {
            Delivery::Retry { after, reason } => Delivery::Retry {
                after: after.max(self.limits.left(now_micros())),
                reason,
            },
            other => other,
        }
    }
}

impl Tracker for Sentry {
    fn encode(&self, report: &Report) -> Vec<u8> {
        encode(report, &self.origin)
    }

    fn takes(&self, _: &Report) -> bool {
        let takes = self.sample_rate >= 1.0 || fastrand::f64() < self.sample_rate;
        if !takes {
            self.discards.add(discards::SAMPLE_RATE, 1);
        }
        takes
    }

    fn category(&self) -> &str {
        CATEGORY
    }
}

fn encode(report: &Report, origin: &Origin) -> Vec<u8> {
    encode_with(report, origin, &Some)
}

/// Returns an envelope with the event that `last` makes of a report's; nothing where that is none.
fn encode_with(
    report: &Report,
    origin: &Origin,
    last: &dyn Fn(Event<'static>) -> Option<Event<'static>>,
) -> Vec<u8> {
    // One id for an event, however often it is cut.
    let id: Uuid = report.id().parse().unwrap_or_default();
    fit(MOST_BYTES, |size| {
        let event = Event {
            event_id: id,
            ..event::event(report, origin, size)
        };
        let mut bytes = Vec::new();
        if let Some(event) = last(event) {
            // Into memory: it does not fail.
            let _ = Envelope::from(event).to_writer(&mut bytes);
        }
        bytes
    })
}

/// Returns the envelope with the time of sending in its header: Sentry corrects a wrong clock by
/// it, and a parcel may have waited for hours; and with what it is to be told of others.
fn stamped(body: &[u8], discarded: &Counts) -> Vec<u8> {
    let mut bytes = with_time(body).unwrap_or_else(|| body.to_vec());
    discards::append(&mut bytes, discarded);
    bytes
}

fn with_time(body: &[u8]) -> Option<Vec<u8>> {
    let envelope = Envelope::from_slice(body).ok()?;
    let headers = EnvelopeHeaders::new()
        .with_sent_at(SystemTime::now())
        .with_sdk(sdk());
    let headers = match envelope.uuid() {
        Some(id) => headers.with_event_id(*id),
        None => headers,
    };
    let mut bytes = Vec::with_capacity(body.len() + 512);
    envelope.with_headers(headers).to_writer(&mut bytes).ok()?;
    Some(bytes)
}

fn sdk() -> ClientSdkInfo {
    ClientSdkInfo {
        name: "llm-observe".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        integrations: Vec::new(),
        packages: Vec::new(),
    }
}
