//! Records the metrics of sent requests besides their durations: rate limits, retries, and the tokens
//! and times of model requests, under the names of the OpenTelemetry GenAI conventions.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use super::{
    attempts::Retry,
    limits,
    model::ModelRequest,
    model_response::{ModelResponse, UsageMissing},
    state::ClientState,
    target::server_address,
};
use crate::http::{http_site::HttpSite, metrics_table as names, sites::OTHER};

/// How a request to a model ended.
pub(crate) struct ModelCallEnd {
    pub(crate) duration: Duration,
    pub(crate) first_chunk: Option<Duration>,
    pub(crate) error_type: Option<String>,
}

/// Sets the gauges of a host to the rate limits in the headers of its response. Hosts beyond the bound
/// have no gauges, which would show several hosts in turn.
pub(crate) fn rate_limits(state: &ClientState, site: &'static HttpSite, headers: &HeaderMap) {
    let Some(host) = server_address(site) else {
        return;
    };
    let now = Timestamp::now();
    let mut wait = None;
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        if *name == http::header::RETRY_AFTER {
            wait = limits::retry_after(value, now);
        } else if let Some(limit) = limits::parse(name.as_str(), value, now) {
            state.limits.set(host, limit, &state.stats);
        }
    }
    state.limits.set_retry_after(host, wait, &state.stats);
}

/// Counts a request that is sent again.
pub(crate) fn retried(state: &ClientState, site: &'static HttpSite, retry: Retry) {
    let host = server_address(site).unwrap_or(OTHER);
    let reason = retry.reason.label();
    let labels = [("server_address", host), ("reason", reason.as_str())];
    state.stats.counter(names::HTTP_RETRIES, &labels).add(1);
}

/// Counts a model's response that does not report its tokens.
pub(crate) fn usage_missing(state: &ClientState, reason: UsageMissing) {
    let labels = [("reason", reason.as_str())];
    state.stats.counter(names::USAGE_MISSING, &labels).add(1);
}

/// Records a request to a model that has ended. Models take milliseconds at best, so each value goes
/// to the recorder at once.
pub(crate) fn model_call(
    state: &ClientState,
    site: &'static HttpSite,
    request: ModelRequest,
    response: &ModelResponse,
    end: &ModelCallEnd,
) {
    let model = response.model.as_deref();
    let model = model.map(|model| state.models.bounded(model));
    let labels = |more: Option<(&'static str, &'static str)>| -> Vec<(&'static str, String)> {
        let own = [
            ("gen_ai_operation_name", Some(request.operation)),
            ("gen_ai_provider_name", Some(request.provider)),
            ("gen_ai_response_model", model.as_deref()),
        ];
        let own = own
            .into_iter()
            .chain(more.map(|(name, value)| (name, Some(value))));
        let own = own.filter_map(|(name, value)| Some((name, value?.to_owned())));
        let server = site
            .labels()
            .iter()
            .filter(|(name, _)| name.starts_with("server_"));
        own.chain(server.cloned()).collect()
    };
    let observe = |name, labels: Vec<(&'static str, String)>, value| {
        let labels: Vec<_> = labels.iter().map(|(k, v)| (*k, v.as_str())).collect();
        state.metrics.observe(name, &labels, value);
    };
    let timed = |name, time: Duration| {
        let mut labels = labels(None);
        labels.extend(end.error_type.clone().map(|error| ("error_type", error)));
        observe(name, labels, time.as_secs_f64());
    };
    timed(names::GENAI_DURATION, end.duration);
    if let Some(first) = end.first_chunk {
        timed(names::GENAI_FIRST_CHUNK, first);
    }
    let usage = response.usage.map(|counts| counts.usage());
    let counts = [
        ("input", usage.and_then(|usage| usage.input)),
        ("output", usage.and_then(|usage| usage.output)),
    ];
    for (kind, tokens) in counts {
        if let Some(tokens) = tokens {
            let labels = labels(Some(("gen_ai_token_type", kind)));
            observe(names::GENAI_TOKENS, labels, as_f64(tokens));
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "metrics are floats: exact up to 2^53"
)]
fn as_f64(n: u64) -> f64 {
    n as f64
}
