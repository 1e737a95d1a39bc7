//! The log writer for lines that a program formats itself, configured as `[log]` is.

use std::{io, sync::Arc, time::Duration};

use llm_observe_config::Log;
use tracing::Level;

use super::{format::Style, lines::level_of, options};
use crate::{error::Error, kernel::service::Service};

/// A rotating log file for lines of any format, with the promises of `[log]`: no line is lost to a
/// burst, a full disk or a kill without being counted, and rotation never splits one.
///
/// Clones write the same file, from any thread. Dropping the last one writes what is left, within
/// five seconds. As an [`io::Write`] it takes whole lines however they are cut into pieces, for each
/// clone by itself, so that it can stand behind other libraries:
///
/// ```
/// use llm_observe::{config::Log, log::LogWriter};
/// # let dir = std::env::temp_dir().join(format!("llm-observe-doc-{}", std::process::id()));
///
/// let mut log = Log::default();
/// log.dir = dir.clone();
/// log.file = "audit.log".to_owned();
/// log.max_bytes = 50_000_000;
/// let audit = LogWriter::open(&log)?;
/// audit.line(tracing::Level::INFO, b"user 7 signed in\n");
/// // For `tracing_subscriber::fmt`: `.with_writer(move || audit.clone())`.
/// drop(audit);
/// assert_eq!(std::fs::read(dir.join("audit.log"))?, b"user 7 signed in\n");
/// # std::fs::remove_dir_all(dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Bytes are written as they are. Whoever formats lines has to escape what comes from outside: a
/// newline in it would forge a line, an escape sequence would control the reader's terminal. Lines of
/// annotated calls and of `tracing` events, which do not go through here, are escaped.
///
/// A program that uses nothing else of this crate can take the same writer from
/// [`llm_observe_log`].
#[derive(Clone, Debug)]
pub struct LogWriter(llm_observe_log::LogWriter);

impl LogWriter {
    /// Opens the file that `log` describes. The keys `enabled`, `level`, `console`, `console_format`,
    /// `console_target` and `max_value_bytes` have no effect here. `format` and `json_names` are those
    /// of loss notices, which do not name a service.
    ///
    /// # Errors
    /// When the folder cannot be created or written, when this or another process has the file open
    /// and it is not `shared`, and when it is a symlink and those are not followed.
    pub fn open(log: &Log) -> Result<Self, Error> {
        options::open(log, &Arc::new(Style::new(log, &Service::default())))
            .map(Self)
            .map_err(|source| Error::with(format!("log file `{}`", log.file), source))
    }

    /// Takes one line, which ends in `\n`. When the buffer is nearly full, lines of the lowest level
    /// are dropped first. A line at ERROR also wakes the writer thread at once.
    #[inline]
    pub fn line(&self, level: Level, line: &[u8]) {
        self.0.line(level_of(level), line);
    }

    /// Waits until every line taken before is in the file, at most `limit`. Returns how many bytes
    /// of them are not.
    pub fn wait(&self, limit: Duration) -> u64 {
        self.0.wait(limit)
    }

    /// Returns how many lines were lost since this process opened the file.
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }
}

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Does nothing: lines are safe from the moment they are taken. To wait for the file, call
    /// [`LogWriter::wait`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
