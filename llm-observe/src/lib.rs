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

mod error;
pub mod genai;
mod init;
mod kernel;
mod observer;
mod own_thread;
mod probes;
pub mod redact;
#[cfg(any(feature = "delivery", feature = "http-client"))]
mod retry_after;
mod spans;
pub mod testing;
mod upkeep;
mod warn;

#[cfg(feature = "delivery")]
pub mod alerts;
#[cfg(feature = "delivery")]
mod breadcrumbs;
#[cfg(feature = "delivery")]
pub mod outbox;
#[cfg(feature = "delivery")]
pub mod trackers;

#[cfg(all(test, feature = "delivery"))]
use llm_observe_test_support::listener;

#[cfg(feature = "http")]
pub mod http;

// `absent/` has a stand-in for each part that `init` and `observer` name: it has the same functions and
// does nothing. A trait object in its place would cost a virtual call in each annotated call (metrics),
// and a `cfg` in the callers is not allowed. Parts that only register themselves need no stand-in: the
// kinds of operations, routers, and client libraries are lists whose entries have a `cfg`.

#[cfg(feature = "log")]
pub mod log;
// Public like the one that it stands for, so that the compiler says which feature has what is
// missing in it, and not that it is private.
#[cfg(not(feature = "log"))]
#[doc(hidden)]
#[path = "absent/log.rs"]
pub mod log;

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "absent/metrics.rs"]
mod metrics;

#[cfg(not(all(feature = "delivery", feature = "log")))]
#[path = "absent/needs_feature.rs"]
mod needs_feature;

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
pub use init::{
    Builder, FlushReport, Observer, SendTestResult, ShutdownSignal, shutdown, shutdown_signal,
};
#[cfg(feature = "tokio")]
pub use kernel::spawn::{spawn, spawn_blocking};
pub use kernel::{
    alert_rule::{AlertRule, Severity, TriggerSet},
    call_context::{Context, context, continue_trace},
    current::{CurrentCall, current},
    error_info::ErrorInfo,
    ids::{SpanId, TraceId},
    limit::Elapsed,
    outcome::{ErrorClass, Outcome},
    propagation::{CurrentCallExt, InCurrentCall, WithContext, in_current_call},
    record::Record,
    request_context::{RequestContext, RequestId},
    sink,
    site::Site,
    value::{Fields, Value},
};
pub use llm_observe_config as config;
pub use llm_observe_macros::{init, observe};

/// What a call is besides a function call, and how a program observes protocols of its own.
pub mod operation {
    pub use crate::kernel::{
        metric::{Buckets, Metric, Unit},
        operation::{
            Attribute, AttributeValue, Chunk, Instruments, Operation, OperationEnd, OperationSite,
            SpanKind, SummaryWriter,
        },
        operation_call::OperationCall,
    };
}
