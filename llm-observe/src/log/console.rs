//! Lines on standard error, written by a separate thread: a stopped terminal, or a pipe with a slow
//! reader, delays no call.

use std::{
    io::{self, IsTerminal, Write},
    sync::mpsc::{self, SyncSender, TrySendError},
    thread,
    time::Duration,
};

use tracing::Level;

use crate::kernel::{fork_mutex::is_fork, stats::Counter};

/// The most lines that wait for a slow terminal. Further lines are dropped and counted.
const MAX_WAITING: usize = 4_096;

/// Writes lines to the console.
pub(crate) struct ConsoleWriter {
    lines: SyncSender<Message>,
    colour: bool,
    written: Counter,
    lost: Counter,
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Returns whether lines are coloured: on a terminal, unless `NO_COLOR` is set (no-color.org).
fn is_coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

impl ConsoleWriter {
    /// Starts the thread. `written` and `lost` count its lines.
    pub(crate) fn start(written: Counter, lost: Counter) -> io::Result<ConsoleWriter> {
        let (lines, inbox) = mpsc::sync_channel(MAX_WAITING);
        thread::Builder::new()
            .name("llm-observe-tty".to_owned())
            .spawn(move || {
                for message in inbox {
                    match message {
                        // There is nowhere to report that stderr is closed.
                        Message::Line(line) => drop(io::stderr().lock().write_all(&line)),
                        // The caller may have stopped waiting.
                        Message::Flush(done) => drop(done.try_send(())),
                    }
                }
            })?;
        Ok(ConsoleWriter {
            lines,
            colour: is_coloured(),
            written,
            lost,
        })
    }

    /// Takes a finished text line.
    pub(crate) fn write(&self, level: Level, line: &[u8]) {
        if is_fork() {
            // The thread is the parent's.
            self.lost.add(1);
            return;
        }
        let line = if self.colour {
            coloured(level, line)
        } else {
            line.to_vec()
        };
        match self.lines.try_send(Message::Line(line)) {
            Ok(()) => self.written.add(1),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.lost.add(1),
        }
    }

    /// Waits until every line taken before is written, at most `limit`.
    pub(crate) fn flush(&self, limit: Duration) {
        let (done, written) = mpsc::sync_channel(1);
        if self.lines.try_send(Message::Flush(done)).is_ok() {
            // A terminal that takes nothing within the limit is not waited for.
            let _ = written.recv_timeout(limit);
        }
    }
}

/// Returns the line with its level in colour.
fn coloured(level: Level, line: &[u8]) -> Vec<u8> {
    let code = match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        Level::DEBUG => "34",
        Level::TRACE => "35",
    };
    let text = String::from_utf8_lossy(line);
    let word = format!(" - {level} - ");
    let painted = format!(" - \u{1b}[{code}m{level}\u{1b}[0m - ");
    text.replacen(&word, &painted, 1).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_level_is_coloured() {
        let line = coloured(Level::WARN, b"2026 - WARN - x - WARN - y\n");
        assert_eq!(line, b"2026 - \x1b[33mWARN\x1b[0m - x - WARN - y\n");
    }
}
