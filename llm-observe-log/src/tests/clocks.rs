//! Clocks that are set, changes of summer time, files that expire.

use std::sync::{Arc, atomic::AtomicI64};

use jiff::Timestamp;

use super::*;
use crate::{
    disk::RealDisk,
    options::{Rotation, Timezone},
    pipeline::Pipeline,
    writer_thread::WriterThread,
};

#[test]
#[ignore = "the child of a test"]
fn writes_across_the_end_of_summer_time() {
    let Some((dir, _)) = child_args() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(
        dir.options()
            .rotation(Rotation::Hourly)
            .timezone(Timezone::Local),
    );
    log.write(Level::Error, b"first\n");
    log.flush(LIMIT);
    std::thread::sleep(Duration::from_secs(4));
    log.write(Level::Error, b"second\n");
}

#[test]
fn the_repeated_hour_under_faketime_gets_its_own_file() {
    let dir = TestDir::new();
    let name = "tests::clocks::writes_across_the_end_of_summer_time";
    let run = Command::new("faketime")
        .args(["-f", "@2026-11-01 01:59:58"])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--ignored"])
        .env("TZ", "America/New_York")
        .env("LOG_TEST_DIR", &dir.0)
        .env("LOG_TEST_WHO", "0")
        .output();
    let Ok(output) = run else {
        not_possible_here("faketime is not installed");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(history(&dir.0), ["first", "second"]);
    assert_eq!(
        fs::read_to_string(dir.0.join("app.log")).unwrap(),
        "second\n"
    );
}

/// Returns a pipeline whose clock and passes are the test's.
fn manual_pipeline(options: LogOptions, now: &Arc<AtomicI64>) -> Arc<Pipeline> {
    let now = Arc::clone(now);
    let clock = move || Timestamp::from_second(now.load(Ordering::Relaxed)).unwrap();
    let hooks = recording_hooks().clock(clock);
    let disk = Arc::new(RealDisk::new(&options.dir, false).unwrap());
    Pipeline::open(options, hooks, disk, WriterThread::manual()).unwrap()
}

fn noon() -> i64 {
    let noon: Timestamp = "2036-06-01T12:00:00Z".parse().unwrap();
    noon.as_second()
}

fn backups(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap();
    names
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            rotation::parse_backup("app.log", name.to_str().unwrap(), 0).is_some()
        })
        .count()
}

#[test]
fn a_clock_that_is_set_back_neither_rotates_nor_overwrites() {
    let dir = TestDir::new();
    let now = Arc::new(AtomicI64::new(noon()));
    let options = LogOptions {
        rotation: Rotation::Hourly,
        ..dir.options()
    };
    let pipeline = manual_pipeline(options, &now);
    let put = |seconds: i64, number: u64| {
        now.store(noon() + seconds, Ordering::Relaxed);
        pipeline.write(Level::Info, line(0, number).as_bytes());
        pipeline.run_pass_now();
    };
    put(0, 0);
    put(3_600, 1);
    assert_eq!(backups(&dir.0), 1);
    // Back by two hours, on in steps: no file is rotated twice for the same hour.
    put(-3_600, 2);
    put(0, 3);
    put(3_599, 4);
    assert_eq!(backups(&dir.0), 1);
    put(7_200, 5);
    assert_eq!(backups(&dir.0), 2);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 6)]));
}

#[test]
fn size_and_time_rotate_one_file() {
    let dir = TestDir::new();
    let now = Arc::new(AtomicI64::new(noon()));
    let options = LogOptions {
        rotation: Rotation::Hourly,
        max_bytes: 250,
        ..dir.options()
    };
    let pipeline = manual_pipeline(options, &now);
    for number in 0..5 {
        pipeline.write(Level::Info, line(0, number).as_bytes());
        pipeline.run_pass_now();
    }
    assert_eq!(backups(&dir.0), 2);
    now.store(noon() + 3_600, Ordering::Relaxed);
    pipeline.write(Level::Info, line(0, 5).as_bytes());
    pipeline.run_pass_now();
    assert_eq!(backups(&dir.0), 3);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 6)]));
}

#[test]
fn a_blocked_rename_costs_no_line_and_warns_once() {
    let dir = TestDir::new();
    let now = Arc::new(AtomicI64::new(noon()));
    let options = LogOptions {
        max_bytes: 250,
        ..dir.options()
    };
    let pipeline = manual_pipeline(options, &now);
    let mut number = 0;
    let mut put = |lines: u64| {
        for _ in 0..lines {
            pipeline.write(Level::Info, line(0, number).as_bytes());
            pipeline.run_pass_now();
            number += 1;
        }
    };
    // Folders have every name that a rotation may try at this second.
    let in_the_way: Vec<_> = (0..10)
        .map(|n| dir.0.join(format!("app.log.2036-06-01T12-00-00Z.{n}")))
        .collect();
    in_the_way
        .iter()
        .for_each(|path| fs::create_dir(path).unwrap());
    put(10);
    in_the_way
        .iter()
        .for_each(|path| fs::remove_dir(path).unwrap());
    assert_eq!(backups(&dir.0), 0);
    assert!(
        fs::metadata(dir.0.join("app.log")).unwrap().len() > 1_000,
        "it has not grown"
    );
    let warnings = warnings_of(&dir.0);
    assert!(
        warnings.len() == 1 && warnings[0].contains("cannot rotate"),
        "{warnings:?}"
    );
    // It tries again a second later.
    now.store(noon() + 1, Ordering::Relaxed);
    put(2);
    assert_eq!(backups(&dir.0), 1);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 12)]));
}

#[test]
fn expired_files_are_deleted_without_a_rotation() {
    let dir = TestDir::new();
    let now = Arc::new(AtomicI64::new(noon()));
    fs::write(dir.0.join("app.log.2036-06-01T11-00-00Z.1"), "old\n").unwrap();
    let options = LogOptions {
        max_age: Some(Duration::from_secs(7_200)),
        ..dir.options()
    };
    let pipeline = manual_pipeline(options, &now);
    pipeline.run_pass_now();
    assert_eq!(backups(&dir.0), 1);
    now.store(noon() + 3_601, Ordering::Relaxed);
    pipeline.run_pass_now();
    assert_eq!(backups(&dir.0), 0);
}
