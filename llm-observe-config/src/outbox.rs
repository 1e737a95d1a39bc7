//! `[outbox]`: messages that are not delivered yet.

use std::path::PathBuf;
use std::time::Duration;

use crate::log::Log;
use crate::section::Section;
use crate::value;

/// The durable queue of everything that leaves the process.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Outbox {
    /// Its folder. Default: `outbox` within `log.dir`.
    pub dir: Option<PathBuf>,
    /// The most bytes it holds; beyond it the oldest are dropped and counted. Default: 64 MiB.
    pub max_bytes: u64,
    /// The age beyond which an undelivered message is dropped and counted. Default: 24 h.
    pub max_age: Duration,
}

impl Outbox {
    /// Returns its folder, given the log settings of the same file.
    pub fn folder(&self, log: &Log) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| log.dir.join("outbox"))
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            dir: None,
            max_bytes: 64 * 1024 * 1024,
            max_age: Duration::from_secs(24 * 3600),
        }
    }
}

impl Outbox {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut outbox = Self::default();
        section.optional("dir", &mut outbox.dir, value::path);
        section.set("max_bytes", &mut outbox.max_bytes, value::size(64 * 1024));
        section.set("max_age", &mut outbox.max_age, value::some_duration);
        outbox
    }
}
