//! The limits of an outbox.

use std::{path::PathBuf, time::Duration};

/// The folder and the limits of an outbox.
#[derive(Clone, Debug)]
pub(crate) struct OutboxOptions {
    /// Its folder; `None`: in memory only, lost with the process.
    pub(crate) dir: Option<PathBuf>,
    /// The most bytes it holds; beyond it the least severe and oldest are dropped and counted.
    pub(crate) max_bytes: u64,
    /// The age beyond which what is undelivered is dropped and counted.
    pub(crate) max_age: Duration,
    /// The longest that one attempt may take. Default: 20 s.
    pub(crate) attempt_timeout: Duration,
    /// The wait after the first failure; doubled with each further one. Default: 1 s.
    pub(crate) backoff: Duration,
    /// The longest of these waits. Default: 5 min.
    pub(crate) backoff_max: Duration,
    /// How often it looks for expired parcels, and for those of a process that died while this one
    /// was running. Default: 10 s.
    pub(crate) upkeep: Duration,
}

impl OutboxOptions {
    /// Returns the options for a folder (or memory) with those limits.
    pub(crate) fn new(dir: Option<PathBuf>, max_bytes: u64, max_age: Duration) -> OutboxOptions {
        OutboxOptions {
            dir,
            max_bytes,
            max_age,
            ..OutboxOptions::default()
        }
    }
}

impl Default for OutboxOptions {
    fn default() -> OutboxOptions {
        OutboxOptions {
            dir: None,
            max_bytes: 64 * 1024 * 1024,
            max_age: Duration::from_secs(24 * 3600),
            attempt_timeout: Duration::from_secs(20),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(300),
            upkeep: Duration::from_secs(10),
        }
    }
}
