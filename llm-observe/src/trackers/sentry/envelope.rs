//! Events in envelopes, by the types of the `sentry` crate (develop.sentry.dev, "Envelopes").

use std::time::SystemTime;

use sentry::{
    Envelope,
    protocol::{EnvelopeHeaders, Event},
    types::Uuid,
};

use super::{
    discards::{self, DiscardCounts},
    event,
    sdk::sdk,
};
use crate::{
    outbox::origin::Origin,
    trackers::{report::Report, size::fit},
};

/// The largest event, in bytes: Sentry drops those above 1 MB; the difference is for the envelope's
/// headers.
pub(super) const MOST_BYTES: usize = 980_000;

/// Returns an envelope with the report's event.
pub(super) fn encode(report: &Report, origin: &Origin) -> Vec<u8> {
    encode_with(report, origin, &Some)
}

/// Returns an envelope with what `process` returns for the report's event; an empty body for `None`.
pub(super) fn encode_with(
    report: &Report,
    origin: &Origin,
    process: &dyn Fn(Event<'static>) -> Option<Event<'static>>,
) -> Vec<u8> {
    // One id for all attempts to cut the event to size.
    let id: Uuid = report.id().parse().unwrap_or_default();
    fit(MOST_BYTES, |size| {
        let event = Event {
            event_id: id,
            ..event::event(report, origin, size)
        };
        let mut bytes = Vec::new();
        if let Some(event) = process(event) {
            // Writing to memory does not fail.
            let _ = Envelope::from(event).to_writer(&mut bytes);
        }
        bytes
    })
}

/// Returns the envelope with the time of sending in its header, by which Sentry corrects a wrong
/// clock (a parcel may have waited for hours), and with the client report of `discarded`.
pub(super) fn stamped(body: &[u8], discarded: &DiscardCounts) -> Vec<u8> {
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
