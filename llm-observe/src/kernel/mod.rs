//! From an annotated call to its one record. Knows no sink, no protocol and no configuration.
//!
//! The files are in layers, which `ARCHITECTURE.md` lists: data below behaviour, and each file
//! imports only from files below it.

pub(crate) mod alert_rule;
pub(crate) mod baggage;
pub(crate) mod bounded_names;
pub(crate) mod call;
pub(crate) mod call_context;
pub(crate) mod capture;
pub(crate) mod carried;
pub(crate) mod classify;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod current;
pub(crate) mod describe;
pub(crate) mod dispatch;
#[doc(hidden)]
pub mod ending;
pub(crate) mod error_info;
pub(crate) mod extra;
pub(crate) mod fork_mutex;
mod function_path;
pub(crate) mod future;
pub(crate) mod ids;
mod io_error;
pub(crate) mod limit;
pub(crate) mod links;
pub(crate) mod metric;
pub(crate) mod metrics_table;
pub(crate) mod operation;
pub(crate) mod operation_call;
pub(crate) mod outcome;
pub(crate) mod panics;
pub(crate) mod pool;
#[doc(hidden)]
pub mod probe;
pub(crate) mod propagation;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod request_context;
pub(crate) mod scope;
pub(crate) mod service;
pub(crate) mod similar;
pub mod sink;
pub(crate) mod site;
pub(crate) mod site_map;
#[cfg(feature = "tokio")]
pub(crate) mod spawn;
pub(crate) mod stats;
pub(crate) mod stream;
pub(crate) mod stream_limit;
#[doc(hidden)]
pub mod stream_type;
pub(crate) mod sync_call;
pub(crate) mod timer;
pub(crate) mod trace_parent;
pub(crate) mod user_text;
pub(crate) mod value;
