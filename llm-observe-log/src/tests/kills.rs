//! Processes that are killed, exit or abort, and processes that run beside them.

use std::sync::Arc;

use super::*;
use crate::{disk::Disk, faulty_disk::FaultyDisk, pipeline::Pipeline, writer_thread::WriterThread};

#[test]
#[ignore = "the child of a test"]
fn writes_and_is_killed() {
    let Some((dir, who)) = child_args() else {
        return;
    };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(LogOptions {
        max_bytes: 3_000_000,
        ..dir.options()
    });
    let n = u64::from(who);
    (0..n).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        .unwrap();
}

/// All lines stay in the ring.
#[test]
#[ignore = "the child of a test"]
fn writes_to_a_full_ring_and_is_killed() {
    let Some((dir, who)) = child_args() else {
        return;
    };
    let dir = std::mem::ManuallyDrop::new(dir);
    let options = LogOptions {
        buffer_bytes: 1 << 16,
        ..dir.options()
    };
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    disk.no_open.store(true, Ordering::Relaxed);
    let options = LogOptions {
        dir: disk.dir().to_path_buf(),
        ..options
    };
    let pipeline = Pipeline::open(options, silent_hooks(), disk, WriterThread::manual()).unwrap();
    let n = u64::from(who);
    (0..n).for_each(|n| pipeline.write(Level::Info, line(0, n).as_bytes()));
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        .unwrap();
}

#[test]
fn nothing_is_lost_to_a_kill() {
    for count in [1u32, 777, 100_000] {
        let dir = TestDir::new();
        child("kills::writes_and_is_killed", &dir.0, count)
            .wait_with_output()
            .unwrap();
        drop(open(dir.options()));
        let lines = history(&dir.0);
        assert_eq!(lines.len() as u64, u64::from(count));
        assert_complete(&lines, &BTreeMap::from([(0, count.into())]));
    }
}

#[test]
#[ignore = "the child of a test"]
fn writes_until_killed() {
    use std::io::Write;
    let Some((dir, who)) = child_args() else {
        return;
    };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(LogOptions {
        max_bytes: 500_000,
        shared: true,
        buffer_bytes: 1 << 18,
        max_wait: LIMIT,
        ..dir.options()
    });
    let mut out = std::io::stdout();
    for n in 0.. {
        log.write(Level::Info, line(who, n).as_bytes());
        if n % 100 == 99 {
            writeln!(out, "written {}", n + 1).unwrap();
        }
    }
}

/// Returns the last count that a killed child printed.
fn count_of(output: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(output);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .filter_map(|line| line.split("written ").nth(1)?.parse().ok())
        .max()
        .unwrap_or(0)
}

#[test]
fn processes_that_share_a_file_are_killed_at_any_moment() {
    for round in 0..4u64 {
        let dir = TestDir::new();
        let mut children: Vec<_> = (1..4)
            .map(|who| child("kills::writes_until_killed", &dir.0, who))
            .collect();
        let readers: Vec<_> = children
            .iter_mut()
            .map(|child| {
                let mut out = child.stdout.take().unwrap();
                std::thread::spawn(move || {
                    let mut all = Vec::new();
                    out.read_to_end(&mut all).unwrap();
                    all
                })
            })
            .collect();
        let mut victims = children.into_iter();
        for (index, mut victim) in victims.by_ref().enumerate() {
            std::thread::sleep(Duration::from_millis(100 + 37 * round + 13 * index as u64));
            victim.kill().unwrap();
            victim.wait().unwrap();
        }
        let written: BTreeMap<u32, u64> = (1..4)
            .zip(readers.into_iter().map(|r| count_of(&r.join().unwrap())))
            .collect();
        drop(open(LogOptions {
            shared: true,
            ..dir.options()
        }));
        assert_complete(&history(&dir.0), &written);
        assert!(written.values().all(|&count| count > 0));
    }
}

#[test]
#[ignore = "the child of a test"]
fn opens_what_is_open() {
    let Some((dir, _)) = child_args() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    println!(
        "{}",
        LogFile::open(dir.options(), silent_hooks()).unwrap_err()
    );
}

#[test]
fn a_second_process_gets_the_pid_of_the_first() {
    let dir = TestDir::new();
    let _first = open(dir.options());
    let child = child("kills::opens_what_is_open", &dir.0, 0)
        .wait_with_output()
        .unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    let pid = format!("process {} has it open", std::process::id());
    assert!(
        output.contains(&pid) && output.contains("shared = true"),
        "{output}"
    );
}

/// A disk that is full when a process opens the file, or becomes so while it writes.
#[test]
#[ignore = "the child of a test"]
fn writes_to_a_full_disk_and_is_killed() {
    let Some((dir, full)) = child_args() else {
        return;
    };
    let dir = std::mem::ManuallyDrop::new(dir);
    let fill = || drop(fs::write(dir.0.join("filler"), vec![0; 4 << 20]));
    if full == 1 {
        fill();
    }
    let log = open(LogOptions {
        buffer_bytes: 1 << 17,
        ..dir.options()
    });
    if full == 0 {
        log.write(Level::Error, line(0, 0).as_bytes());
        log.flush(LIMIT);
        fill();
    }
    let first = u64::from(full == 0);
    // Pages that are allocated already take some lines. The others wait.
    (first..500).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    wait_until("it waits", || {
        matches!(log.stats().health, Health::Waiting { .. })
    });
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        .unwrap();
}

#[test]
fn nothing_is_lost_to_a_kill_on_a_full_disk() {
    for full in [0, 1] {
        let dir = TestDir::new();
        let Some(_mount) = Mount::small(&dir.0) else {
            return;
        };
        child("kills::writes_to_a_full_disk_and_is_killed", &dir.0, full)
            .wait_with_output()
            .unwrap();
        let before = history(&dir.0).len();
        assert!(before < 500, "the disk was not full: {before}");
        let item = crate::read::history(&dir.0, "app.log", Default::default())
            .unwrap()
            .last();
        let lines = 500 - before as u64;
        assert_eq!(item, Some(crate::read::Item::Waiting { lines }));
        fs::remove_file(dir.0.join("filler")).unwrap();
        let log = open(dir.options());
        assert_eq!(log.flush(LIMIT), 0);
        assert_eq!(log.stats().recovered, lines);
        drop(log);
        let lines = history(&dir.0);
        assert_eq!(lines.len(), 500);
        assert_complete(&lines, &BTreeMap::from([(0, 500)]));
    }
}

#[test]
#[ignore = "the child of a test"]
fn ends_in_its_own_way() {
    let Some((dir, way)) = child_args() else {
        return;
    };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(dir.options());
    (0..300).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    match way {
        0 => std::process::exit(0),
        _ => std::process::abort(),
    }
}

#[test]
fn nothing_is_lost_to_exit_or_abort() {
    for way in [0, 1] {
        let dir = TestDir::new();
        child("kills::ends_in_its_own_way", &dir.0, way)
            .wait_with_output()
            .unwrap();
        drop(open(dir.options()));
        assert_complete(&history(&dir.0), &BTreeMap::from([(0, 300)]));
    }
}
