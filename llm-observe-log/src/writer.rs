//! A log file for lines that a program formats itself: the same engine, without our formats.

use std::{io, time::Duration};

use llm_observe_config::Log;
use tracing::Level;

use super::{engine_settings, file::LogFile, hooks, lines::priority};
use crate::error::Error;

/// What a partial line may grow to before it is handed over without its end.
const LONGEST: usize = 1 << 20;

/// A rotating log file for lines of any format, with the promises of `[log]`: none is lost to a
/// burst, a full disk or a kill without being counted, and rotation never splits one.
///
/// Its clones write the same file, from any thread; the last one to go writes what is left, within
/// five seconds. As an [`io::Write`] it takes whole lines however they are cut into pieces, each
/// clone for itself, so that it can stand behind other libraries:
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
/// Bytes are written as they are. Whoever formats lines has to escape what comes from outside, or
/// it can forge lines and control terminals; lines of annotated calls and of `tracing` events,
/// which do not go through here, are escaped.
#[derive(Debug)]
pub struct LogWriter {
    file: LogFile,
    partial: Vec<u8>,
}

impl LogWriter {
    /// Opens the file that `log` describes. Of its keys, `enabled`, `level`, `console` and
    /// `max_value_bytes` say nothing here; `format` is that of the line that says how many are
    /// missing, should some be.
    ///
    /// # Errors
    /// When the folder cannot be made or written, when this or another process has the file open
    /// and it is not `shared`, and when it is a symlink and those are not followed.
    pub fn open(log: &Log) -> Result<Self, Error> {
        let file = LogFile::open(engine_settings(log), &log.file, hooks(log))
            .map_err(|source| Error::with(format!("log file `{}`", log.file), source))?;
        Ok(Self {
            file,
            partial: Vec::new(),
        })
    }

    /// Takes one line, which ends in `\n`. The level decides which lines go first when room for
    /// waiting ones is short; one at ERROR also wakes the writer at once.
    #[inline]
    pub fn line(&self, level: Level, line: &[u8]) {
        self.file.write(priority(level), line);
    }

    /// Waits until all lines taken before are in the file, at most `limit`; returns how many bytes
    /// of them are not.
    pub fn wait(&self, limit: Duration) -> u64 {
        self.file.flush(limit).pending_bytes
    }

    /// Returns how many lines were dropped because there was no room for them, or counted as lost
    /// for another reason, since this process opened the file.
    pub fn lost(&self) -> u64 {
        self.file.stats().lost.values().sum()
    }

    fn hand_over(&mut self) {
        self.line(Level::INFO, &self.partial);
        self.partial.clear();
    }

    fn take(&mut self, piece: &[u8]) {
        match (self.partial.is_empty(), piece.ends_with(b"\n")) {
            (true, true) => self.line(Level::INFO, piece),
            (false, true) => {
                self.partial.extend_from_slice(piece);
                self.hand_over();
            }
            (_, false) => {
                self.partial.extend_from_slice(piece);
                if self.partial.len() > LONGEST {
                    self.end_partial();
                }
            }
        }
    }

    fn end_partial(&mut self) {
        if !self.partial.is_empty() {
            self.partial.push(b'\n');
            self.hand_over();
        }
    }
}

impl Clone for LogWriter {
    fn clone(&self) -> Self {
        Self {
            file: self.file.clone(),
            partial: Vec::new(),
        }
    }
}

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end.saturating_add(1));
            self.take(line);
            rest = behind;
        }
        if !rest.is_empty() {
            self.take(rest);
        }
        Ok(bytes.len())
    }

    /// Does nothing: lines are safe from the moment they are taken. To wait for the file, see
    /// [`LogWriter::wait`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.end_partial();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn pieces_become_whole_lines_of_each_clone() {
        let dir =
            std::env::temp_dir().join(format!("llm-observe-by-hand-{:016x}", fastrand::u64(..)));
        let mut log = Log::default();
        log.dir.clone_from(&dir);
        let mut one = LogWriter::open(&log).unwrap();
        let mut two = one.clone();
        one.write_all(b"a").unwrap();
        two.write_all(b"x\ny").unwrap();
        one.write_all(b"b\nc\nd").unwrap();
        drop(one);
        drop(two);
        let text = std::fs::read_to_string(dir.join("app.log")).unwrap();
        assert_eq!(text, "x\nab\nc\nd\ny\n");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
