//! Disks that are full or read-only, and the notices of lines that did not fit.

use super::*;
use crate::{
    ring::Ring,
    spool::{Spool, words_of},
};

#[test]
fn a_full_disk_tears_no_line_and_lost_ones_are_counted_in_the_log() {
    let dir = TestDir::new();
    let Some(_mount) = Mount::small(&dir.0) else {
        return;
    };
    let filler = dir.0.join("filler");
    fs::write(&filler, vec![0; 200 << 10]).unwrap();
    let log = open(LogOptions {
        buffer_bytes: 1 << 17,
        max_wait: Duration::from_millis(50),
        ..dir.options()
    });
    let mut written = 0;
    for n in 0..3_000 {
        log.write(Level::Info, line(0, n).as_bytes());
        written = n + 1;
    }
    wait_until("it waits", || {
        matches!(log.stats().health, Health::Waiting { .. })
    });
    fs::remove_file(&filler).unwrap();
    assert_eq!(log.flush(LIMIT), 0);
    log.write(Level::Info, line(0, written).as_bytes());
    log.flush(LIMIT);
    let lost = log.stats().lost(LossReason::Overflow);
    let state = log.stats().health;
    drop(log);
    let lines = history(&dir.0);
    let noticed = lost_by_notices(&lines);
    let numbers: Vec<u64> = lines
        .iter()
        .filter(|l| !l.starts_with("WARN"))
        .map(|l| l.split(' ').nth(1).unwrap().parse().unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .all(|l| l.starts_with("WARN - ") || l.len() == line(0, 0).len() - 1),
        "torn"
    );
    assert!(numbers.is_sorted() && numbers.last() == Some(&written));
    assert!(
        lost > 0 && noticed == lost && numbers.len() as u64 + lost == written + 1,
        "{noticed} {lost} {}",
        numbers.len()
    );
    assert_eq!(state, Health::Healthy);
}

#[test]
fn lines_wait_while_the_folder_is_read_only() {
    let dir = TestDir::new();
    let log = open(dir.options());
    log.write(Level::Error, line(0, 0).as_bytes());
    log.flush(LIMIT);
    {
        let Some(_mount) = Mount::with("ro,size=64k", &dir.0) else {
            return;
        };
        (1..100).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
        wait_until("it waits", || {
            matches!(log.stats().health, Health::Waiting { .. })
        });
        assert!(log.flush(Duration::from_millis(50)) > 0);
    }
    assert_eq!(log.flush(LIMIT), 0);
    assert!(log.stats().total_lost() == 0);
    drop(log);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 100)]));
}

#[test]
fn a_folder_remounted_read_only_is_refused_by_name_and_opened_later() {
    let dir = TestDir::new();
    let Some(mount) = Mount::with("size=1m", &dir.0) else {
        return;
    };
    fs::write(dir.0.join("app.log"), "").unwrap();
    mount.remount("ro");
    let refused = LogFile::open(dir.options(), silent_hooks()).unwrap_err();
    assert!(refused.to_string().contains("app.log"), "{refused}");
    mount.remount("rw");
    let log = open(dir.options());
    log.write(Level::Info, line(0, 0).as_bytes());
    drop(log);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 1)]));
}

#[test]
fn each_loss_reason_has_its_own_count() {
    let dir = TestDir::new();
    let log = open(LogOptions {
        buffer_bytes: 1 << 16,
        ..dir.options()
    });
    let long = "x".repeat(1 << 16) + "\n";
    log.write(Level::Error, long.as_bytes());
    log.write(Level::Error, long.as_bytes());
    log.write(Level::Error, b"next\n");
    log.flush(LIMIT);
    assert_eq!(log.stats().lost(LossReason::TooLong), 2);
    drop(log);
    // The writer thread may have written a notice of the first before the second came.
    let mut lines = history(&dir.0);
    assert_eq!(lines.pop().as_deref(), Some("next"));
    assert!(
        lines
            .iter()
            .all(|line| line.ends_with("lost here (too_long)"))
    );
    assert_eq!(lost_by_notices(&lines), 2);
}

#[test]
fn a_ring_counts_each_loss_reason() {
    let spool = Spool::in_memory(words_of(1 << 16)).unwrap();
    let ring: &Ring = &spool.ring;
    ring.add_lost(LossReason::Overflow, 3);
    ring.add_lost(LossReason::Fork, 2);
    assert!(ring.has_lost());
    let lost: Vec<_> = ring.take_lost().collect();
    assert_eq!(lost, [(LossReason::Overflow, 3), (LossReason::Fork, 2)]);
    assert!(!ring.has_lost());
}

#[test]
fn without_room_anywhere_lines_wait_in_memory() {
    let dir = TestDir::new();
    let nowhere = [dir.0.join("missing"), dir.0.join("gone")];
    let places = nowhere
        .iter()
        .map(|place| (place.clone(), String::from(".a.")));
    let spool = Spool::in_first(places, words_of(1 << 16)).unwrap();
    assert!(!spool.survives_process());
    let text = line(0, 0);
    spool.ring.push(text.as_bytes(), u64::MAX).unwrap();
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    spool
        .ring
        .gather(spool.ring.tail(), usize::MAX, false, &mut out, &mut ends);
    assert_eq!(out, text.as_bytes());
}

/// Returns how many lines are missing, by the notices in the log.
fn lost_by_notices(lines: &[String]) -> u64 {
    let count = |line: &String| {
        let rest = line.strip_prefix("WARN - ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    lines.iter().filter_map(count).sum()
}
