//! The writer that programs hold: lines by level, or bytes through [`io::Write`].

use std::{io, time::Duration};

use crate::{
    error::OpenError, file::LogFile, hooks::Hooks, level::Level, line_buffer::LineBuffer,
    options::LogOptions, spool, stats::WriterStats,
};

impl LogOptions {
    /// Opens the log file, creating its folder if it is missing. Lines that an earlier process left
    /// in its buffer are written first.
    ///
    /// # Errors
    /// When the folder cannot be created or written, when this or another process has the file open
    /// and it is not [`shared`](LogOptions::shared), and when it is a symlink and those are not
    /// [followed](LogOptions::follow_symlinks).
    pub fn open(self) -> Result<LogWriter, OpenError> {
        self.open_with(Hooks::new())
    }

    /// Opens the log file as [`open`](LogOptions::open) does, with other hooks.
    ///
    /// # Errors
    /// As [`open`](LogOptions::open).
    pub fn open_with(self, hooks: Hooks) -> Result<LogWriter, OpenError> {
        Ok(LogWriter {
            file: LogFile::open(self, hooks)?,
            level: Level::Info,
            buffer: LineBuffer::default(),
        })
    }
}

impl LogOptions {
    /// Returns a writer whose file is not open yet: it keeps lines in memory, as many as fit into
    /// [`buffer_bytes`](LogOptions::buffer_bytes), and counts the others as lost. No caller waits.
    /// [`LogWriter::attach`] opens the file and writes them. For a program that has to start although
    /// [`open`](LogOptions::open) failed; `why` is what [`WriterStats::health`] says meanwhile.
    ///
    /// Lines that wait in it are lost with the process.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn detached(self, hooks: Hooks, why: impl ToString) -> io::Result<LogWriter> {
        Ok(LogWriter {
            file: LogFile::detached(self, hooks, why.to_string())?,
            level: Level::Info,
            buffer: LineBuffer::default(),
        })
    }

    /// Returns the numbers from 2 to `most` whose [numbered](LogOptions::numbered) file has a buffer:
    /// that of a running process, or lines that one left which has died.
    pub fn numbers_in_use(&self, most: u32) -> Vec<u32> {
        spool::numbers_in_use(&self.dir, &self.file, most)
    }
}

/// An open, rotating log file.
///
/// Clones write the same file, from any thread. Dropping the last one writes what is left, within
/// five seconds.
///
/// There are two ways in. [`line`](LogWriter::line) takes a finished line with its level, from
/// `&self`. [`io::Write`] takes bytes: they become whole lines however they are cut into pieces, for
/// each clone by itself, so that it can stand behind other libraries.
///
/// Bytes are written as they are. Whoever formats lines has to escape what comes from outside:
/// a newline in it would forge a line, an escape sequence would control the reader's terminal.
#[derive(Debug)]
pub struct LogWriter {
    file: LogFile,
    level: Level,
    buffer: LineBuffer,
}

impl LogWriter {
    /// Takes one line, which ends in `\n`. Never fails and never does I/O: a line that cannot be
    /// kept is counted, and a notice in the file says so.
    #[inline]
    pub fn line(&self, level: impl Into<Level>, line: &[u8]) {
        self.file.write(level.into(), line);
    }

    /// Sets the level of the lines that come through [`io::Write`]. Default: [`Level::Info`].
    #[must_use]
    pub fn with_level(mut self, level: impl Into<Level>) -> LogWriter {
        self.level = level.into();
        self
    }

    /// Waits until every line taken before is in the file, at most `limit`. Returns how many bytes
    /// of them are not.
    pub fn wait(&self, limit: Duration) -> u64 {
        self.file.flush(limit)
    }

    /// Writes what was taken, waiting at most `limit`, and closes the file, even while there are
    /// clones: for a program that ends. What could not be written is kept in the buffer for the next
    /// start.
    pub fn close(&self, limit: Duration) {
        self.file.close(limit);
    }

    /// Opens the file of a [detached](LogOptions::detached) writer, for all its clones, and writes the
    /// lines that wait. `options` are for the file; those of the buffer stay. Does nothing when a file
    /// is open.
    ///
    /// # Errors
    /// As [`LogOptions::open`].
    pub fn attach(&self, options: LogOptions) -> Result<(), OpenError> {
        self.file.attach(options)
    }

    /// Starts the thread that moves lines to the files of this process, if that was not possible before.
    /// Without it, lines wait in the buffer, and are written by [`wait`](LogWriter::wait),
    /// [`close`](LogWriter::close) and the drop of the last clone.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start_thread(&self) -> io::Result<()> {
        self.file.start_thread()
    }

    /// Returns the name of the file in its folder.
    pub fn file_name(&self) -> String {
        self.file.name()
    }

    /// Returns what the file has done since this process opened it.
    pub fn stats(&self) -> WriterStats {
        self.file.stats()
    }

    /// Returns how many lines were lost since this process opened the file.
    pub fn lost(&self) -> u64 {
        self.stats().total_lost()
    }

    #[cfg(feature = "tracing-subscriber")]
    pub(crate) fn file(&self) -> &LogFile {
        &self.file
    }
}

impl Clone for LogWriter {
    fn clone(&self) -> LogWriter {
        LogWriter {
            file: self.file.clone(),
            level: self.level,
            buffer: LineBuffer::default(),
        }
    }
}

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (file, level) = (&self.file, self.level);
        self.buffer.push(bytes, |line| file.write(level, line));
        Ok(bytes.len())
    }

    /// Does nothing: lines are safe from the moment they are taken. To wait for the file, call
    /// [`LogWriter::wait`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        let (file, level) = (&self.file, self.level);
        self.buffer.finish(|line| file.write(level, line));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// What `env_logger` and `fern` take.
    #[test]
    fn a_writer_can_be_a_boxed_write_of_any_thread() {
        fn is_shared<T: Write + Send + Sync + 'static>() {}
        is_shared::<LogWriter>();
    }

    #[test]
    fn pieces_become_whole_lines_of_each_clone() {
        let dir = std::env::temp_dir().join(format!("llm-observe-log-{:016x}", fastrand::u64(..)));
        let mut one = LogOptions::new(&dir, "app.log").open().unwrap();
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
