//! Requests over HTTP, in and out, as operations: a line, metrics, a span, a report and an alert for
//! each, and everything below them in their trace.
//!
//! [`layer`] observes a server, [`client`] what is sent. Both end up in an [`Exchange`].

mod agents;
mod body;
#[cfg(feature = "http-client")]
pub mod client;
#[cfg(not(feature = "http-client"))]
#[path = "../absent/http_client.rs"]
mod client;
mod exchange;
#[cfg(feature = "axum")]
mod extensions;
#[cfg(not(feature = "axum"))]
#[path = "../absent/axum.rs"]
mod extensions;
mod grpc;
mod http_site;
pub(crate) mod ids;
mod layer;
mod logrocket;
pub(crate) mod method;
mod metrics_table;
pub(crate) mod policy;
mod response;
mod server_call;
pub(crate) mod sites;
mod start;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use llm_observe_config::Config;

use crate::{
    kernel::{context, stats::Stats},
    metrics::Metrics,
    observer::{OperationKind, Setup},
    redact::Redactor,
};
use client::Clients;
use policy::Policy;
use sites::Table;

pub use crate::kernel::{
    propagation::{InCurrentCall, in_current_call},
    request_context::{RequestContext, RequestId},
};
pub use body::ObservedBody;
pub use exchange::Exchange;
pub use grpc::grpc;
pub use layer::{HttpLayer, HttpService, layer};
pub use response::ResponseFuture;

/// HTTP as a kind of operation.
pub(crate) const KIND: OperationKind = OperationKind {
    setup: |setup| Arc::new(Http::new(setup)),
    metrics: metrics_table::TABLE,
};

/// What an observer keeps for HTTP requests.
pub(crate) struct Http {
    /// No other observer has the same.
    number: u64,
    pub(crate) config: Config,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) metrics: Arc<Metrics>,
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
    fn new(setup: &Setup<'_>) -> Http {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let (config, stats) = (setup.config, setup.stats);
        let limit = config.metrics.max_label_values;
        Http {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            sessions: config.trackers.logrocket.as_ref().map(|l| l.app.clone()),
            policy: Box::leak(Box::new(Policy::new(&config.http))),
            routes: Table::new("http_route", limit, stats),
            hosts: Table::new("server_address", limit, stats),
            clients: Clients::new(limit, stats),
            config: config.clone(),
            redactor: setup.redactor.clone(),
            stats: stats.clone(),
            metrics: setup.metrics.clone(),
        }
    }
}

/// Returns the id of the request that the thread works for.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    context::request().map(|request| request.id)
}
