//! The log writer as the runtime configures it, and its counters as metrics.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use llm_observe_config::{Format, Log};
use llm_observe_log::{Level, LogOptions};

use super::{format::Style, lines::Route, options};
use crate::kernel::{metrics_table as names, service::Service, stats::Stats};

struct TestDir(PathBuf);

impl TestDir {
    fn new() -> Self {
        let name = format!("llm-observe-lines-{:016x}", fastrand::u64(..));
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn log_in(dir: &Path) -> Log {
    let mut log = Log::default();
    log.dir = dir.to_path_buf();
    log
}

fn open(log: &Log) -> llm_observe_log::LogWriter {
    let style = Style::new(log, &Service::default());
    options::open(log, &std::sync::Arc::new(style)).unwrap()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn the_configuration_sets_the_buffer_and_the_wait() {
    let dir = TestDir::new();
    let mut log = log_in(&dir.0);
    let default = LogOptions::new(&dir.0, "app.log");
    assert_eq!(options::options(&log), default);
    (log.buffer_bytes, log.max_wait) = (100_000, Duration::from_millis(5));
    let set = default
        .buffer_bytes(100_000)
        .max_wait(Duration::from_millis(5));
    assert_eq!(options::options(&log), set);
}

/// The numbers that the metrics page shows.
#[cfg(unix)]
#[test]
fn a_disk_error_is_a_metric_while_it_lasts_and_lost_lines_stay_counted() {
    let dir = TestDir::new();
    let (logs, away) = (dir.0.join("logs"), dir.0.join("away"));
    let mut log = log_in(&logs);
    (log.buffer_bytes, log.max_wait) = (1 << 16, Duration::ZERO);
    let stats = Stats::default();
    let labels = [("logger", "audit")];
    let route = Route {
        name: "audit".to_owned(),
        path: logs.join("app.log"),
        file: open(&log),
        format: Format::Text,
        select: None,
        lines: stats.counter(names::LOG_LINES, &labels),
    };
    let exposed = || stats.gauge(names::LOG_EXPOSED, &labels).get();
    let shows = |what: &str, refused: i64, waits: bool, lost: bool| {
        wait_until(what, || {
            route.publish(&stats);
            let waiting = stats.gauge(names::LOG_WAITING, &labels).get();
            let overflow = [labels[0], ("reason", "overflow")];
            let overflow = stats.counter(names::LOG_LINES_LOST, &overflow);
            stats.gauge(names::LOG_REFUSED, &labels).get() == refused
                && (waiting > 0) == waits
                && (overflow.get() > 0) == lost
        });
    };
    let line = format!("{}\n", "x".repeat(100));
    shows("the disk takes lines", 0, false, false);
    assert_eq!(exposed(), 0);
    fs::rename(&logs, &away).unwrap();
    fs::write(&logs, "not a folder").unwrap();
    route.file.line(Level::Error, line.as_bytes());
    shows("the disk refuses lines", 1, true, false);
    (1..2_000).for_each(|_| route.file.line(Level::Info, line.as_bytes()));
    shows("lines are lost", 1, true, true);
    fs::remove_file(&logs).unwrap();
    fs::rename(&away, &logs).unwrap();
    shows("the lines are written", 0, false, true);
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_write_is_a_metric() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TestDir::new();
    fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o777)).unwrap();
    let stats = Stats::default();
    let labels = [("logger", "audit")];
    let route = Route {
        name: "audit".to_owned(),
        path: dir.0.join("app.log"),
        file: open(&log_in(&dir.0)),
        format: Format::Text,
        select: None,
        lines: stats.counter(names::LOG_LINES, &labels),
    };
    route.publish(&stats);
    assert_eq!(stats.gauge(names::LOG_EXPOSED, &labels).get(), 1);
}
