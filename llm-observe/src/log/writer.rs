//! A file that lines are appended to, one `write(2)` each.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use llm_observe_config::Log;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone)]
pub(crate) struct LogFile(Arc<Mutex<(File, u64)>>);

pub(crate) struct Flushed {
    pub(crate) pending_lines: u64,
}

pub(crate) struct Stats(u64);

impl Stats {
    pub(crate) fn lost(&self) -> impl Iterator<Item = (&'static str, u64)> {
        std::iter::once(("io", self.0))
    }
}

impl LogFile {
    pub(crate) fn open(log: &Log, _name: &str) -> io::Result<LogFile> {
        std::fs::create_dir_all(&log.dir)?;
        let path: PathBuf = log.dir.join(&log.file);
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(LogFile(Arc::new(Mutex::new((file, 0)))))
    }

    pub(crate) fn write(&self, _: Priority, line: &[u8]) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if file.0.write_all(line).is_err() {
            file.1 += 1;
        }
    }

    pub(crate) fn flush(&self, _: Duration) -> Flushed {
        Flushed { pending_lines: 0 }
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats(self.0.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}
