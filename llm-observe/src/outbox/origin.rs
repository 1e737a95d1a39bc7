//! Who reports and alerts.

/// The service that reports and alerts, and where it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The service's name.
    pub(crate) service: String,
    /// The deployment environment.
    pub(crate) environment: String,
    /// The release.
    pub(crate) release: String,
    /// The machine's name.
    pub(crate) host: String,
}
