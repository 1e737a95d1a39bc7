//! Received requests: the tower layer, and a request from its head to the last byte of its response.
//!
//! Knows nothing of `client`.

#[cfg(feature = "axum")]
mod axum;
mod body;
mod grpc;
mod headers;
mod layer;
mod logrocket;
mod policy;
mod response;
mod router;
mod server_call;
mod start;
mod state;
mod user_agents;

use std::sync::Arc;

use crate::{http::metrics_table::SERVER_TABLE, observer::OperationKind};
use state::ServerState;

pub use body::ObservedBody;
pub use grpc::grpc;
pub use layer::{HttpLayer, HttpService, layer};
pub use response::ResponseFuture;

/// Received HTTP requests as a kind of operation.
pub(crate) const KIND: OperationKind = OperationKind {
    setup: |setup| Arc::new(ServerState::new(setup)),
    flush: |_, _, _| {},
    metrics: SERVER_TABLE,
};
