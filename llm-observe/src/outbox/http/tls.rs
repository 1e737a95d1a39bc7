//! TLS of deliveries: trusts what the system trusts, with the code of ring. Changes nothing for the
//! program's own TLS.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::error::Error;

/// Reads the system's certificates once per process; sets no process-wide provider.
pub(super) fn config() -> Result<ClientConfig, Error> {
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let config = read().map_err(|e| Error::with("cannot set up TLS", e))?;
    Ok(CONFIG.get_or_init(|| config).clone())
}

fn read() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()
    };
    match builder()?.with_platform_verifier() {
        Ok(verified) => Ok(verified.with_no_client_auth()),
        Err(error) => {
            // A container without certificates: plain HTTP works, and HTTPS will once it has some.
            // The program must start.
            tracing::warn!(target: "llm_observe::outbox", %error, "no HTTPS destination can be reached: install the system's CA certificates (ca-certificates)");
            Ok(builder()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth())
        }
    }
}
