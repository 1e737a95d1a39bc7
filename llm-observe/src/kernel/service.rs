//! Which service is observed, and where it runs. Plain data.

/// The host of a machine whose name cannot be found out.
pub(crate) const UNKNOWN_HOST: &str = "unknown";

/// Who is observed: goes on every line, report, alert and build-info line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) environment: String,
    /// Empty where it is not known.
    pub(crate) release: String,
    pub(crate) host: String,
}

impl Service {
    /// Returns the host; empty where it is not known.
    pub(crate) fn known_host(&self) -> &str {
        match self.host.as_str() {
            UNKNOWN_HOST => "",
            host => host,
        }
    }
}
