//! The gauges of the rate limits that each host states.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use super::limits::{LimitMeasure, RateLimit};
use crate::{
    http::metrics_table as names,
    kernel::stats::{Gauge, Stats},
};

/// The rate limits of all hosts, by the host's label. The number of labels is bounded.
#[derive(Default)]
pub(super) struct HostLimits(RwLock<HashMap<&'static str, Arc<HostGauges>>>);

/// The gauges of one host. Each is made when its value is first stated.
#[derive(Default)]
struct HostGauges {
    limits: [OnceLock<Gauge>; RateLimit::COUNT],
    retry_after: OnceLock<Gauge>,
}

impl HostLimits {
    /// Sets the gauge of a rate limit.
    pub(super) fn set(&self, host: &'static str, limit: RateLimit, stats: &Stats) {
        let name = match limit.measure {
            LimitMeasure::Limit => names::LIMIT,
            LimitMeasure::Remaining => names::LIMIT_REMAINING,
            LimitMeasure::Reset => names::LIMIT_RESET,
        };
        let gauges = self.of(host);
        if let Some(gauge) = gauges.limits.get(limit.index()) {
            let labels = [("server_address", host), ("kind", limit.kind.as_str())];
            gauge
                .get_or_init(|| stats.gauge(name, &labels))
                .set(limit.value);
        }
    }

    /// Sets the gauge of `retry-after`, in seconds. Without a wait an existing gauge returns to 0, and
    /// none is made.
    pub(super) fn set_retry_after(&self, host: &'static str, wait: Option<i64>, stats: &Stats) {
        let Some(seconds) = wait else {
            let known = self.find(host);
            if let Some(gauge) = known.as_ref().and_then(|known| known.retry_after.get()) {
                gauge.set(0);
            }
            return;
        };
        let gauges = self.of(host);
        let gauge = gauges.retry_after.get_or_init(|| {
            let labels = [("server_address", host)];
            stats.gauge(names::LIMIT_RETRY_AFTER, &labels)
        });
        gauge.set(seconds);
    }

    fn find(&self, host: &str) -> Option<Arc<HostGauges>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(host).cloned()
    }

    fn of(&self, host: &'static str) -> Arc<HostGauges> {
        self.find(host).unwrap_or_else(|| {
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(host).or_default().clone()
        })
    }
}
