//! Sentry: events in envelopes, by the types of the `sentry` crate, sent through the outbox.

mod discards;
mod envelope;
mod event;
mod existing_client;
mod genai;
mod rate_limits;
mod sdk;
mod tracker;

#[cfg(test)]
mod tests;

pub(crate) use existing_client::{existing_client, later_client};
pub(crate) use tracker::tracker;
