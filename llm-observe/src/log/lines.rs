//! Which line goes to which files: one formatting per format, then a copy to each.

use std::{
    cell::RefCell,
    fmt,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use llm_observe_config::Format;
use llm_observe_log::{Health, LogWriter, LossReason};
use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

use super::{
    console::ConsoleWriter,
    format::{self, Style},
    select::{About, Select},
};
use crate::{
    kernel::{
        clock,
        fork_mutex::is_fork,
        metrics_table as names,
        record::Record,
        sink::{LogEvent, RunningCall, Sink},
        stats::{Counter, Stats},
        value::Value,
    },
    own_thread::{deadline, left},
    redact::{Redact, Redacted, Redactor},
};

/// One file, and what goes into it.
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) file: LogWriter,
    pub(crate) format: Format,
    /// `None`: the main file, which takes what no exclusive logger has taken.
    pub(crate) select: Option<Select>,
    pub(crate) lines: Counter,
}

/// The lines of one observer: where calls and events are written.
pub(crate) struct Lines {
    pub(crate) routes: Vec<Route>,
    pub(crate) console: Option<ConsoleWriter>,
    pub(crate) style: Arc<Style>,
    pub(crate) filter: Targets,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) closed: AtomicBool,
    /// The sinks that take events besides.
    pub(crate) others: OnceLock<Vec<Arc<dyn Sink>>>,
}

/// The texts of one line, one a format; reused by the thread's next line.
#[derive(Default)]
struct Buffers {
    text: Vec<u8>,
    json: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = const { RefCell::new(Buffers { text: Vec::new(), json: Vec::new() }) };
}

/// A buffer that one long line made large is not kept.
const KEEP: usize = 64 * 1024;

/// What a flush leaves to closing: a file that is closed is tried once more.
const LAST_TRY: Duration = Duration::from_millis(100);

impl Lines {
    /// Returns whether the level that is set for its target lets an event pass.
    pub(crate) fn takes_event(&self, metadata: &Metadata<'_>) -> bool {
        self.filter
            .would_enable(metadata.target(), metadata.level())
    }

    pub(crate) fn max_level(&self) -> Option<LevelFilter> {
        <Targets as tracing_subscriber::Layer<tracing_subscriber::Registry>>::max_level_hint(
            &self.filter,
        )
    }

    /// Returns `value` with its secrets taken out.
    pub(crate) fn redacted<T: Redact>(&self, value: T) -> Redacted<T> {
        self.redactor.redacted(value)
    }

    /// Writes an event, and hands it to the other sinks.
    pub(crate) fn hand_over(&self, event: &Redacted<LogEvent<'_>>) {
        self.write_event(event);
        for sink in self.others.get().into_iter().flatten() {
            sink.event(event);
        }
    }

    fn write_event(&self, event: &LogEvent<'_>) {
        let about = About {
            level: event.level,
            target: event.target,
            event: None,
            outcome: None,
        };
        self.write(&about, |out, format| {
            format::event(out, format, &self.style, event)
        });
    }

    /// Writes what there is to say of a call that runs, or ran, too long.
    fn running(&self, running: &RunningCall, what: &str) {
        let site = running.site;
        if !self.filter.would_enable(site.target, &Level::WARN) {
            return;
        }
        let about = About {
            level: Level::WARN,
            target: site.target,
            event: Some(site.event),
            outcome: None,
        };
        let message = format!("{} {what} after {:.1?}", site.event, running.duration);
        let function = Value::Str(site.function().to_owned());
        let carried = running.fields.iter();
        let carried = carried.map(|(name, value)| (name, value.clone()));
        let fields: Vec<_> = std::iter::once(("function", function))
            .chain(carried)
            .collect();
        let line = LogEvent {
            time: clock::now_micros(),
            level: Level::WARN,
            target: site.target,
            message: &message,
            fields: &fields,
            trace_id: running.trace_id,
            span_id: running.span_id,
            trace_flags: running.trace_flags,
            request: running.request.as_deref(),
        };
        self.write(&about, |out, format| {
            format::event(out, format, &self.style, &line);
        });
    }

    fn write(&self, about: &About<'_>, line: impl Fn(&mut Vec<u8>, Format)) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        // A `Display` that logs, called while a line is formatted, comes here again: such a line
        // gets buffers of its own.
        let shared = BUFFERS.try_with(|buffers| {
            buffers.try_borrow_mut().is_ok_and(|mut buffers| {
                self.write_with(&mut buffers, about, &line);
                true
            })
        });
        if !shared.unwrap_or(false) {
            self.write_with(&mut Buffers::default(), about, &line);
        }
    }

    fn write_with(
        &self,
        buffers: &mut Buffers,
        about: &About<'_>,
        line: &impl Fn(&mut Vec<u8>, Format),
    ) {
        buffers.text.clear();
        buffers.json.clear();
        let level = level_of(about.level);
        let mut taken = false;
        for route in &self.routes {
            let takes = match &route.select {
                Some(select) => select.takes(about),
                None => !taken,
            };
            if takes {
                taken |= route.select.as_ref().is_some_and(|select| select.exclusive);
                let text = buffers.of(route.format, line);
                route.lines.add(1);
                route.file.line(level, text);
            }
        }
        if let Some(console) = &self.console {
            console.write(about.level, buffers.of(console.format(), line));
        }
        buffers.text.shrink_to(KEEP);
        buffers.json.shrink_to(KEEP);
    }

    /// Waits until what was handed over is written, at most `limit`; returns how many bytes are not.
    pub(crate) fn flush(&self, limit: Duration) -> u64 {
        let deadline = deadline(limit);
        let wait = |route: &Route| route.file.wait(left(deadline));
        let pending = self.routes.iter().map(wait).sum();
        if let Some(console) = &self.console {
            console.flush(left(deadline));
        }
        pending
    }

    /// Takes no more lines, writes what is left within `limit`, closes the files, and returns how many
    /// bytes are not written. The second time it does nothing.
    pub(crate) fn close(&self, limit: Duration) -> u64 {
        if self.closed.swap(true, Ordering::Relaxed) {
            return 0;
        }
        let deadline = deadline(limit);
        // What waits in a fork is the parent's.
        let pending = match is_fork() {
            true => 0,
            false => self.flush(limit.saturating_sub(LAST_TRY)),
        };
        for route in &self.routes {
            route.file.close(left(deadline));
        }
        if let Some(console) = &self.console {
            console.close(left(deadline));
        }
        pending
    }

    /// Shows what the files say of themselves as metrics.
    pub(crate) fn publish(&self, stats: &Stats) {
        for route in &self.routes {
            route.publish(stats);
        }
        if let Some(console) = &self.console {
            console.publish(stats);
        }
    }
}

impl Route {
    pub(super) fn publish(&self, stats: &Stats) {
        let of_file = self.file.stats();
        let logger = [("logger", self.name.as_str())];
        for reason in LossReason::ALL {
            let labels = [("logger", self.name.as_str()), ("reason", reason.as_str())];
            stats
                .counter(names::LOG_LINES_LOST, &labels)
                .raise_to(of_file.lost(reason));
        }
        for (name, total) in [
            (names::LOG_WRITTEN, of_file.lines),
            (names::LOG_ROTATIONS, of_file.rotations),
            (names::LOG_RECOVERED, of_file.recovered),
        ] {
            stats.counter(name, &logger).raise_to(total);
        }
        let waiting = i64::try_from(of_file.pending_bytes).unwrap_or(i64::MAX);
        stats.gauge(names::LOG_WAITING, &logger).set(waiting);
        let refused = matches!(of_file.health, Health::Waiting { .. });
        for (name, holds) in [
            (names::LOG_REFUSED, refused),
            (names::LOG_EXPOSED, of_file.exposed),
        ] {
            stats.gauge(name, &logger).set(i64::from(holds));
        }
    }
}

impl Buffers {
    /// Returns the line in that format, formatted if this is the first to ask.
    fn of(&mut self, format: Format, line: &impl Fn(&mut Vec<u8>, Format)) -> &[u8] {
        let out = match format {
            Format::Json => &mut self.json,
            _ => &mut self.text,
        };
        if out.is_empty() {
            line(out, format);
        }
        out
    }
}

impl Sink for Lines {
    fn record(&self, record: &Redacted<Record<'_>>) {
        let level = record.level();
        let site = record.site;
        if !self.filter.would_enable(site.target, &level) || !is_written(record) {
            return;
        }
        let about = About {
            level,
            target: site.target,
            event: Some(site.event),
            outcome: Some(record.outcome),
        };
        self.write(&about, |out, format| {
            format::call(out, format, &self.style, record)
        });
    }

    fn stalled(&self, running: &Redacted<RunningCall>) {
        self.running(running, "still running");
    }

    fn unstalled(&self, running: &Redacted<RunningCall>) {
        self.running(running, "was stalled and has ended");
    }
}

/// Returns whether a call writes its line; one that is a warning always does.
fn is_written(record: &Record<'_>) -> bool {
    record.sampled || record.level() < Level::INFO
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

/// Returns the level as the log writer has it.
pub(super) fn level_of(level: Level) -> llm_observe_log::Level {
    match level {
        Level::TRACE => llm_observe_log::Level::Trace,
        Level::DEBUG => llm_observe_log::Level::Debug,
        Level::INFO => llm_observe_log::Level::Info,
        Level::WARN => llm_observe_log::Level::Warn,
        Level::ERROR => llm_observe_log::Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_formatted_once_a_format() {
        let times = std::cell::Cell::new(0);
        let line = |out: &mut Vec<u8>, format: Format| {
            times.set(times.get() + 1);
            out.extend_from_slice(format!("{format:?}\n").as_bytes());
        };
        let mut buffers = Buffers::default();
        for _ in 0..3 {
            assert_eq!(buffers.of(Format::Json, &line), b"Json\n");
            assert_eq!(buffers.of(Format::Text, &line), b"Text\n");
        }
        assert_eq!(times.get(), 2);
    }
}
