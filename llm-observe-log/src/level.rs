//! How much a line matters.

/// The level of a line. When the buffer is nearly full, lines of the lowest level are dropped first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Dropped when half of the buffer is in use.
    Trace,
    /// Dropped when five eighths of the buffer are in use.
    Debug,
    /// Dropped when seven eighths of the buffer are in use.
    #[default]
    Info,
    /// Dropped when fifteen sixteenths of the buffer are in use.
    Warn,
    /// May use the whole buffer, and wakes the writer thread at once.
    Error,
}

impl Level {
    /// Returns how many bytes of a buffer of `capacity` bytes may be in use, by level.
    pub(crate) fn limits(capacity: u64) -> [u64; 5] {
        [
            capacity / 2,
            capacity / 8 * 5,
            capacity / 8 * 7,
            capacity / 16 * 15,
            capacity,
        ]
    }
}

#[cfg(feature = "tracing-subscriber")]
impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Level {
        match level {
            tracing::Level::TRACE => Level::Trace,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::INFO => Level::Info,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::ERROR => Level::Error,
        }
    }
}
