//! Disks that fail while a file is open: over a quota, read-only after an error, dead. Real ones
//! where a file system can be mounted, and one that fails on request.

use std::sync::Arc;

use super::*;
use crate::{
    faulty_disk::{ERRORS, FaultyDisk},
    pipeline::Pipeline,
    spool::spools_of,
    writer_thread::WriterThread,
};

/// Counts the warnings that lines wait because of that error.
fn refusals(dir: &Path, error: i32) -> usize {
    let why = format!("os error {error}");
    let refusal = |text: &&String| text.contains("lines wait in memory") && text.contains(&why);
    warnings_of(dir).iter().filter(refusal).count()
}

fn waits(log: &LogFile) {
    wait_until("it waits", || {
        matches!(log.stats().health, Health::Waiting { .. })
    });
}

/// Runs a program that must exist and succeed.
fn run(program: &str, args: &[&str], dir: &Path) {
    let output = Command::new(program).args(args).arg(dir).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
}

#[test]
fn on_any_disk_error_lines_wait_and_are_written_in_order() {
    for (name, error) in ERRORS {
        // At once, and in the middle of a line: a kernel may take a part first.
        for room in [0, 150] {
            let dir = TestDir::new();
            let disk = Arc::new(FaultyDisk::new(&dir.0));
            let writer = WriterThread::manual();
            let pipeline =
                Pipeline::open(dir.options(), recording_hooks(), disk.clone(), writer).unwrap();
            let mut number = 0;
            let mut put = |count: u64| {
                (number..number + count)
                    .for_each(|n| pipeline.write(Level::Info, line(0, n).as_bytes()));
                number += count;
            };
            put(10);
            pipeline.run_pass_now();
            disk.error.store(error, Ordering::Relaxed);
            disk.room.store(room, Ordering::Relaxed);
            for _ in 0..5 {
                put(20);
                pipeline.run_pass_now();
            }
            let waiting = pipeline.stats();
            let Health::Waiting { error: why, .. } = &waiting.health else {
                panic!("{name}: it does not wait")
            };
            assert!(why.contains(&format!("os error {error}")), "{why}");
            assert!(waiting.pending_bytes > 90 * 100);
            // Whole lines only, also while it waits.
            assert_eq!(history(&dir.0).len(), if room == 0 { 10 } else { 11 });
            disk.room.store(-1, Ordering::Relaxed);
            wait_until("it is written", || !pipeline.run_pass_now());
            assert_eq!(pipeline.stats().health, Health::Healthy);
            assert!(pipeline.stats().total_lost() == 0);
            assert_eq!(history(&dir.0).len(), 110);
            assert_complete(&history(&dir.0), &BTreeMap::from([(0, 110)]));
            assert_eq!(
                refusals(&dir.0, error),
                1,
                "{name}: {:?}",
                warnings_of(&dir.0)
            );
        }
    }
}

/// Writes more lines than the ring holds, so that each of its pages is written again after the file
/// system refuses everything else. If the ring were in this folder, the program would die (SIGBUS).
#[test]
fn an_exhausted_quota_ends_neither_lines_nor_program() {
    let dir = TestDir::new();
    let Some(mount) = Mount::image("btrfs", "", &dir.0) else {
        return;
    };
    run("btrfs", &["quota", "enable"], &mount.0);
    let options = LogOptions {
        buffer_bytes: 1 << 17,
        max_wait: Duration::from_millis(10),
        ..dir.options()
    };
    let log = LogFile::open(options, recording_hooks()).unwrap();
    (0..2_000).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    assert_eq!(log.flush(LIMIT), 0);
    run("sync", &["-f"], &mount.0);
    run("btrfs", &["qgroup", "limit", "1M"], &mount.0);
    let filler = dir.0.join("filler");
    wait_until("the quota is used up", || {
        let more = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&filler);
        let more = more.and_then(|mut file| std::io::Write::write_all(&mut file, &[0; 4096]));
        more.is_err_and(|error| error.raw_os_error() == Some(122))
    });
    let mut number = 2_000;
    wait_until("it is refused", || {
        log.write(Level::Error, line(0, number).as_bytes());
        number += 1;
        matches!(log.stats().health, Health::Waiting { .. })
    });
    let more = number + 3_000;
    (number..more).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    let lost = log.stats().lost(LossReason::Overflow);
    assert!(lost > 0, "it all fitted in");
    run("btrfs", &["qgroup", "limit", "none"], &mount.0);
    assert_eq!(log.flush(LIMIT), 0);
    assert_eq!(log.stats().lost(LossReason::Overflow), lost);
    drop(log);
    let lines = history(&dir.0);
    let (notices, lines): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|text| text.starts_with("WARN"));
    assert!(!notices.is_empty());
    let number = |text: &String| text.split(' ').nth(1)?.parse::<u64>().ok();
    let numbers: Vec<_> = lines.iter().map(|text| number(text).unwrap()).collect();
    assert!(lines.iter().all(|text| text.len() + 1 == line(0, 0).len()));
    assert!(numbers.is_sorted() && numbers.len() as u64 + lost == more);
    assert_eq!(refusals(&dir.0, 122), 1, "{:?}", warnings_of(&dir.0));
}

/// Writes to a file system that `kill` then makes fail with `error`, and goes on writing to one that is
/// mounted in its place: nothing else brings an open file back.
fn outlives_its_disk(kind: &str, options: &str, error: i32, kill: impl Fn(&Path)) {
    let dir = TestDir::new();
    let Some(mount) = Mount::image(kind, options, &dir.0) else {
        return;
    };
    let options = LogOptions {
        buffer_bytes: 1 << 17,
        ..dir.options()
    };
    let log = LogFile::open(options, recording_hooks()).unwrap();
    (0..2_000).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    assert_eq!(log.flush(LIMIT), 0);
    run("sync", &["-f"], &mount.0);
    assert_eq!(history(&dir.0).len(), 2_000);
    kill(&mount.0);
    (0..1_000).for_each(|n| log.write(Level::Info, line(1, n).as_bytes()));
    waits(&log);
    assert!(log.flush(Duration::from_millis(10)) > 0);
    {
        let _new = Mount::with("size=16m", &dir.0).unwrap();
        assert_eq!(log.flush(LIMIT), 0);
        assert!(log.stats().total_lost() == 0);
        wait_until("that is seen", || log.stats().health == Health::Healthy);
        drop(log);
        assert!(spools_of(&dir.0, "app.log").is_empty(), "a spool is left");
        let lines = history(&dir.0);
        assert_eq!(lines.len(), 1_000);
        assert_complete(&lines, &BTreeMap::from([(1, 1_000)]));
    }
    assert_eq!(
        refusals(&dir.0, error),
        1,
        "{kind}: {:?}",
        warnings_of(&dir.0)
    );
    drop(mount);
}

#[test]
fn a_disk_that_turns_read_only_after_an_error_ends_neither_lines_nor_program() {
    if Command::new("findmnt").arg("-V").output().is_err() {
        not_possible_here("findmnt is not installed");
        return;
    }
    outlives_its_disk("ext4", ",errors=remount-ro", 30, |dir| {
        let output = Command::new("findmnt")
            .args(["-no", "SOURCE"])
            .arg(dir)
            .output();
        let device = String::from_utf8(output.unwrap().stdout).unwrap();
        let device = device.trim().strip_prefix("/dev/").unwrap();
        let trigger = format!("/sys/fs/ext4/{device}/trigger_fs_error");
        fs::write(trigger, "a test").unwrap();
    });
}

#[test]
fn a_disk_that_dies_ends_neither_lines_nor_program() {
    if Command::new("xfs_io").arg("-V").output().is_err() {
        not_possible_here("xfs_io is not installed");
        return;
    }
    for kind in ["ext4", "xfs"] {
        outlives_its_disk(kind, "", 5, |dir| {
            run("xfs_io", &["-x", "-c", "shutdown"], dir)
        });
    }
}
