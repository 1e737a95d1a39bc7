//! Lines on standard error or standard output, written by a separate thread: a stopped terminal, or a
//! pipe with a slow reader, delays no call.
//!
//! [`place`] decides whether lines go there and how they look, [`queue`] keeps those that wait within a
//! bound, [`drain`] writes them, [`loss`] counts those that are missing.

mod drain;
mod loss;
mod place;
mod queue;

use std::{
    io::{self, Write},
    sync::Arc,
    thread,
    time::Duration,
};

use llm_observe_config::{ConsoleTarget, Format, Log};
use tracing::Level;

use self::{
    drain::{Drain, Progress, Target},
    loss::{Loss, Missing},
    place::Place,
    queue::{Entry, Queue},
};
use super::format::{self, Style};
use crate::kernel::{
    fork_mutex::is_fork,
    metrics_table as names,
    stats::{Counter, Stats},
};

/// Writes lines to the console.
pub(crate) struct ConsoleWriter {
    queue: Arc<Queue>,
    format: Format,
    coloured: bool,
    lines: Counter,
    lost: Lost,
}

impl ConsoleWriter {
    /// Starts the console that `log` asks for. `None` when lines do not go there. `files` says
    /// whether they go to files.
    pub(crate) fn start(
        log: &Log,
        style: &Arc<Style>,
        files: bool,
        stats: &Stats,
    ) -> io::Result<Option<ConsoleWriter>> {
        let target = log.console_target;
        let Some(look) = Place::here(target, files).look(log) else {
            return Ok(None);
        };
        let bound = usize::try_from(log.buffer_bytes).unwrap_or(usize::MAX);
        let queue = Arc::new(Queue::new(bound));
        let lost = Lost::new(stats);
        let notices = Notices {
            style: style.clone(),
            format: look.format,
        };
        let (of_thread, counts) = (queue.clone(), lost.clone());
        thread::Builder::new()
            .name("llm-observe-tty".to_owned())
            .spawn(move || run(&of_thread, Drain::new(target), &notices, &counts))?;
        Ok(Some(ConsoleWriter {
            queue,
            format: look.format,
            coloured: look.coloured,
            lines: stats.counter(names::LOG_LINES, &LOGGER),
            lost,
        }))
    }

    /// Returns the format of its lines.
    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// Takes a finished line of that format.
    pub(crate) fn write(&self, level: Level, line: &[u8]) {
        self.lines.add(1);
        // In a fork, the thread is the parent's, and so may be the lock of the queue.
        let taken = if is_fork() {
            Err(Loss::Fork)
        } else if let Some((time, rest)) = self.to_paint(level, line) {
            self.queue.push(level, &[time, painted(level), rest])
        } else {
            self.queue.push(level, &[line])
        };
        if let Err(loss) = taken {
            self.lost.add(loss, 1);
        }
    }

    /// Returns what is before and behind the level, when it is to be coloured.
    fn to_paint<'l>(&self, level: Level, line: &'l [u8]) -> Option<(&'l [u8], &'l [u8])> {
        let (time, rest) = line
            .split_at_checked(BEFORE_LEVEL)
            .filter(|_| self.coloured)?;
        Some((time, rest.strip_prefix(level.as_str().as_bytes())?))
    }

    /// Waits until every line taken before is written, at most `limit`.
    pub(crate) fn flush(&self, limit: Duration) {
        if !is_fork() {
            // A console that takes nothing within the limit is not waited for.
            self.queue.wait(limit);
        }
    }

    /// Writes what is left, within `limit`, and takes no more lines. What is left even then counts
    /// as lost.
    pub(crate) fn close(&self, limit: Duration) {
        if !is_fork() {
            self.queue.wait(limit);
            self.lost.add(Loss::Shutdown, self.queue.close());
        }
    }

    /// Shows what waits as a metric.
    pub(crate) fn publish(&self, stats: &Stats) {
        if !is_fork() {
            let waiting = i64::try_from(self.queue.waiting()).unwrap_or(i64::MAX);
            stats.gauge(names::LOG_WAITING, &LOGGER).set(waiting);
        }
    }
}

impl Drop for ConsoleWriter {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

const LOGGER: [(&str, &str); 1] = [("logger", "console")];

/// `2026-11-23 07:17:09.123 - ` is as long in every text line.
const BEFORE_LEVEL: usize = 26;

/// Returns the level in its colour.
const fn painted(level: Level) -> &'static [u8] {
    match level {
        Level::ERROR => b"\x1b[31mERROR\x1b[0m",
        Level::WARN => b"\x1b[33mWARN\x1b[0m",
        Level::INFO => b"\x1b[32mINFO\x1b[0m",
        Level::DEBUG => b"\x1b[34mDEBUG\x1b[0m",
        Level::TRACE => b"\x1b[35mTRACE\x1b[0m",
    }
}

/// The counters of lost lines.
#[derive(Clone)]
struct Lost(Vec<Counter>);

impl Lost {
    fn new(stats: &Stats) -> Lost {
        let counter = |loss: Loss| {
            let labels = [("logger", "console"), ("reason", loss.as_str())];
            stats.counter(names::LOG_LINES_LOST, &labels)
        };
        Lost(Loss::ALL.into_iter().map(counter).collect())
    }

    fn add(&self, loss: Loss, lines: u64) {
        if let Some(counter) = self.0.get(loss as usize) {
            counter.add(lines);
        }
    }
}

/// Writes notices of missing lines.
struct Notices {
    style: Arc<Style>,
    format: Format,
}

impl Notices {
    fn text(&self, missing: &Missing) -> Vec<u8> {
        let mut text = Vec::new();
        for (loss, lines) in missing.each() {
            format::notice(&mut text, self.format, &self.style, lines, loss.as_str());
        }
        text
    }
}

/// Writes what waits, until the queue is closed.
fn run<T: Target>(queue: &Queue, mut drain: Drain<T>, notices: &Notices, lost: &Lost) {
    while let Some(entry) = queue.next() {
        let missing = match &entry {
            Entry::Lines(lines) => drain.write(lines, queue),
            // They are counted already; without its notice they are missing still.
            Entry::Missing(missing) => {
                let unwritten = drain.write(&notices.text(missing), &OfNotice(queue));
                if unwritten.is_none() {
                    unwritten
                } else {
                    *missing
                }
            }
        };
        let count = |missing: &Missing| missing.each().for_each(|(loss, n)| lost.add(loss, n));
        queue.finish(entry, &missing, count);
    }
}

/// The progress of a notice, which is none of the lines that wait.
struct OfNotice<'a>(&'a Queue);

impl Progress for OfNotice<'_> {
    fn written(&self, _: u64) {}

    fn is_over(&self) -> bool {
        self.0.is_over()
    }
}

impl Target for ConsoleTarget {
    fn with_lock<T>(&self, f: impl FnOnce(&mut dyn Write) -> T) -> T {
        match self {
            ConsoleTarget::Stderr => f(&mut io::stderr().lock()),
            ConsoleTarget::Stdout => f(&mut io::stdout().lock()),
        }
    }
}

#[cfg(test)]
mod tests;
