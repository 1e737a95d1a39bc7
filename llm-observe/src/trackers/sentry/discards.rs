//! Client reports, which count the events that Sentry does not get (develop.sentry.dev, "Client
//! Reports"). They are sent with the next event.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use super::sdk::CATEGORY;
use crate::outbox::now_micros;

/// Sentry's name for the reason: the sample rate left it out.
pub(super) const SAMPLE_RATE: &str = "sample_rate";
/// There were too many at once.
pub(super) const QUEUE_OVERFLOW: &str = "queue_overflow";
/// The outbox had no room left.
pub(super) const CACHE_OVERFLOW: &str = "cache_overflow";
/// It became too old while Sentry took no more.
pub(super) const RATELIMIT_BACKOFF: &str = "ratelimit_backoff";
/// It became too old while Sentry could not be reached.
pub(super) const NETWORK_ERROR: &str = "network_error";
/// Sentry refused it for good.
pub(super) const SEND_ERROR: &str = "send_error";
/// Its file could not be read any more.
pub(super) const INTERNAL_SDK_ERROR: &str = "internal_sdk_error";

/// How many events were discarded, by reason.
pub(super) type DiscardCounts = BTreeMap<&'static str, u64>;

/// The events that were discarded since the last client report.
#[derive(Debug, Default)]
pub(super) struct Discards(Mutex<DiscardCounts>);

impl Discards {
    pub(super) fn add(&self, reason: &'static str, count: u64) {
        *self.counts().entry(reason).or_default() += count;
    }

    /// Takes the counts for a client report; [`Discards::keep`] them if it does not arrive.
    pub(super) fn take(&self) -> DiscardCounts {
        std::mem::take(&mut self.counts())
    }

    pub(super) fn keep(&self, counts: DiscardCounts) {
        counts
            .into_iter()
            .for_each(|(reason, count)| self.add(reason, count));
    }

    fn counts(&self) -> MutexGuard<'_, DiscardCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a client report to an envelope.
pub(super) fn append(envelope: &mut Vec<u8>, counts: &DiscardCounts) {
    if counts.is_empty() {
        return;
    }
    let events = counts.iter().map(
        |(reason, quantity)| json!({"reason": reason, "category": CATEGORY, "quantity": quantity}),
    );
    let report = json!({
        "timestamp": now_micros() / 1_000_000,
        "discarded_events": events.collect::<Vec<_>>(),
    });
    let report = report.to_string();
    let header = json!({"type": "client_report", "length": report.len()});
    if envelope.last() != Some(&b'\n') {
        envelope.push(b'\n');
    }
    envelope.extend_from_slice(format!("{header}\n{report}\n").as_bytes());
}
