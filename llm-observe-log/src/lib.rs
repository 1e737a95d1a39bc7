//! A rotating log file writer. A line that it has taken reaches the file, whatever happens to the
//! process; one that it cannot take is counted, and the file says so.
//!
//! ```
//! use std::io::Write;
//! use llm_observe_log::{Level, LogOptions};
//! # let dir = std::env::temp_dir().join(format!("llm-observe-log-lib-{}", std::process::id()));
//!
//! let mut writer = LogOptions::new(&dir, "audit.log").max_bytes(50_000_000).open()?;
//!
//! writer.line(Level::Warn, b"user 7 was refused\n"); // one finished line, from any thread
//! writeln!(writer, "user {} signed in", 8)?; // or whatever writes to an `io::Write`
//!
//! drop(writer); // the last clone writes what is left
//! let text = std::fs::read_to_string(dir.join("audit.log"))?;
//! assert_eq!(text, "user 7 was refused\nuser 8 signed in\n");
//! # std::fs::remove_dir_all(dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`LogOptions`] sets rotation, retention, compression, permissions and the buffer.
//! - [`LogWriter`] is the open file: a cheap handle, an [`io::Write`](std::io::Write), and with the
//!   feature `tracing-subscriber` a `MakeWriter`.
//! - [`WriterStats`] has its counters and its health. [`Hooks`] take its warnings.
//! - [`read`] reads the history back, across rotated and compressed files (feature `read`, on by
//!   default).
//!
//! # How it works
//!
//! A caller copies its line into a ring in memory that belongs to a file, the *spool*, and not to the
//! process. One background thread for all log files moves lines from the rings to the files. What a
//! killed process left in its spool is written by the next process that opens the log.
//!
//! What is promised, and which test holds each promise:
//! [docs/logs.md](https://github.com/llm-observe/llm-observe/blob/main/docs/logs.md).

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )
)]
#![allow(
    clippy::redundant_pub_crate,
    reason = "`unreachable_pub` asks for the opposite"
)]

// From data to behaviour: each group imports only from those above it.
mod level;
mod options;
mod stats;
mod system;
mod trust;

mod disk;
mod error;
mod hooks;
mod line_buffer;

mod append;
mod claim;
mod ring;
mod rotation;

mod compress;
mod retention;
mod spool;

mod live_file;
#[cfg(feature = "read")]
pub mod read;
mod writer_thread;

mod pipeline;

mod file;

mod writer;

#[cfg(feature = "tracing-subscriber")]
mod make_writer;

#[cfg(test)]
mod faulty_disk;
#[cfg(test)]
mod model_tests;
#[cfg(all(test, unix))]
mod tests;

/// Its examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use error::OpenError;
pub use hooks::Hooks;
pub use level::Level;
#[cfg(feature = "tracing-subscriber")]
pub use make_writer::EventWriter;
pub use options::{LogOptions, Rotation, Timezone};
pub use stats::{Health, LossReason, WriterStats};
pub use writer::LogWriter;
