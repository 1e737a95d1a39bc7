//! Disks that fail while a file is open: over a quota, read-only after an error, dead. Real ones
//! where a file system can be mounted, and one that fails on request.

use std::sync::Arc;

use llm_observe_config::Format;

use super::*;
use crate::{
    kernel::stats::Stats,
    log::{
        core::Core,
        faulty_disk::{ERRORS, FaultyDisk},
        lines::Route,
        spool::all_of,
        writer::Writer,
    },
};

/// How often it was said that lines wait, with that error.
fn refusals(dir: &Path, error: i32) -> usize {
    let why = format!("os error {error}");
    let refusal = |text: &&String| text.contains("lines wait in memory") && text.contains(&why);
    said(dir).iter().filter(refusal).count()
}

fn waits(log: &LogFile) {
    until("it waits", || {
        matches!(log.stats().state, Health::Waiting { .. })
    });
}

/// Runs a program that has to be there and succeed.
fn run(program: &str, args: &[&str], dir: &Path) {
    let output = Command::new(program).args(args).arg(dir).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
}

#[test]
fn whatever_the_disk_says_lines_wait_and_are_written_in_order() {
    for (name, error) in ERRORS {
        // At once, and in the middle of a line: a kernel may take a part first.
        for room in [0, 150] {
            let dir = Dir::new();
            let disk = Arc::new(FaultyDisk::new(&dir.0));
            let writer = Writer::idle();
            let core = Core::open(dir.settings(), name, listening(), disk.clone(), writer).unwrap();
            let mut number = 0;
            let mut put = |count: u64| {
                (number..number + count)
                    .for_each(|n| core.write(Priority::Info, line(0, n).as_bytes()));
                number += count;
            };
            put(10);
            core.pump_now();
            disk.error.store(error, Ordering::Relaxed);
            disk.room.store(room, Ordering::Relaxed);
            for _ in 0..5 {
                put(20);
                core.pump_now();
            }
            let waiting = core.stats();
            let Health::Waiting { error: why, .. } = &waiting.state else {
                panic!("{name}: it does not wait")
            };
            assert!(why.contains(&format!("os error {error}")), "{why}");
            assert!(waiting.pending_bytes > 90 * 100);
            // Whole lines only, also while it waits.
            assert_eq!(history(&dir.0).len(), if room == 0 { 10 } else { 11 });
            disk.room.store(-1, Ordering::Relaxed);
            until("it is written", || !core.pump_now());
            assert_eq!(core.stats().state, Health::Healthy);
            assert!(core.stats().lost.values().all(|&lost| lost == 0));
            assert_eq!(history(&dir.0).len(), 110);
            assert_complete(&history(&dir.0), &BTreeMap::from([(0, 110)]));
            assert_eq!(refusals(&dir.0, error), 1, "{name}: {:?}", said(&dir.0));
        }
    }
}

/// The numbers that end on the metrics page.
#[test]
fn a_refusal_is_a_metric_while_it_lasts_and_lost_lines_stay_one() {
    let dir = Dir::new();
    let (logs, away) = (dir.0.join("logs"), dir.0.join("away"));
    let settings = Settings {
        dir: logs.clone(),
        spool_bytes: 1 << 16,
        max_wait: Duration::ZERO,
        ..dir.settings()
    };
    let stats = Stats::default();
    let labels = [("logger", "audit")];
    let route = Route {
        name: "audit".to_owned(),
        path: logs.join("app.log"),
        file: open(settings),
        format: Format::Text,
        select: None,
        lines: stats.counter("llm_observe_log_lines_total", &labels),
    };
    let shows = |what: &str, refused: i64, waits: bool, lost: bool| {
        until(what, || {
            route.publish(&stats);
            let waiting = stats.gauge("llm_observe_log_waiting_bytes", &labels).get();
            let overflow = [labels[0], ("reason", "overflow")];
            let overflow = stats.counter("llm_observe_log_lines_lost_total", &overflow);
            stats.gauge("llm_observe_log_refused", &labels).get() == refused
                && (waiting > 0) == waits
                && (overflow.get() > 0) == lost
        });
    };
    shows("all is well", 0, false, false);
    fs::rename(&logs, &away).unwrap();
    fs::write(&logs, "not a folder").unwrap();
    route.file.write(Priority::Error, line(0, 0).as_bytes());
    shows("it is refused", 1, true, false);
    (1..2_000).for_each(|n| route.file.write(Priority::Info, line(0, n).as_bytes()));
    shows("lines are lost", 1, true, true);
    fs::remove_file(&logs).unwrap();
    fs::rename(&away, &logs).unwrap();
    shows("it is written", 0, false, true);
}

/// More lines than the ring holds, so that each of its pages is written again after the file system
/// has refused all else. The program would die of that (SIGBUS) were the ring in this folder.
#[test]
fn a_quota_that_is_used_up_ends_neither_lines_nor_program() {
    let dir = Dir::new();
    let Some(mount) = Mount::image("btrfs", "", &dir.0) else {
        return;
    };
    run("btrfs", &["quota", "enable"], &mount.0);
    let settings = Settings {
        spool_bytes: 1 << 17,
        max_wait: Duration::from_millis(10),
        ..dir.settings()
    };
    let log = LogFile::open(settings, "test", listening()).unwrap();
    (0..2_000).for_each(|n| log.write(Priority::Info, line(0, n).as_bytes()));
    assert_eq!(log.flush(LIMIT).pending_bytes, 0);
    run("sync", &["-f"], &mount.0);
    run("btrfs", &["qgroup", "limit", "1M"], &mount.0);
    let filler = dir.0.join("filler");
    until("the quota is used up", || {
        let more = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&filler);
        let more = more.and_then(|mut file| std::io::Write::write_all(&mut file, &[0; 4096]));
        more.is_err_and(|error| error.raw_os_error() == Some(122))
    });
    let mut number = 2_000;
    until("it is refused", || {
        log.write(Priority::Error, line(0, number).as_bytes());
        number += 1;
        matches!(log.stats().state, Health::Waiting { .. })
    });
    let more = number + 3_000;
    (number..more).for_each(|n| log.write(Priority::Info, line(0, n).as_bytes()));
    let lost = log.stats().lost["overflow"];
    assert!(lost > 0, "it all fitted in");
    run("btrfs", &["qgroup", "limit", "none"], &mount.0);
    assert_eq!(log.flush(LIMIT).pending_bytes, 0);
    assert_eq!(log.stats().lost["overflow"], lost);
    drop(log);
    let lines = history(&dir.0);
    let (notices, lines): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|text| text.starts_with("WARN"));
    assert!(!notices.is_empty());
    let number = |text: &String| text.split(' ').nth(1)?.parse::<u64>().ok();
    let numbers: Vec<_> = lines.iter().map(|text| number(text).unwrap()).collect();
    assert!(lines.iter().all(|text| text.len() + 1 == line(0, 0).len()));
    assert!(numbers.is_sorted() && numbers.len() as u64 + lost == more);
    assert_eq!(refusals(&dir.0, 122), 1, "{:?}", said(&dir.0));
}

/// Writes to a file system that `kill` then makes fail with `error`, and on to one that is mounted
/// in its place: nothing else brings an open file back.
fn outlives_its_disk(kind: &str, options: &str, error: i32, kill: impl Fn(&Path)) {
    let dir = Dir::new();
    let Some(mount) = Mount::image(kind, options, &dir.0) else {
        return;
    };
    let settings = Settings {
        spool_bytes: 1 << 17,
        ..dir.settings()
    };
    let log = LogFile::open(settings, "test", listening()).unwrap();
    (0..2_000).for_each(|n| log.write(Priority::Info, line(0, n).as_bytes()));
    assert_eq!(log.flush(LIMIT).pending_bytes, 0);
    run("sync", &["-f"], &mount.0);
    assert_eq!(history(&dir.0).len(), 2_000);
    kill(&mount.0);
    (0..1_000).for_each(|n| log.write(Priority::Info, line(1, n).as_bytes()));
    waits(&log);
    assert!(log.flush(Duration::from_millis(10)).pending_bytes > 0);
    {
        let _new = Mount::with("size=16m", &dir.0).unwrap();
        assert_eq!(log.flush(LIMIT).pending_bytes, 0);
        assert!(log.stats().lost.values().all(|&lost| lost == 0));
        until("that is seen", || log.stats().state == Health::Healthy);
        drop(log);
        assert!(all_of(&dir.0, "app.log").is_empty(), "a spool is left");
        let lines = history(&dir.0);
        assert_eq!(lines.len(), 1_000);
        assert_complete(&lines, &BTreeMap::from([(1, 1_000)]));
    }
    assert_eq!(refusals(&dir.0, error), 1, "{kind}: {:?}", said(&dir.0));
    drop(mount);
}

#[test]
fn a_disk_that_turns_read_only_after_an_error_ends_neither_lines_nor_program() {
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
    for kind in ["ext4", "xfs"] {
        outlives_its_disk(kind, "", 5, |dir| {
            run("xfs_io", &["-x", "-c", "shutdown"], dir)
        });
    }
}
