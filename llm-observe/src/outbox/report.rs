//! What a flush returns.

/// What was delivered, and what is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeliveryReport {
    /// One entry for each destination.
    pub(crate) destinations: Vec<DestinationReport>,
}

/// What one destination accepted, and what waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DestinationReport {
    /// The destination's name.
    pub(crate) name: String,
    /// The parcels that it accepted since the start.
    pub(crate) delivered: u64,
    /// The parcels that wait for it.
    pub(crate) kept: u64,
    /// Those of them that are in memory only, and lost when the process ends.
    pub(crate) unsaved: u64,
}

impl DeliveryReport {
    /// Returns the parcels delivered since the start, to all destinations.
    pub(crate) fn delivered(&self) -> u64 {
        self.destinations.iter().map(|d| d.delivered).sum()
    }

    /// Returns the parcels that wait, for all destinations.
    pub(crate) fn kept(&self) -> u64 {
        self.destinations.iter().map(|d| d.kept).sum()
    }

    /// Returns the parcels that are lost when the process ends now, for all destinations.
    pub(crate) fn unsaved(&self) -> u64 {
        self.destinations.iter().map(|d| d.unsaved).sum()
    }
}
