//! What is counted of requests beside their durations: rate limits, retries, tokens.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use http::HeaderMap;
use jiff::Timestamp;

use super::{
    attempts::Again,
    limits::{self, Measure, Stated},
    model::Asked,
    names::Names,
    target::address,
    usage::{Missing, Reading},
};
use crate::{
    http::metrics_table as names,
    kernel::{
        request::ModelCall,
        site::Site,
        stats::{Gauge, Stats},
    },
    observer::Core,
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
pub(crate) fn limits(core: &Core, site: &'static Site, headers: &HeaderMap) {
    let Some(host) = address(site) else { return };
    let now = Timestamp::now();
    let mut wait = None;
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        if *name == http::header::RETRY_AFTER {
            wait = limits::retry_after(value, now);
        } else if let Some(stated) = limits::read(name.as_str(), value, now) {
            set(core, host, stated);
        }
    }
    set_wait(core, host, wait);
}

fn set(core: &Core, host: &'static str, stated: Stated) {
    let name = match stated.measure {
        Measure::Limit => names::LIMIT,
        Measure::Remaining => names::LIMIT_REMAINING,
        Measure::Reset => names::LIMIT_RESET,
    };
    let gauges = core.http.clients.gauges(host);
    if let Some(cell) = gauges.cells.get(stated.place()) {
        let labels = [("server_address", host), ("kind", stated.kind.as_str())];
        cell.get_or_init(|| core.stats.gauge(name, &labels))
            .set(stated.value);
    }
}

/// A host that asks for no wait any more has its gauge go back to 0; one that never did has none.
fn set_wait(core: &Core, host: &'static str, wait: Option<i64>) {
    let clients = &core.http.clients;
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
        core.stats.gauge(names::LIMIT_RETRY_AFTER, &labels)
    });
    gauge.set(seconds);
}

/// Counts a request that is sent again.
pub(crate) fn retried(core: &Core, site: &'static Site, again: Again) {
    let host = address(site).unwrap_or(crate::http::sites::OTHER);
    let reason = again.reason.label();
    let labels = [("server_address", host), ("reason", reason.as_str())];
    core.stats.counter(names::HTTP_RETRIES, &labels).add(1);
}

/// Counts an answer of a model that should have said its tokens and did not.
pub(crate) fn missing(core: &Core, why: Missing) {
    let labels = [("reason", why.as_str())];
    core.stats.counter(names::USAGE_MISSING, &labels).add(1);
}

/// Counts a request to a model that has ended.
pub(crate) fn model_call(
    core: &Core,
    site: &'static Site,
    asked: Asked,
    reading: &Reading,
    ended: &Ended,
) {
    let model = reading.model.as_deref();
    let model = model.map(|model| core.http.clients.models.bounded(model));
    let labels = site.request.map(|request| request.labels.as_slice());
    core.metrics.model_call(&ModelCall {
        operation: asked.operation,
        provider: asked.provider,
        model: model.as_deref(),
        server: labels.unwrap_or_default(),
        error_type: ended.error_type.as_deref(),
        duration: ended.duration,
        first_chunk: ended.first_chunk,
        input: reading.usage.and_then(|usage| usage.input()),
        output: reading.usage.and_then(|usage| usage.output()),
    });
}

/// How a request to a model ended.
pub(crate) struct Ended {
    pub(crate) duration: Duration,
    pub(crate) first_chunk: Option<Duration>,
    pub(crate) error_type: Option<String>,
}
