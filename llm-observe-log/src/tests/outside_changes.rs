//! What other programs do to the files.

use std::sync::Arc;

use super::*;
use crate::{faulty_disk::FaultyDisk, pipeline::Pipeline, writer_thread::WriterThread};

#[test]
fn files_may_be_moved_truncated_and_deleted() {
    let dir = TestDir::new();
    let live = dir.0.join("app.log");
    let log = open(dir.options());
    let put = |text: &str| {
        log.write(Level::Info, text.as_bytes());
        assert_eq!(log.flush(LIMIT), 0);
    };
    put("one\n");
    fs::rename(&live, dir.0.join("moved")).unwrap();
    put("two\n");
    assert_eq!(fs::read_to_string(&live).unwrap(), "two\n");
    fs::OpenOptions::new()
        .write(true)
        .open(&live)
        .unwrap()
        .set_len(0)
        .unwrap();
    put("three\n");
    assert_eq!(fs::read_to_string(&live).unwrap(), "three\n");
    fs::remove_dir_all(&dir.0).unwrap();
    put("four\n");
    assert_eq!(fs::read_to_string(&live).unwrap(), "four\n");
}

/// As `logrotate` may do at any moment.
#[test]
fn a_file_that_is_moved_just_before_its_rotation_is_no_warning() {
    let dir = TestDir::new();
    let disk = Arc::new(FaultyDisk::new(&dir.0));
    disk.moves_first.store(true, Ordering::Relaxed);
    let options = LogOptions {
        max_bytes: 1_000,
        ..dir.options()
    };
    let pipeline =
        Pipeline::open(options, recording_hooks(), disk, WriterThread::manual()).unwrap();
    for n in 0..50 {
        pipeline.write(Level::Info, line(0, n).as_bytes());
        pipeline.run_pass_now();
    }
    let mut moved: Vec<_> = fs::read_dir(&dir.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("moved-")
        })
        .map(|path| fs::read_to_string(path).unwrap())
        .chain([fs::read_to_string(dir.0.join("app.log")).unwrap()])
        .collect();
    moved.sort();
    assert!(moved.len() > 5 && moved.iter().all(|text| text.len() <= 1_000));
    let lines: Vec<_> = moved.concat().lines().map(str::to_owned).collect();
    assert_complete(&lines, &BTreeMap::from([(0, 50)]));
    assert_eq!(warnings_of(&dir.0), Vec::<String>::new());
}

#[test]
fn a_folder_that_becomes_a_symlink_is_not_followed() {
    let dir = TestDir::new();
    let (logs, away) = (dir.0.join("logs"), dir.0.join("away"));
    let log = open(LogOptions {
        dir: logs.clone(),
        ..dir.options()
    });
    fs::rename(&logs, &away).unwrap();
    std::os::unix::fs::symlink(&away, &logs).unwrap();
    log.write(Level::Error, b"kept\n");
    wait_until("its health says so", || {
        matches!(log.stats().health, Health::Waiting { .. })
    });
    assert_eq!(fs::read(away.join("app.log")).unwrap(), b"");
    fs::remove_file(&logs).unwrap();
    fs::rename(&away, &logs).unwrap();
    assert_eq!(log.flush(LIMIT), 0);
    assert_eq!(history(&logs), ["kept"]);
}

#[test]
fn symlinks_are_followed_where_that_is_allowed() {
    let dir = TestDir::new();
    let (logs, away) = (dir.0.join("logs"), dir.0.join("away"));
    let options = |follow_symlinks| LogOptions {
        dir: logs.clone(),
        follow_symlinks,
        ..dir.options()
    };
    let log = open(options(true));
    log.write(Level::Info, b"one\n");
    log.flush(LIMIT);
    fs::rename(&logs, &away).unwrap();
    std::os::unix::fs::symlink(&away, &logs).unwrap();
    log.write(Level::Info, b"two\n");
    assert_eq!(log.flush(LIMIT), 0);
    drop(log);
    assert_eq!(history(&away), ["one", "two"]);
    // The file itself: refused with advice, or followed.
    let elsewhere = dir.0.join("elsewhere");
    fs::rename(away.join("app.log"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, away.join("app.log")).unwrap();
    let refused = LogFile::open(options(false), silent_hooks()).unwrap_err();
    assert!(refused.to_string().contains("follow_symlinks"), "{refused}");
    let log = open(options(true));
    log.write(Level::Info, b"three\n");
    drop(log);
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "one\ntwo\nthree\n");
}

#[test]
fn logrotate_costs_no_line() {
    for mode in ["create", "copytruncate"] {
        let dir = TestDir::new();
        let (conf, state) = (dir.0.join("conf"), dir.0.join("state"));
        let live = dir.0.join("app.log");
        let rule = format!(
            "{} {{\n rotate 9\n {mode}\n su root root\n}}\n",
            live.display()
        );
        fs::write(&conf, rule).unwrap();
        let log = open(dir.options());
        log.write(Level::Info, b"before\n");
        log.flush(LIMIT);
        let run = Command::new("logrotate")
            .args(["-f", "-s"])
            .args([&state, &conf])
            .status();
        if !run.is_ok_and(|status| status.success()) {
            not_possible_here("logrotate does not run here");
            return;
        }
        log.write(Level::Info, b"after\n");
        log.flush(LIMIT);
        assert_eq!(
            fs::read_to_string(dir.0.join("app.log.1")).unwrap(),
            "before\n"
        );
        assert_eq!(fs::read_to_string(&live).unwrap(), "after\n", "{mode}");
    }
}

#[test]
#[ignore = "the child of a test"]
fn loses_its_folder_and_is_killed() {
    let Some((dir, _)) = child_args() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    let logs = dir.0.join("logs");
    let log = open(LogOptions {
        dir: logs.clone(),
        ..dir.options()
    });
    log.write(Level::Error, b"gone with the folder\n");
    log.flush(LIMIT);
    fs::remove_dir_all(&logs).unwrap();
    log.write(Level::Error, line(0, 0).as_bytes());
    wait_until("the lock is there again", || {
        logs.join(".app.log.lock").exists()
    });
    // These go to the new spool: the writer thread cannot have written all of them yet.
    (1..20_000).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        .unwrap();
}

#[test]
fn a_deleted_folder_is_recreated_with_spool_and_lock() {
    let dir = TestDir::new();
    child("outside_changes::loses_its_folder_and_is_killed", &dir.0, 0)
        .wait_with_output()
        .unwrap();
    let logs = dir.0.join("logs");
    drop(open(LogOptions {
        dir: logs.clone(),
        ..dir.options()
    }));
    let lines = history(&logs);
    assert_eq!(lines.len(), 20_000);
    assert_complete(&lines, &BTreeMap::from([(0, 20_000)]));
}

#[test]
fn threads_write_on_while_the_folder_is_deleted() {
    let dir = TestDir::new();
    let log = open(dir.options());
    std::thread::scope(|scope| {
        for who in 0..2 {
            let log = log.clone();
            scope.spawn(move || {
                (0..50_000).for_each(|n| log.write(Level::Info, line(who, n).as_bytes()))
            });
        }
        // The writer thread may create it again while it is being emptied.
        wait_until("it is deleted", || fs::remove_dir_all(&dir.0).is_ok());
    });
    let end = "the end\n";
    log.write(Level::Info, end.as_bytes());
    assert_eq!(log.flush(LIMIT), 0);
    assert!(log.stats().total_lost() == 0);
    let lines = history(&dir.0);
    assert_eq!(lines.last().map(String::as_str), Some("the end"));
    // Those before the deletion went with the folder; from there on each thread's are complete.
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    for text in lines.iter().filter(|text| *text != "the end") {
        let (who, rest) = text.split_once(' ').unwrap();
        let number: u64 = rest.split(' ').next().unwrap().parse().unwrap();
        let expected = next.insert(who.to_owned(), number + 1).unwrap_or(number);
        assert_eq!(number, expected, "writer {who}");
    }
    drop(log);
}

#[test]
fn interrupted_compression_is_finished_and_partial_files_removed() {
    let dir = TestDir::new();
    let name = |sequence| format!("app.log.2026-01-0{sequence}T00-00-00Z.{sequence}");
    // Interrupted before the rename, after it, and one whose file retention has deleted since.
    fs::write(dir.0.join(name(1)), "one\n").unwrap();
    fs::write(dir.0.join(format!(".{}.gz.part", name(1))), "half").unwrap();
    fs::write(dir.0.join(name(2)), "two\n").unwrap();
    let done = fs::File::create(dir.0.join(name(2) + ".gz")).unwrap();
    let mut done = flate2::write::GzEncoder::new(done, flate2::Compression::fast());
    std::io::Write::write_all(&mut done, b"two\n").unwrap();
    done.finish().unwrap();
    fs::write(dir.0.join(format!(".{}.gz.part", name(3))), "half").unwrap();
    let log = open(LogOptions {
        compress: true,
        ..dir.options()
    });
    log.write(Level::Info, b"three\n");
    drop(log);
    assert_eq!(history(&dir.0), ["one", "two", "three"]);
    let mut left: Vec<_> = fs::read_dir(&dir.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("lock"))
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["app.log".to_owned(), name(1) + ".gz", name(2) + ".gz"]
    );
}

#[test]
fn partial_files_are_removed_without_compression_too() {
    let dir = TestDir::new();
    let part = dir.0.join(".app.log.2026-01-01T00-00-00Z.1.gz.part");
    fs::write(&part, "half").unwrap();
    let log = open(dir.options());
    wait_until("it is gone", || !part.exists());
    drop(log);
}
