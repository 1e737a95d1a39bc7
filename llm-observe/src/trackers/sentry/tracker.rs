//! The tracker of a Sentry project, over the outbox.
//!
//! The SDK's own transport has room for 30 envelopes and tries each once. Here nothing is lost while
//! the server is down. Formats and limits: develop.sentry.dev, "Envelopes" and "Rate
//! Limiting".

use std::sync::Arc;

use llm_observe_config as config;
use sentry::types::Dsn;

use super::{
    discards::{self, DiscardCounts, Discards},
    envelope::{encode, stamped},
    rate_limits::RateLimits,
    sdk::{CATEGORY, CLIENT},
};
use crate::{
    error::Error,
    outbox::{
        Delivery, DeliveryFuture, Destination, LossReason, Parcel,
        http::{HttpClient, HttpReply, HttpRequest},
        now_micros,
        origin::Origin,
    },
    redact::Redacted,
    trackers::{report::Report, tracker::Tracker},
};

/// Returns the tracker of a Sentry project.
///
/// # Errors
///
/// When the DSN cannot be read or is invalid.
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
    // The DSN itself is not shown: it contains a key.
    let dsn: Dsn = dsn.trim().parse().map_err(|e| {
        Error::with(
            "trackers.sentry.dsn must be like https://KEY@HOST/PROJECT",
            e,
        )
    })?;
    Ok(Arc::new(SentryTracker {
        url: dsn.envelope_api_url().to_string(),
        auth: dsn.to_auth(Some(CLIENT)).to_string(),
        sample_rate,
        origin,
        limits: RateLimits::default(),
        discards: Discards::default(),
        http: HttpClient::new()?,
    }))
}

struct SentryTracker {
    url: String,
    auth: String,
    sample_rate: f64,
    origin: Origin,
    limits: RateLimits,
    discards: Discards,
    http: HttpClient,
}

impl Destination for SentryTracker {
    fn name(&self) -> &str {
        "sentry"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            if let Some(left) = self.limits.left(now_micros()) {
                return Delivery::Retry {
                    after: Some(left),
                    reason: "rate limited".to_owned(),
                };
            }
            let mut pending = PendingDiscards::start(&self.discards);
            let result = self.send(stamped(parcel.body(), &pending.counts)).await;
            match &result {
                Delivery::Delivered => pending.counts.clear(),
                Delivery::Refused { .. } => self.discards.add(discards::SEND_ERROR, 1),
                Delivery::Retry { .. } => {}
            }
            result
        })
    }

    fn lost(&self, _: &str, reason: LossReason, count: u64) {
        let limited = self.limits.left(now_micros()).is_some();
        let reason = match reason {
            LossReason::Overflow => discards::QUEUE_OVERFLOW,
            LossReason::Full => discards::CACHE_OVERFLOW,
            LossReason::Expired if limited => discards::RATELIMIT_BACKOFF,
            LossReason::Expired => discards::NETWORK_ERROR,
            LossReason::Unreadable => discards::INTERNAL_SDK_ERROR,
        };
        self.discards.add(reason, count);
    }

    fn concurrency(&self) -> usize {
        4
    }
}

/// The discards that an envelope in flight reports. Unless cleared they are kept for the next one,
/// also when the attempt is given up.
struct PendingDiscards<'a> {
    discards: &'a Discards,
    counts: DiscardCounts,
}

impl PendingDiscards<'_> {
    fn start(discards: &Discards) -> PendingDiscards<'_> {
        let counts = discards.take();
        PendingDiscards { discards, counts }
    }
}

impl Drop for PendingDiscards<'_> {
    fn drop(&mut self) {
        self.discards.keep(std::mem::take(&mut self.counts));
    }
}

impl SentryTracker {
    async fn send(&self, body: Vec<u8>) -> Delivery {
        let request = HttpRequest::post(&self.url, body)
            .header("Content-Type", "application/x-sentry-envelope")
            .header("X-Sentry-Auth", &self.auth);
        match self.http.send(request).await {
            Ok(reply) => self.classify(&reply),
            Err(failure) => failure,
        }
    }

    /// Records the rate limits, which come with any status, and returns the result.
    fn classify(&self, reply: &HttpReply) -> Delivery {
        self.limits.learn(reply, now_micros());
        let wait = self.limits.left(now_micros());
        reply.classify().wait_at_least(wait)
    }
}

impl Tracker for SentryTracker {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        report.as_ref().map(|report| encode(report, &self.origin))
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
