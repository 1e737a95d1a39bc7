//! Disks that are full or read-only, and what is said of lines that did not fit.

use super::*;
use crate::log::{
    core::Reason,
    ring::Ring,
    spool::{Spool, words_of},
};

#[test]
fn a_full_disk_tears_nothing_and_says_what_is_missing() {
    let dir = Dir::new();
    let Some(_mount) = Mount::small(&dir.0) else {
        return;
    };
    let filler = dir.0.join("filler");
    fs::write(&filler, vec![0; 200 << 10]).unwrap();
    let log = open(Settings {
        spool_bytes: 1 << 17,
        max_wait: Duration::from_millis(50),
        ..dir.settings()
    });
    let mut written = 0;
    for n in 0..3_000 {
        log.write(Priority::Info, line(0, n).as_bytes());
        written = n + 1;
    }
    until("it waits", || {
        matches!(log.stats().state, Health::Waiting { .. })
    });
    fs::remove_file(&filler).unwrap();
    assert_eq!(log.flush(LIMIT).pending_bytes, 0);
    log.write(Priority::Info, line(0, written).as_bytes());
    log.flush(LIMIT);
    let lost = log.stats().lost["overflow"];
    let state = log.stats().state;
    drop(log);
    let lines = history(&dir.0);
    let said = said_lost(&lines);
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
        lost > 0 && said == lost && numbers.len() as u64 + lost == written + 1,
        "{said} {lost} {}",
        numbers.len()
    );
    assert_eq!(state, Health::Healthy);
}

#[test]
fn lines_wait_while_the_folder_is_read_only() {
    let dir = Dir::new();
    let log = open(dir.settings());
    log.write(Priority::Error, line(0, 0).as_bytes());
    log.flush(LIMIT);
    {
        let Some(_mount) = Mount::with("ro,size=64k", &dir.0) else {
            return;
        };
        (1..100).for_each(|n| log.write(Priority::Info, line(0, n).as_bytes()));
        until("it waits", || {
            matches!(log.stats().state, Health::Waiting { .. })
        });
        assert!(log.flush(Duration::from_millis(50)).pending_bytes > 0);
    }
    assert_eq!(log.flush(LIMIT).pending_bytes, 0);
    assert!(log.stats().lost.values().all(|&lost| lost == 0));
    drop(log);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 100)]));
}

#[test]
fn a_folder_remounted_read_only_is_refused_by_name_and_taken_up_later() {
    let dir = Dir::new();
    let Some(mount) = Mount::with("size=1m", &dir.0) else {
        return;
    };
    fs::write(dir.0.join("app.log"), "").unwrap();
    mount.remount("ro");
    let refused = LogFile::open(dir.settings(), "test", quiet()).unwrap_err();
    assert!(refused.to_string().contains("app.log"), "{refused}");
    mount.remount("rw");
    let log = open(dir.settings());
    log.write(Priority::Info, line(0, 0).as_bytes());
    drop(log);
    assert_complete(&history(&dir.0), &BTreeMap::from([(0, 1)]));
}

#[test]
fn each_reason_is_told_with_its_own_count() {
    let dir = Dir::new();
    let log = open(Settings {
        spool_bytes: 1 << 16,
        ..dir.settings()
    });
    let long = "x".repeat(1 << 16) + "\n";
    log.write(Priority::Error, long.as_bytes());
    log.write(Priority::Error, long.as_bytes());
    log.write(Priority::Error, b"next\n");
    log.flush(LIMIT);
    assert_eq!(log.stats().lost["too_long"], 2);
    drop(log);
    // The writer may have told of the first before the second came.
    let mut lines = history(&dir.0);
    assert_eq!(lines.pop().as_deref(), Some("next"));
    assert!(
        lines
            .iter()
            .all(|line| line.ends_with("lost here (too_long)"))
    );
    assert_eq!(said_lost(&lines), 2);
}

#[test]
fn counts_of_a_ring_stay_apart() {
    let spool = Spool::in_memory(words_of(1 << 16)).unwrap();
    let ring: &Ring = &spool.ring;
    ring.lose(Reason::Overflow, 3);
    ring.lose(Reason::Fork, 2);
    assert!(ring.has_lost());
    let told: Vec<_> = ring.take_lost().collect();
    assert_eq!(told, [(Reason::Overflow, 3), (Reason::Fork, 2)]);
    assert!(!ring.has_lost());
}

#[test]
fn without_room_anywhere_lines_wait_in_memory() {
    let dir = Dir::new();
    let nowhere = [dir.0.join("missing"), dir.0.join("gone")];
    let places = nowhere
        .iter()
        .map(|place| (place.clone(), String::from(".a.")));
    let spool = Spool::in_first(places, words_of(1 << 16)).unwrap();
    assert!(!spool.outlives());
    let text = line(0, 0);
    spool.ring.push(text.as_bytes(), u64::MAX).unwrap();
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    spool
        .ring
        .gather(0, spool.ring.tail(), usize::MAX, false, &mut out, &mut ends);
    assert_eq!(out, text.as_bytes());
}

/// How many lines the log says are missing.
fn said_lost(lines: &[String]) -> u64 {
    let count = |line: &String| {
        let rest = line.strip_prefix("WARN - ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    lines.iter().filter_map(count).sum()
}
