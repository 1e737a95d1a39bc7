//! Sentry: events in envelopes, by the types of the `sentry` crate, sent through the outbox.
//!
//! The SDK's own transport has room for 30 envelopes and tries each once; here nothing is lost
//! while the server is down. Formats and limits: develop.sentry.dev, "Envelopes" and "Rate
//! Limiting".

mod event;
mod limits;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::SystemTime};

use llm_observe_config as config;
use sentry::{
    Envelope,
    protocol::{ClientSdkInfo, EnvelopeHeaders, Event},
    types::{Dsn, Uuid},
};

use super::{Answer, Delivery, Destination, Origin, Parcel, Report, Tracker, size::fit};
use crate::{
    error::Error,
    outbox::{
        http::{Http, Reply},
        now_micros,
    },
};
use limits::Limits;

/// Sentry drops what is larger than 1 MB whole; the rest is for the envelope's headers.
const MOST_BYTES: usize = 980_000;

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
        http: Http::new()?,
    }))
}

struct Sentry {
    url: String,
    auth: String,
    sample_rate: f64,
    origin: Origin,
    limits: Limits,
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
            let request = self
                .http
                .post(&self.url)
                .header("Content-Type", "application/x-sentry-envelope")
                .header("X-Sentry-Auth", &self.auth);
            match self.http.send(request.body(stamped(&parcel.body))).await {
                Ok(reply) => self.judge(&reply),
                Err(failure) => failure,
            }
        })
    }

    fn concurrency(&self) -> usize {
        4
    }
}

impl Sentry {
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
        self.sample_rate >= 1.0 || fastrand::f64() < self.sample_rate
    }

    fn category(&self) -> &str {
        "error"
    }
}

fn encode(report: &Report, origin: &Origin) -> Vec<u8> {
    // One id for an event, however often it is cut.
    let id: Uuid = report.id().parse().unwrap_or_default();
    fit(MOST_BYTES, |size| {
        let event = Event {
            event_id: id,
            ..event::event(report, origin, size)
        };
        let mut bytes = Vec::new();
        // Into memory: it does not fail.
        let _ = Envelope::from(event).to_writer(&mut bytes);
        bytes
    })
}

/// Returns the envelope with the time of sending in its header: Sentry corrects a wrong clock by
/// it, and a parcel may have waited for hours.
fn stamped(body: &[u8]) -> Vec<u8> {
    let Ok(envelope) = Envelope::from_slice(body) else {
        return body.to_vec();
    };
    let headers = EnvelopeHeaders::new()
        .with_sent_at(SystemTime::now())
        .with_sdk(sdk());
    let headers = match envelope.uuid() {
        Some(id) => headers.with_event_id(*id),
        None => headers,
    };
    let mut bytes = Vec::with_capacity(body.len() + 128);
    match envelope.with_headers(headers).to_writer(&mut bytes) {
        Ok(()) => bytes,
        Err(_) => body.to_vec(),
    }
}

fn sdk() -> ClientSdkInfo {
    ClientSdkInfo {
        name: "llm-observe".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        integrations: Vec::new(),
        packages: Vec::new(),
    }
}
