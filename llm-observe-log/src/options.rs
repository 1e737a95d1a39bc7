//! What a log file is told by its user: the keys of `[log]`, as the engine needs them, and what the
//! engine asks of the rest of the program.

use std::{path::PathBuf, sync::Arc, time::Duration};

/// How one log file is written, rotated and kept. The keys are those of `[log]`.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) dir: PathBuf,
    pub(crate) file: String,
    /// Largest size of the live file, in bytes; 0 for no limit.
    pub(crate) max_bytes: u64,
    pub(crate) rotate: Rotate,
    /// Which zone's hours and days count.
    pub(crate) timezone: Timezone,
    /// How many rotated files are kept.
    pub(crate) backups: u32,
    pub(crate) max_age: Option<Duration>,
    /// Largest size of the live file and all rotated ones together, in bytes.
    pub(crate) max_total_bytes: Option<u64>,
    pub(crate) compress: bool,
    pub(crate) mode: u32,
    /// Whether other processes write the same file.
    pub(crate) shared: bool,
    /// Whether the file, or a folder that is replaced while the program runs, may be a symlink.
    pub(crate) follow_symlinks: bool,
    /// Room for lines that wait for the disk, in bytes; rounded up to a power of two.
    pub(crate) spool_bytes: u64,
    /// How long a caller waits at most when that room is used up.
    pub(crate) max_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("logs"),
            file: String::from("app.log"),
            max_bytes: 10_000_000,
            rotate: Rotate::Never,
            timezone: Timezone::Utc,
            backups: 5,
            max_age: None,
            max_total_bytes: None,
            compress: false,
            mode: 0o600,
            shared: false,
            follow_symlinks: false,
            spool_bytes: 8 << 20,
            max_wait: Duration::from_secs(1),
        }
    }
}

/// When a file is rotated whatever its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotate {
    Never,
    Hourly,
    Daily,
}

/// Whose hours and days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timezone {
    Utc,
    /// The system's, with its daylight saving time.
    Local,
}

/// How much a line matters: when room is short, the lowest is dropped first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    Trace,
    Debug,
    Info,
    Warn,
    /// Also wakes the writer at once.
    Error,
}

/// Tells the time; a test's own in tests.
pub(crate) type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// What the engine asks of the program around it.
#[derive(Clone)]
pub(crate) struct Hooks {
    /// Appends one line, in the file's own format and with its `\n`, that says how many lines are
    /// missing at this place and why.
    pub(crate) lost_line: fn(&mut Vec<u8>, u64, &str),
    /// Tells a person, once per change of state; to stderr by default.
    pub(crate) say: fn(&str),
    pub(crate) clock: Clock,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            lost_line: plain_lost_line,
            say: say_on_stderr,
            clock: Arc::new(jiff::Timestamp::now),
        }
    }
}

fn plain_lost_line(out: &mut Vec<u8>, count: u64, reason: &str) {
    out.extend_from_slice(format!("WARN - {count} lines lost here ({reason})\n").as_bytes());
}

fn say_on_stderr(message: &str) {
    // `eprintln` panics when stderr is closed.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("llm-observe: {message}\n").as_bytes(),
    );
}
