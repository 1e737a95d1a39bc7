//! Records the metrics of sent requests besides their durations: rate limits and retries.

use http::HeaderMap;
use jiff::Timestamp;

use super::{attempts::Retry, limits, state::ClientState, target::server_address};
use crate::http::{http_site::HttpSite, metrics_table as names, sites::OTHER};

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
