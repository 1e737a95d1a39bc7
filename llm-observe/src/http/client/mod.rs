//! Requests that are sent, as calls like any other: a line, `http_client_request_duration_seconds`,
//! a span, the rate limits that the answer states, and of a model's answer its tokens.
//!
//! [`middleware`] is for `reqwest`, [`layer`] for hyper clients and anything tower. Both are thin:
//! what they share is in `outgoing` and `answer`.

mod answer;
mod attempts;
mod body;
mod fault;
mod hyper;
mod limits;
mod metrics;
mod model;
mod names;
mod outgoing;
mod record;
#[cfg(feature = "reqwest-middleware")]
mod redirects;
#[cfg(feature = "reqwest-middleware")]
mod reqwest;
#[cfg(not(feature = "reqwest-middleware"))]
#[path = "../../absent/reqwest.rs"]
mod reqwest;
mod target;
mod tower;
mod usage;

pub use attempts::Attempts;
pub use body::AnswerBody;
#[cfg(feature = "reqwest-middleware")]
pub use redirects::redirects;
#[cfg(feature = "reqwest-middleware")]
pub use reqwest::{Middleware, from_builder, middleware};
pub use tower::{AnswerFuture, ClientLayer, ClientService, layer};

pub(crate) use metrics::Clients;
