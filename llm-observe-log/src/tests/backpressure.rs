//! The buffer for lines that wait: its size, how long a caller waits for room in it, and which levels
//! get the last of it.

use std::sync::Arc;

use super::*;
use crate::{faulty_disk::FaultyDisk, pipeline::Pipeline, spool, writer_thread::WriterThread};

/// Returns a pipeline whose disk takes nothing and whose passes the test runs.
fn with_full_disk(dir: &TestDir, max_wait: Duration) -> (Arc<Pipeline>, Arc<FaultyDisk>) {
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    disk.room.store(0, Ordering::Relaxed);
    let options = LogOptions {
        buffer_bytes: 1 << 16,
        max_wait,
        ..dir.options()
    };
    let pipeline = Pipeline::open(
        options,
        silent_hooks(),
        disk.clone(),
        WriterThread::manual(),
    )
    .unwrap();
    (pipeline, disk)
}

#[test]
fn the_buffer_is_rounded_up_to_a_power_of_two() {
    let dir = TestDir::new();
    let file = open(dir.options().buffer_bytes(100_000));
    // The next power of two, and the header.
    let sizes: Vec<_> = spool::spools_of(&dir.0, "app.log")
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .collect();
    assert_eq!(sizes, [(128 << 10) + 4096]);
    drop(file);
}

#[test]
fn a_caller_waits_for_max_wait_and_only_once() {
    let dir = TestDir::new();
    let wait = Duration::from_millis(60);
    let (pipeline, _disk) = with_full_disk(&dir, wait);
    let slowest = |lines: u64| {
        let took = (0..lines).map(|n| {
            let start = Instant::now();
            pipeline.write(Level::Error, line(0, n).as_bytes());
            start.elapsed()
        });
        took.max().unwrap()
    };
    let first = slowest(1_000);
    assert!(first >= wait && first < LIMIT, "{first:?}");
    // From then on it is known that nothing moves.
    assert!(pipeline.stats().lost(LossReason::Overflow) > 100);
    let start = Instant::now();
    slowest(1_000);
    assert!(start.elapsed() < wait * 100, "each of them waited");
}

#[test]
fn a_short_disk_error_costs_no_line_with_a_full_buffer() {
    let dir = TestDir::new();
    let (pipeline, disk) = with_full_disk(&dir, LIMIT);
    let callers = std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            (0..3_000).for_each(|n| pipeline.write(Level::Trace, line(0, n).as_bytes()));
        });
        wait_until("it is full", || pipeline.stats().pending_bytes > 31 << 10);
        for _ in 0..3 {
            pipeline.run_pass_now();
            assert!(matches!(pipeline.stats().health, Health::Waiting { .. }));
        }
        disk.room.store(-1, Ordering::Relaxed);
        wait_until("all are taken", || {
            pipeline.run_pass_now();
            caller.is_finished()
        });
        caller.join()
    });
    callers.unwrap();
    wait_until("it is written", || !pipeline.run_pass_now());
    assert_eq!(pipeline.stats().lost(LossReason::Overflow), 0);
    assert_eq!(history(&dir.0).len(), 3_000);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 3_000)]));
}

#[test]
fn a_notice_is_where_lines_are_missing_and_a_full_disk_deletes_no_backup() {
    let dir = TestDir::new();
    let backups = [1, 2, 3].map(|n| dir.0.join(format!("app.log.2026-01-0{n}T00-00-00Z.{n}")));
    backups.iter().for_each(|path| fs::write(path, "").unwrap());
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    let options = LogOptions {
        buffer_bytes: 1 << 16,
        max_wait: Duration::ZERO,
        backups: 3,
        ..dir.options()
    };
    let pipeline = Pipeline::open(
        options,
        silent_hooks(),
        disk.clone(),
        WriterThread::manual(),
    )
    .unwrap();
    let mut number = 0;
    for _ in 0..3 {
        disk.room.store(0, Ordering::Relaxed);
        (0..1_000).for_each(|n| pipeline.write(Level::Info, line(0, number + n).as_bytes()));
        number += 1_000;
        (0..3).for_each(|_| {
            pipeline.run_pass_now();
        });
        disk.room.store(-1, Ordering::Relaxed);
        wait_until("it is written", || !pipeline.run_pass_now());
    }
    assert!(backups.iter().all(|path| path.exists()));
    let mut next = 0;
    for text in history(&dir.0) {
        let word = |at: usize| text.split(' ').nth(at).unwrap();
        match text.starts_with("WARN - ") {
            true => next += word(2).parse::<u64>().unwrap(),
            false => {
                assert_eq!(word(1).parse::<u64>().unwrap(), next);
                next += 1;
            }
        }
    }
    assert_eq!(next, number);
    assert!(pipeline.stats().lost(LossReason::Overflow) > 1_000);
}

#[test]
fn only_an_error_wakes_a_writer_thread_that_is_not_parked() {
    let dir = TestDir::new();
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    let writer = WriterThread::manual();
    let pipeline = Pipeline::open(dir.options(), silent_hooks(), disk, writer.clone()).unwrap();
    pipeline.write(Level::Warn, b"soon\n");
    assert!(!writer.is_woken());
    pipeline.write(Level::Error, b"now\n");
    assert!(writer.is_woken());
}

#[test]
fn the_lowest_levels_are_dropped_first_and_the_log_counts_them() {
    let dir = TestDir::new();
    let (pipeline, disk) = with_full_disk(&dir, Duration::ZERO);
    let levels = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
    ];
    let mut kept = Vec::new();
    for (who, level) in levels.into_iter().enumerate() {
        let before = pipeline.stats().lost(LossReason::Overflow);
        let who = u32::try_from(who).unwrap();
        (0..1_000).for_each(|n| pipeline.write(level, line(who, n).as_bytes()));
        kept.push(1_000 - (pipeline.stats().lost(LossReason::Overflow) - before));
    }
    // Each level has room that the ones below it cannot use up.
    assert!(kept.iter().all(|&lines| lines > 20), "{kept:?}");
    let lost = pipeline.stats().lost(LossReason::Overflow);
    disk.room.store(-1, Ordering::Relaxed);
    wait_until("it is written", || !pipeline.run_pass_now());
    let mut lines = history(&dir.0);
    let counted: u64 = lines
        .iter()
        .filter_map(|text| {
            text.strip_prefix("WARN - ")?
                .split(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    assert_eq!(counted, lost);
    lines.retain(|text| !text.starts_with("WARN"));
    let expected = (0..5).zip(kept).collect();
    assert_complete(&lines, &expected);
    assert_eq!(lines.len() as u64, expected.values().sum::<u64>());
}
