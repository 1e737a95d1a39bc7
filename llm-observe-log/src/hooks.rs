//! What the engine asks of the program around it: the text of a loss notice, where warnings go, and
//! the time.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use crate::stats::LossReason;

/// Files that are warned about: whoever can create files could otherwise fill the memory with them.
const MOST_WARNINGS: usize = 256;

/// Formats a loss notice: see [`Hooks::loss_notice`].
pub(crate) type LossNotice = Arc<dyn Fn(&mut Vec<u8>, u64, LossReason) + Send + Sync>;

/// Takes a warning: see [`Hooks::warn`].
pub(crate) type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// Returns the time; a manual clock in tests.
pub(crate) type TimeSource = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a [`LogWriter`](crate::LogWriter) calls back: how it writes that lines are missing, and where
/// its warnings go.
#[derive(Clone)]
#[must_use]
pub struct Hooks {
    pub(crate) loss_notice: LossNotice,
    pub(crate) warn: Warn,
    pub(crate) clock: TimeSource,
}

impl Hooks {
    /// Returns the default hooks: a notice in plain text, and warnings on standard error.
    pub fn new() -> Hooks {
        Hooks {
            loss_notice: Arc::new(plain_loss_notice),
            warn: Arc::new(warn_on_stderr),
            clock: Arc::new(Timestamp::now),
        }
    }

    /// Sets what is written where lines are missing. `notice` appends one line in the format of the
    /// file, with its `\n`, that says how many lines are missing and why; at most 512 bytes. By
    /// default: `WARN - 7 lines lost here (overflow)`.
    pub fn loss_notice(
        mut self,
        notice: impl Fn(&mut Vec<u8>, u64, LossReason) + Send + Sync + 'static,
    ) -> Hooks {
        self.loss_notice = Arc::new(notice);
        self
    }

    /// Sets what takes warnings: that the disk refuses lines or a rotation is blocked, once for each
    /// change of state. By default they go to standard error.
    pub fn warn(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Hooks {
        self.warn = Arc::new(warn);
        self
    }

    /// Sets the clock.
    #[cfg(test)]
    pub(crate) fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Hooks {
        self.clock = Arc::new(clock);
        self
    }
}

impl Default for Hooks {
    fn default() -> Hooks {
        Hooks::new()
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

/// Warns about a file, once for each one in this process.
pub(crate) fn warn_once(warn: &Warn, path: &Path, message: &str) {
    static WARNED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let first = {
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        warned.len() < MOST_WARNINGS && warned.insert(path.to_path_buf())
    };
    if first {
        warn(&format!("{}: {message}", path.display()));
    }
}

fn plain_loss_notice(out: &mut Vec<u8>, count: u64, reason: LossReason) {
    out.extend_from_slice(format!("WARN - {count} lines lost here ({reason})\n").as_bytes());
}

fn warn_on_stderr(message: &str) {
    // `eprintln` panics when stderr is closed.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("llm-observe-log: {message}\n").as_bytes(),
    );
}
