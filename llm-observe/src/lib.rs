//! One attribute times, logs, counts, traces, reports and alerts every call of a function.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]
#![allow(dead_code)]

mod error;
mod outcome;
mod record;
pub mod redact;
mod site;
mod stats;

mod observer {
    #[derive(Debug)]
    pub(crate) struct Active;
}

pub use error::Error;
pub use outcome::{Class, Outcome};
pub use record::{ErrorInfo, Fields, Record, SpanId, TraceId, Value};
pub use redact::Redactor;
pub use site::{AlertRule, On, Severity, Site};
