//! Room for lines that wait: how much there is, how long a caller waits for it, and who gets the
//! last of it.

use std::sync::Arc;

use super::*;
use crate::log::{core::Core, engine_settings, faulty_disk::FaultyDisk, spool, writer::Writer};

/// A core whose disk takes nothing and whose writer is the test.
fn stuck(dir: &Dir, max_wait: Duration) -> (Arc<Core>, Arc<FaultyDisk>) {
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    disk.room.store(0, Ordering::Relaxed);
    let settings = Settings {
        spool_bytes: 1 << 16,
        max_wait,
        ..dir.settings()
    };
    let core = Core::open(settings, "test", quiet(), disk.clone(), Writer::idle()).unwrap();
    (core, disk)
}

#[test]
fn the_configuration_says_how_much_and_how_long() {
    let dir = Dir::new();
    let mut log = llm_observe_config::Log::default();
    log.dir.clone_from(&dir.0);
    let default = engine_settings(&log);
    assert_eq!(default.spool_bytes, Settings::default().spool_bytes);
    assert_eq!(default.max_wait, Settings::default().max_wait);
    (log.buffer_bytes, log.max_wait) = (100_000, Duration::from_millis(5));
    let settings = engine_settings(&log);
    assert_eq!(settings.max_wait, log.max_wait);
    let file = open(settings);
    // The next power of two, and the header.
    let sizes: Vec<_> = spool::all_of(&dir.0, "app.log")
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .collect();
    assert_eq!(sizes, [(128 << 10) + 4096]);
    drop(file);
}

#[test]
fn a_caller_waits_as_long_as_it_was_told_and_only_once() {
    let dir = Dir::new();
    let wait = Duration::from_millis(60);
    let (core, _disk) = stuck(&dir, wait);
    let slowest = |lines: u64| {
        let took = (0..lines).map(|n| {
            let start = Instant::now();
            core.write(Priority::Error, line(0, n).as_bytes());
            start.elapsed()
        });
        took.max().unwrap()
    };
    let first = slowest(1_000);
    assert!(first >= wait && first < LIMIT, "{first:?}");
    // From then on it is known that nothing moves.
    assert!(core.stats().lost["overflow"] > 100);
    let start = Instant::now();
    slowest(1_000);
    assert!(start.elapsed() < wait * 100, "each of them waited");
}

#[test]
fn a_short_refusal_costs_no_line_though_there_is_no_room_left() {
    let dir = Dir::new();
    let (core, disk) = stuck(&dir, LIMIT);
    let callers = std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            (0..3_000).for_each(|n| core.write(Priority::Trace, line(0, n).as_bytes()));
        });
        until("it is full", || core.stats().pending_bytes > 31 << 10);
        for _ in 0..3 {
            core.pump_now();
            assert!(matches!(core.stats().state, Health::Waiting { .. }));
        }
        disk.room.store(-1, Ordering::Relaxed);
        until("all are taken", || {
            core.pump_now();
            caller.is_finished()
        });
        caller.join()
    });
    callers.unwrap();
    until("it is written", || !core.pump_now());
    assert_eq!(core.stats().lost["overflow"], 0);
    assert_eq!(history(&dir.0).len(), 3_000);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 3_000)]));
}

#[test]
fn a_notice_stands_where_its_lines_are_missing_and_a_full_disk_deletes_no_backup() {
    let dir = Dir::new();
    let backups = [1, 2, 3].map(|n| dir.0.join(format!("app.log.2026-01-0{n}T00-00-00Z.{n}")));
    backups.iter().for_each(|path| fs::write(path, "").unwrap());
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    let settings = Settings {
        spool_bytes: 1 << 16,
        max_wait: Duration::ZERO,
        backups: 3,
        ..dir.settings()
    };
    let core = Core::open(settings, "test", quiet(), disk.clone(), Writer::idle()).unwrap();
    let mut number = 0;
    for _ in 0..3 {
        disk.room.store(0, Ordering::Relaxed);
        (0..1_000).for_each(|n| core.write(Priority::Info, line(0, number + n).as_bytes()));
        number += 1_000;
        (0..3).for_each(|_| {
            core.pump_now();
        });
        disk.room.store(-1, Ordering::Relaxed);
        until("it is written", || !core.pump_now());
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
    assert!(core.stats().lost["overflow"] > 1_000);
}

#[test]
fn only_an_error_wakes_a_writer_that_looks_soon_anyway() {
    let dir = Dir::new();
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    let writer = Writer::idle();
    let core = Core::open(dir.settings(), "test", quiet(), disk, writer.clone()).unwrap();
    core.write(Priority::Warn, b"soon\n");
    assert!(!writer.is_woken());
    core.write(Priority::Error, b"now\n");
    assert!(writer.is_woken());
}

#[test]
fn the_lowest_levels_are_dropped_first_and_the_log_says_how_many() {
    let dir = Dir::new();
    let (core, disk) = stuck(&dir, Duration::ZERO);
    let levels = [
        Priority::Trace,
        Priority::Debug,
        Priority::Info,
        Priority::Warn,
        Priority::Error,
    ];
    let mut kept = Vec::new();
    for (who, priority) in levels.into_iter().enumerate() {
        let before = core.stats().lost["overflow"];
        let who = u32::try_from(who).unwrap();
        (0..1_000).for_each(|n| core.write(priority, line(who, n).as_bytes()));
        kept.push(1_000 - (core.stats().lost["overflow"] - before));
    }
    // Each level has room that the ones below it cannot use up.
    assert!(kept.iter().all(|&lines| lines > 20), "{kept:?}");
    let lost = core.stats().lost["overflow"];
    disk.room.store(-1, Ordering::Relaxed);
    until("it is written", || !core.pump_now());
    let mut lines = history(&dir.0);
    let said: u64 = lines
        .iter()
        .filter_map(|text| {
            text.strip_prefix("WARN - ")?
                .split(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    assert_eq!(said, lost);
    lines.retain(|text| !text.starts_with("WARN"));
    let expected = (0..5).zip(kept).collect();
    assert_complete(&lines, &expected);
    assert_eq!(lines.len() as u64, expected.values().sum::<u64>());
}
