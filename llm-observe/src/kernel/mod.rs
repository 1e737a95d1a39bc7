//! From an annotated call to its one record. Knows no sink, no protocol and no configuration.
//!
//! The files are in layers: each imports only from those above it in this list.

pub(crate) mod call;
pub(crate) mod classify;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod error_info;
pub(crate) mod future;
pub(crate) mod ids;
pub(crate) mod limit;
pub(crate) mod links;
pub(crate) mod metric;
pub(crate) mod metrics_table;
pub(crate) mod outcome;
pub(crate) mod panics;
pub(crate) mod pool;
#[doc(hidden)]
pub mod probe;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod request;
pub(crate) mod sink;
pub(crate) mod site;
pub(crate) mod site_map;
pub(crate) mod stats;
pub(crate) mod timer;
pub(crate) mod value;
pub(crate) mod values;
