//! The kinds of operations that observers know: one line for each.

use crate::observer::OperationKind;

/// All of them.
pub(crate) const KINDS: &[OperationKind] = &[
    #[cfg(feature = "http")]
    crate::http::server::KIND,
    #[cfg(feature = "http-client")]
    crate::http::client::KIND,
];
