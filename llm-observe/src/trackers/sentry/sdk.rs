//! What this client is called in events, envelopes and headers.

use sentry::protocol::ClientSdkInfo;

/// The client's name and version, in headers.
pub(super) const CLIENT: &str = concat!("llm-observe/", env!("CARGO_PKG_VERSION"));

/// The category of what is sent, for rate limits and client reports.
pub(super) const CATEGORY: &str = "error";

/// Returns the client's name and version, in events and envelopes.
pub(super) fn sdk() -> ClientSdkInfo {
    ClientSdkInfo {
        name: "llm-observe".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        integrations: Vec::new(),
        packages: Vec::new(),
    }
}
