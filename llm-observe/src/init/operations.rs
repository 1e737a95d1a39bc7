//! The kinds of operations that observers know: one line for each.

use crate::{
    kernel::{metric::Metric, metrics_table},
    observer::OperationKind,
};

/// All of them.
pub(crate) const KINDS: &[OperationKind] = &[
    #[cfg(feature = "http")]
    crate::http::server::KIND,
    #[cfg(feature = "http-client")]
    crate::http::client::KIND,
    #[cfg(feature = "genai")]
    crate::genai::prices::KIND,
];

/// Returns the table of all metrics: those of calls, and each kind's own.
pub(crate) fn metrics() -> Vec<&'static Metric> {
    let of_kinds = KINDS.iter().flat_map(|kind| kind.metrics);
    metrics_table::TABLE
        .iter()
        .chain(of_kinds)
        .copied()
        .collect()
}
