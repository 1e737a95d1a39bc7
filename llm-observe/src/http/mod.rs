//! HTTP requests as operations: each request has a log line, metrics, a span, and a report and an
//! alert when it fails. Calls made during a request belong to its trace.
//!
//! [`layer()`] observes the requests that a server receives. The module `client` (feature
//! `http-client`) observes the requests that a program sends. Both record an [`Exchange`].
//!
//! The modules here are shared by both directions and know neither. `server` and `client` know
//! nothing of each other.

#[cfg(feature = "http-client")]
pub mod client;
pub(crate) mod server;

mod attributes;
mod error_types;
mod exchange;
mod http_site;
mod method;
mod metrics_table;
#[cfg(feature = "axum")]
mod probes;
mod sites;

use crate::kernel::context;

pub use crate::kernel::{
    propagation::{InCurrentCall, in_current_call},
    request_context::{RequestContext, RequestId},
};
pub use exchange::Exchange;
#[cfg(feature = "axum")]
pub use probes::{healthz, metrics, probes, readyz};
pub use server::{HttpLayer, HttpService, ObservedBody, ResponseFuture, grpc, layer};

/// Returns the id of the request that the current thread is serving.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    context::request().map(|request| request.id)
}
