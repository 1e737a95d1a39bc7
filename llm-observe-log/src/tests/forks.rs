//! Real forks: a process that logs forks, and both go on.

#![allow(unsafe_code, reason = "a fork has no safe interface")]

use rustix::process::{Pid, Signal, WaitOptions};

use super::*;

unsafe extern "C" {
    fn fork() -> i32;
}

#[test]
#[ignore = "the child of a test"]
fn forks_and_writes_in_both() {
    let Some((dir, kill)) = child_args() else {
        return;
    };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(LogOptions {
        shared: kill & 2 != 0,
        max_bytes: if kill & 2 != 0 { 50_000 } else { 10_000_000 },
        ..dir.options()
    });
    (0..1_000).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    // SAFETY: this test is alone in its process, and the child calls nothing that another thread
    // could have locked: its successor has locks of its own.
    let pid = unsafe { fork() };
    if pid == 0 {
        (0..1_000).for_each(|n| log.write(Level::Info, line(1, n).as_bytes()));
        if kill & 1 == 0 {
            log.flush(LIMIT);
        }
        rustix::process::kill_process(rustix::process::getpid(), Signal::KILL).unwrap();
    }
    (1_000..2_000).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    rustix::process::waitpid(Pid::from_raw(pid), WaitOptions::empty()).unwrap();
    drop(log);
}

/// Both write all their lines once. The fork's are in the log even when it is killed at once.
#[test]
fn a_fork_writes_on_in_a_ring_of_its_own() {
    // With and without a file that is shared, and rotated by both.
    for kill in [0, 1, 2, 3] {
        let dir = TestDir::new();
        let output = child("forks::forks_and_writes_in_both", &dir.0, kill)
            .wait_with_output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        drop(open(dir.options()));
        assert_complete(&history(&dir.0), &BTreeMap::from([(0, 2_000), (1, 1_000)]));
        assert_eq!(history(&dir.0).len(), 3_000);
    }
}

/// Returns whether the writer thread sleeps.
fn writer_sleeps() -> bool {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let texts = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("stat")).unwrap());
    texts
        .filter(|text| text.contains("(llm-observe-log)"))
        .all(|text| text.contains(") S "))
}

#[test]
#[ignore = "the child of a test"]
fn forks_where_a_fork_cannot_log() {
    let Some((dir, _)) = child_args() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    let logs = dir.0.join("logs");
    let options = LogOptions {
        dir: logs.clone(),
        ..dir.options()
    };
    let log = open(options);
    log.write(Level::Info, b"before\n");
    log.flush(LIMIT);
    // It would create the folder again that is about to be moved away.
    wait_until("the writer thread sleeps", writer_sleeps);
    // SAFETY: as above.
    let pid = unsafe { fork() };
    if pid == 0 {
        let away = dir.0.join("away");
        fs::rename(&logs, &away).unwrap();
        fs::write(&logs, "not a folder").unwrap();
        (0..7).for_each(|_| log.write(Level::Info, b"nowhere\n"));
        fs::remove_file(&logs).unwrap();
        fs::rename(&away, &logs).unwrap();
        rustix::process::kill_process(rustix::process::getpid(), Signal::KILL).unwrap();
    }
    rustix::process::waitpid(Pid::from_raw(pid), WaitOptions::empty()).unwrap();
    log.write(Level::Info, b"after\n");
    drop(log);
}

#[test]
fn the_parent_reports_what_a_fork_cannot_log() {
    let dir = TestDir::new();
    let output = child("forks::forks_where_a_fork_cannot_log", &dir.0, 0)
        .wait_with_output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = history(&dir.0.join("logs"));
    assert_eq!(
        lines,
        ["before", "WARN - 7 lines lost here (fork)", "after"]
    );
}
