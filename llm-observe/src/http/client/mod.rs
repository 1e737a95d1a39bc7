//! Observes the HTTP requests that a program sends: a log line, metrics and a span for each, the rate
//! limits that responses state, and the tokens that models report.
//!
//! [`layer()`] is a tower layer for hyper's client and other services. With the feature
//! `reqwest-middleware`, `reqwest` observes a `reqwest` client. With `async-openai-0_43`,
//! `async_openai` observes a client of `async-openai`.
//!
//! Knows nothing of received requests. `tower`, `reqwest` and `async_openai` adapt one library each; what
//! they share is in `client_call` (up to the head of the response) and `response` (up to its last byte).

#[cfg(feature = "async-openai-0_43")]
mod async_openai;
mod attempts;
mod body;
mod client_call;
mod failure;
mod fields;
mod host_limits;
mod hyper;
mod limits;
mod metrics;
mod model;
mod model_response;
#[cfg(feature = "reqwest-middleware")]
mod redirects;
#[cfg(feature = "reqwest-middleware")]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_error;
mod response;
mod state;
mod target;
mod tower;

use std::sync::Arc;

use crate::{http::metrics_table::CLIENT_TABLE, observer::OperationKind};
use state::ClientState;

#[cfg(feature = "async-openai-0_43")]
pub use async_openai::{AsyncOpenAiService, async_openai};
pub use attempts::Attempts;
pub use body::ClientResponseBody;
#[cfg(feature = "reqwest-middleware")]
pub use redirects::redirects;
#[cfg(feature = "reqwest-middleware")]
pub use reqwest::{Middleware, from_builder, middleware, propagating, reqwest};
pub use tower::{ClientLayer, ClientResponseFuture, ClientService, layer};

/// Sent HTTP requests as a kind of operation.
pub(crate) const KIND: OperationKind = OperationKind {
    setup: |setup| Arc::new(ClientState::new(setup)),
    flush: |_, _, _| {},
    metrics: CLIENT_TABLE,
};
