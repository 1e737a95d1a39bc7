//! Requests over HTTP, in and out, as calls like any other: a line, figures, a span, a report and an
//! alert for each, and everything below them in their trace.
//!
//! [`layer`] observes a server. Knows sinks only through [`Call`](crate::kernel::call::Call).

mod agents;
mod body;
#[cfg(feature = "http-client")]
pub mod client;
#[cfg(not(feature = "http-client"))]
#[path = "../absent/http_client.rs"]
mod client;
#[cfg(feature = "axum")]
mod extensions;
#[cfg(not(feature = "axum"))]
#[path = "../absent/axum.rs"]
mod extensions;
mod grpc;
pub(crate) mod ids;
mod layer;
pub(crate) mod method;
pub(crate) mod metrics_table;
pub(crate) mod policy;
mod response;
pub(crate) mod scope;
pub(crate) mod sites;
mod start;
pub(crate) mod underway;

use std::sync::atomic::{AtomicU64, Ordering};

use llm_observe_config::Config;

use crate::kernel::stats::Stats;
use client::Clients;
pub(crate) use metrics_table::TABLE as METRICS;
use policy::Policy;
use sites::Table;

pub use crate::kernel::request::{Exchange, Request, RequestId};
pub use body::ObservedBody;
pub use grpc::grpc;
pub use layer::{HttpLayer, HttpService, layer};
pub use response::ResponseFuture;
pub use scope::{InCurrentCall, in_current_call};

/// What an observer does about HTTP requests.
pub(crate) struct Http {
    /// No other observer has the same.
    number: u64,
    /// For the life of the program, as the sites that it rules.
    pub(crate) policy: &'static Policy,
    /// The LogRocket application whose sessions are linked.
    pub(crate) sessions: Option<String>,
    /// The routes of the server.
    pub(crate) routes: Table,
    /// The hosts that requests are sent to.
    pub(crate) hosts: Table,
    /// What else it keeps of them.
    pub(crate) clients: Clients,
}

impl Http {
    pub(crate) fn new(config: &Config, stats: &Stats) -> Http {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let limit = config.metrics.max_label_values;
        Http {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            sessions: config.trackers.logrocket.as_ref().map(|l| l.app.clone()),
            policy: Box::leak(Box::new(Policy::new(&config.http))),
            routes: Table::new("http_route", limit, stats),
            hosts: Table::new("server_address", limit, stats),
            clients: Clients::new(limit, stats),
        }
    }
}

/// Returns the id of the request that the thread works for.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    crate::kernel::context::request().map(|request| request.id)
}
