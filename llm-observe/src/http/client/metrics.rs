//! The metrics of requests beside their durations: rate limits, retries, and of a model's answer
//! tokens and times, under the names of the OpenTelemetry GenAI conventions.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use http::HeaderMap;
use jiff::Timestamp;

use super::{
    attempts::Retry,
    limits::{self, Measure, Stated},
    model::Asked,
    names::Names,
    target::address,
    usage::{Missing, Reading},
};
use crate::{
    http::{Http, http_site::HttpSite, metrics_table as names, sites::OTHER},
    kernel::stats::{Gauge, Stats},
};

/// What an observer keeps of the requests that are sent.
pub(crate) struct Clients {
    /// By the host's label, which is bounded.
    gauges: RwLock<HashMap<&'static str, Arc<Gauges>>>,
    models: Names,
}

/// The rate limits of one host; a gauge is made when its number is first stated.
#[derive(Default)]
struct Gauges {
    cells: [OnceLock<Gauge>; CELLS],
    retry_after: OnceLock<Gauge>,
}

/// Kinds of limits times measures.
const CELLS: usize = 12;

impl Clients {
    pub(crate) fn new(limit: u32, stats: &Stats) -> Clients {
        Clients {
            gauges: RwLock::default(),
            models: Names::new("gen_ai_response_model", limit, stats),
        }
    }

    fn known(&self, host: &str) -> Option<Arc<Gauges>> {
        let all = self.gauges.read().unwrap_or_else(PoisonError::into_inner);
        all.get(host).cloned()
    }

    fn gauges(&self, host: &'static str) -> Arc<Gauges> {
        self.known(host).unwrap_or_else(|| {
            let mut all = self.gauges.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(host).or_default().clone()
        })
    }
}

/// Sets the gauges of a host to what the headers of its answer state. What is beyond the bound of
/// hosts states nothing: it would be several hosts' in turn.
pub(crate) fn limits(http: &Http, site: &'static HttpSite, headers: &HeaderMap) {
    let Some(host) = address(site) else { return };
    let now = Timestamp::now();
    let mut wait = None;
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        if *name == http::header::RETRY_AFTER {
            wait = limits::retry_after(value, now);
        } else if let Some(stated) = limits::read(name.as_str(), value, now) {
            set(http, host, stated);
        }
    }
    set_wait(http, host, wait);
}

fn set(http: &Http, host: &'static str, stated: Stated) {
    let name = match stated.measure {
        Measure::Limit => names::LIMIT,
        Measure::Remaining => names::LIMIT_REMAINING,
        Measure::Reset => names::LIMIT_RESET,
    };
    let gauges = http.clients.gauges(host);
    if let Some(cell) = gauges.cells.get(stated.place()) {
        let labels = [("server_address", host), ("kind", stated.kind.as_str())];
        cell.get_or_init(|| http.stats.gauge(name, &labels))
            .set(stated.value);
    }
}

/// A host that asks for no wait any more has its gauge go back to 0; one that never did has none.
fn set_wait(http: &Http, host: &'static str, wait: Option<i64>) {
    let clients = &http.clients;
    let Some(seconds) = wait else {
        let known = clients.known(host);
        if let Some(gauge) = known.as_ref().and_then(|known| known.retry_after.get()) {
            gauge.set(0);
        }
        return;
    };
    let gauges = clients.gauges(host);
    let gauge = gauges.retry_after.get_or_init(|| {
        let labels = [("server_address", host)];
        http.stats.gauge(names::LIMIT_RETRY_AFTER, &labels)
    });
    gauge.set(seconds);
}

/// Counts a request that is sent again.
pub(crate) fn retried(http: &Http, site: &'static HttpSite, retry: Retry) {
    let host = address(site).unwrap_or(OTHER);
    let reason = retry.reason.label();
    let labels = [("server_address", host), ("reason", reason.as_str())];
    http.stats.counter(names::HTTP_RETRIES, &labels).add(1);
}

/// Counts an answer of a model that should have said its tokens and did not.
pub(crate) fn missing(http: &Http, why: Missing) {
    let labels = [("reason", why.as_str())];
    http.stats.counter(names::USAGE_MISSING, &labels).add(1);
}

/// Counts a request to a model that has ended. A model answers in milliseconds at best: each value
/// goes to the recorder as it comes.
pub(crate) fn model_call(
    http: &Http,
    site: &'static HttpSite,
    asked: Asked,
    reading: &Reading,
    end: &ModelCallEnd,
) {
    let model = reading.model.as_deref();
    let model = model.map(|model| http.clients.models.bounded(model));
    let labels = |more: Option<(&'static str, &'static str)>| -> Vec<(&'static str, String)> {
        let own = [
            ("gen_ai_operation_name", Some(asked.operation)),
            ("gen_ai_provider_name", Some(asked.provider)),
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
        http.metrics.observe(name, &labels, value);
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
    let usage = reading.usage;
    let counts = [
        ("input", usage.and_then(|usage| usage.input())),
        ("output", usage.and_then(|usage| usage.output())),
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

/// How a request to a model ended.
pub(crate) struct ModelCallEnd {
    pub(crate) duration: Duration,
    pub(crate) first_chunk: Option<Duration>,
    pub(crate) error_type: Option<String>,
}
