//! The console's thread, over a stream of the test.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc},
    time::Instant,
};

use super::*;
use crate::kernel::service::Service;

const LIMIT: Duration = Duration::from_secs(30);

/// A pipe that blocks while its gate is shut, and fails once it is closed.
#[derive(Clone, Default)]
struct Pipe(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    closed: bool,
    got: Vec<u8>,
}

impl Pipe {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.state.lock().unwrap());
        self.0.opened.notify_all();
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.state.lock().unwrap().got.clone()).unwrap()
    }
}

impl Target for Pipe {
    fn with_lock<T>(&self, f: impl FnOnce(&mut dyn Write) -> T) -> T {
        f(&mut self.clone())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = self.0.state.lock().unwrap();
        let mut state = self
            .0
            .opened
            .wait_while(state, |state| !state.open)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.got.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A console of that many bytes over a pipe.
fn console(bound: usize, stats: &Stats) -> (ConsoleWriter, Pipe) {
    let (queue, pipe, lost) = (
        Arc::new(Queue::new(bound)),
        Pipe::default(),
        Lost::new(stats),
    );
    let notices = Notices {
        style: Arc::new(Style::new(&Log::default(), &Service::default())),
        format: Format::Text,
    };
    let (of_thread, drain, counts) = (queue.clone(), Drain::new(pipe.clone()), lost.clone());
    thread::spawn(move || run(&of_thread, drain, &notices, &counts));
    let console = ConsoleWriter {
        queue,
        format: Format::Text,
        coloured: false,
        lines: stats.counter(names::LOG_LINES, &LOGGER),
        lost,
    };
    (console, pipe)
}

fn lost(stats: &Stats, reason: &str) -> u64 {
    let labels = [LOGGER[0], ("reason", reason)];
    stats.counter(names::LOG_LINES_LOST, &labels).get()
}

#[test]
fn a_slow_pipe_delays_no_caller_and_loses_nothing_within_the_bound() {
    let stats = Stats::default();
    let (console, pipe) = console(1 << 20, &stats);
    let lines: Vec<String> = (0..5_000).map(|n| format!("line {n}\n")).collect();
    for line in &lines {
        console.write(Level::INFO, line.as_bytes());
    }
    console.publish(&stats);
    assert!(stats.gauge(names::LOG_WAITING, &LOGGER).get() > 0);
    pipe.change(|state| state.open = true);
    console.flush(LIMIT);
    assert_eq!(pipe.text(), lines.concat());
    console.publish(&stats);
    assert_eq!(stats.gauge(names::LOG_WAITING, &LOGGER).get(), 0);
    assert_eq!(stats.counter(names::LOG_LINES, &LOGGER).get(), 5_000);
    assert!(
        Loss::ALL
            .iter()
            .all(|loss| lost(&stats, loss.as_str()) == 0)
    );
}

#[test]
fn beyond_the_bound_lines_are_counted_and_a_notice_says_how_many() {
    let stats = Stats::default();
    let (console, pipe) = console(64 << 10, &stats);
    let line = format!("{}\n", "x".repeat(99));
    (0..1_000).for_each(|_| console.write(Level::INFO, line.as_bytes()));
    let dropped = lost(&stats, "overflow");
    assert!((300..700).contains(&dropped), "{dropped}");
    pipe.change(|state| state.open = true);
    console.flush(LIMIT);
    console.write(Level::INFO, b"at last\n");
    console.flush(LIMIT);
    let text = pipe.text();
    let notice = format!(" - WARN - {dropped} lines are missing here: overflow");
    let kept = text.lines().filter(|line| line.starts_with('x')).count() as u64;
    assert_eq!(kept + dropped, 1_000);
    let last: Vec<&str> = text.lines().skip(kept as usize).collect();
    assert!(last[0].ends_with(&notice), "{last:?}");
    assert_eq!(last[1..], ["at last"]);
}

#[test]
fn a_closed_pipe_costs_its_lines_and_is_written_again_when_it_opens() {
    let stats = Stats::default();
    let (console, pipe) = console(64 << 10, &stats);
    pipe.change(|state| (state.open, state.closed) = (true, true));
    for _ in 0..3 {
        console.write(Level::INFO, b"nobody reads this\n");
        console.flush(LIMIT);
    }
    assert_eq!(lost(&stats, "closed"), 3);
    pipe.change(|state| state.closed = false);
    console.write(Level::INFO, b"hello\n");
    console.flush(LIMIT);
    let text = pipe.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].ends_with(" - WARN - 3 lines are missing here: closed"),
        "{lines:?}"
    );
    assert_eq!(lines[1..], ["hello"]);
}

#[test]
fn the_end_waits_no_longer_than_its_limit_and_counts_what_is_left() {
    let stats = Stats::default();
    let (console, pipe) = console(64 << 10, &stats);
    (0..7).for_each(|_| console.write(Level::INFO, b"stuck\n"));
    let limit = Duration::from_millis(50);
    let (sender, closed) = mpsc::channel();
    let start = Instant::now();
    thread::spawn(move || {
        console.close(limit);
        sender.send(start.elapsed()).unwrap();
    });
    assert!(closed.recv_timeout(LIMIT).unwrap() >= limit);
    assert_eq!(lost(&stats, "shutdown"), 7);
    pipe.change(|state| state.open = true);
}

#[test]
fn only_the_level_is_coloured() {
    let stats = Stats::default();
    let (mut console, pipe) = console(64 << 10, &stats);
    console.coloured = true;
    pipe.change(|state| state.open = true);
    let line = b"2026-11-23 07:17:09.123 - WARN - x - WARN - y\n";
    console.write(Level::WARN, line);
    console.write(Level::WARN, b"short\n");
    console.flush(LIMIT);
    let painted = "2026-11-23 07:17:09.123 - \x1b[33mWARN\x1b[0m - x - WARN - y\nshort\n";
    assert_eq!(pipe.text(), painted);
}
