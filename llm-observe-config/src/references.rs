//! The names that a file declares and the places that use them.

use std::collections::BTreeSet;

/// The names that a file declares and uses, with the byte offsets of the uses.
#[derive(Default)]
pub(crate) struct References {
    /// `[channels.NAME]`, whether right or wrong.
    pub(crate) channels: BTreeSet<String>,
    /// `[events.NAME]`, whether right or wrong; `None` without `[events]`.
    pub(crate) events: Option<BTreeSet<String>>,
    /// The channels that are named elsewhere.
    pub(crate) channel_uses: Vec<Reference>,
    /// The events that are named elsewhere.
    pub(crate) event_uses: Vec<Reference>,
    /// The log files, each with the table that writes it.
    pub(crate) files: Vec<Reference>,
}

/// A name, and where it is used.
pub(crate) struct Reference {
    pub(crate) name: String,
    /// The table, such as `[loggers.errors]`.
    pub(crate) location: String,
    pub(crate) at: usize,
}
