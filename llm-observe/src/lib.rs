//! One attribute on a function: from then on every call of it is timed, logged, counted, traced,
//! and, when it fails, reported and alerted.
//!
//! ```no_run
//! use llm_observe::observe;
//!
//! #[observe(event = "embedding", alert_on_error)]
//! async fn embed(text: &str) -> Result<Vec<f32>, std::io::Error> {
//!     // ...
//!     # Ok(vec![text.len() as f32])
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _observer = llm_observe::init!()?;
//!     // ...
//!     Ok(())
//! }
//! ```
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )
)]
#![cfg_attr(
    not(feature = "full"),
    allow(
        dead_code,
        unused_imports,
        reason = "each outlet uses its part of what is shared"
    )
)]
#![allow(
    clippy::redundant_pub_crate,
    reason = "`unreachable_pub` asks for the opposite"
)]

mod call;
mod classify;
mod clock;
mod context;
mod error;
mod future;
mod init;
mod limit;
mod links;
mod logrocket;
mod names;
mod observer;
mod outcome;
mod panics;
#[doc(hidden)]
pub mod probe;
mod record;
pub mod redact;
mod registry;
mod request;
#[cfg(any(feature = "delivery", feature = "http-client"))]
mod retry_after;
mod site;
mod spans;
mod spare;
mod stalls;
mod stats;
pub mod testing;
mod timer;
mod upkeep;
mod values;

#[cfg(feature = "delivery")]
pub mod alerts;
#[cfg(feature = "delivery")]
mod crumbs;
#[cfg(all(feature = "log", not(feature = "delivery")))]
#[path = "absent/crumbs.rs"]
mod crumbs;
#[cfg(feature = "delivery")]
pub mod outbox;
#[cfg(feature = "delivery")]
pub mod trackers;

#[cfg(all(test, feature = "delivery"))]
use llm_observe_test_support::listener;

#[cfg(feature = "http")]
pub mod http;
#[cfg(not(feature = "http"))]
#[path = "absent/http.rs"]
mod http;

#[cfg(feature = "log")]
pub mod log;
#[cfg(not(feature = "log"))]
#[path = "absent/log.rs"]
mod log;

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "absent/metrics.rs"]
mod metrics;

#[cfg(feature = "server")]
mod page;
#[cfg(feature = "server")]
mod server;
#[cfg(not(feature = "server"))]
#[path = "absent/server.rs"]
mod server;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use error::Error;
pub use init::{Builder, Flushed, Observer, Tested};
pub use limit::Elapsed;
pub use llm_observe_config as config;
pub use llm_observe_macros::{init, observe};
pub use outcome::{Class, Outcome};
pub use record::{ErrorInfo, Fields, Record, SpanId, TraceId, Value};
pub use request::{Exchange, Request, RequestId};
pub use site::{AlertRule, Kind, On, Severity, Site};
