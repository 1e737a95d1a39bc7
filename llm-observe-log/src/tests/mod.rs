//! The writer as a whole, on real files: bursts, kills, full disks, forks, several processes, and what
//! other programs do to the files.

mod backpressure;
mod clocks;
mod damage;
mod detached;
mod disk_errors;
mod disks;
mod forks;
mod kills;
mod outside_changes;

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use llm_observe_test_support::peers::not_possible_here;

use crate::{
    file::LogFile,
    hooks::Hooks,
    level::Level,
    options::LogOptions,
    rotation,
    stats::{Health, LossReason},
};

const LIMIT: Duration = Duration::from_secs(30);

struct TestDir(PathBuf);

impl TestDir {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "llm-observe-log-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn options(&self) -> LogOptions {
        LogOptions::new(&self.0, "app.log").backups(100_000)
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn silent_hooks() -> Hooks {
    Hooks::new().warn(|_| ())
}

/// The warnings of all tests; each folder is one test's.
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn recording_hooks() -> Hooks {
    Hooks::new().warn(|text| {
        WARNINGS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.to_owned());
    })
}

/// Returns the warnings about that folder.
fn warnings_of(dir: &Path) -> Vec<String> {
    let all = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    let of_dir = |text: &&String| text.contains(&*dir.to_string_lossy());
    all.iter().filter(of_dir).cloned().collect()
}

fn open(options: LogOptions) -> LogFile {
    LogFile::open(options, silent_hooks()).unwrap()
}

/// Returns all lines of all files, oldest first.
fn history(dir: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().into_string().ok())
        .collect();
    files.retain(|name| name.starts_with("app.log"));
    files.sort_by_key(|name| {
        rotation::parse_backup("app.log", name, 0).map_or(u64::MAX, |b| b.sequence)
    });
    let mut text = Vec::new();
    for name in files {
        let bytes = fs::read(dir.join(&name)).unwrap();
        match name.ends_with(".gz") {
            true => drop(
                flate2::read::GzDecoder::new(&*bytes)
                    .read_to_end(&mut text)
                    .unwrap(),
            ),
            false => text.extend(bytes),
        }
        assert!(
            text.is_empty() || text.ends_with(b"\n"),
            "{name} ends in a torn line"
        );
    }
    String::from_utf8(text)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn line(who: u32, number: u64) -> String {
    format!("{who} {number:09} {}\n", "x".repeat(90))
}

/// Asserts that every line is whole, and each writer's numbers are complete, in order and unique.
fn assert_complete(lines: &[String], expected: &BTreeMap<u32, u64>) {
    let mut next: BTreeMap<u32, u64> = BTreeMap::new();
    for text in lines {
        let mut parts = text.split(' ');
        let who: u32 = parts
            .next()
            .unwrap()
            .parse()
            .unwrap_or_else(|_| panic!("not a whole line: {text:?}"));
        let number: u64 = parts.next().unwrap().parse().unwrap();
        assert_eq!(format!("{text}\n"), line(who, number), "torn");
        let want = next.entry(who).or_default();
        assert_eq!(
            number, *want,
            "writer {who}: lost, repeated or out of order"
        );
        *want += 1;
    }
    for (who, least) in expected {
        assert!(
            next.get(who).copied().unwrap_or(0) >= *least,
            "writer {who}: {:?} of {least}",
            next.get(who)
        );
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_burst_of_threads_through_a_small_ring_loses_nothing() {
    let dir = TestDir::new();
    let log = open(LogOptions {
        max_bytes: 1_000_000,
        buffer_bytes: 1 << 16,
        max_wait: LIMIT,
        ..dir.options()
    });
    std::thread::scope(|scope| {
        for who in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                (0..20_000).for_each(|n| log.write(Level::Info, line(who, n).as_bytes()))
            });
        }
    });
    drop(log);
    assert_complete(&history(&dir.0), &(0..4).map(|who| (who, 20_000)).collect());
    let oversize = fs::read_dir(&dir.0)
        .unwrap()
        .any(|e| e.unwrap().metadata().unwrap().len() > 1_000_000);
    assert!(!oversize);
    assert!(
        fs::read_dir(&dir.0).unwrap().all(|e| !e
            .unwrap()
            .file_name()
            .to_str()
            .unwrap()
            .ends_with(".spool"))
    );
}

#[test]
fn an_error_is_in_the_file_at_once() {
    let dir = TestDir::new();
    let log = open(dir.options());
    log.write(Level::Error, b"now\n");
    wait_until("the line is there", || history(&dir.0) == ["now"]);
    assert_eq!(log.stats().lines, 1);
}

#[test]
fn a_torn_tail_is_closed_at_open() {
    let dir = TestDir::new();
    fs::write(dir.0.join("app.log"), "whole\ntor").unwrap();
    let log = open(dir.options());
    log.write(Level::Info, b"next\n");
    drop(log);
    assert_eq!(history(&dir.0), ["whole", "tor", "next"]);
}

#[test]
fn a_path_is_no_file_name() {
    let dir = TestDir::new();
    for file in ["", ".", "..", "a/b", "/etc/passwd"] {
        let options = LogOptions::new(&dir.0, file);
        let error = LogFile::open(options, silent_hooks()).unwrap_err();
        assert!(error.to_string().contains("name of a file"), "{error}");
    }
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 0);
}

#[test]
fn a_second_open_in_the_process_is_refused() {
    let dir = TestDir::new();
    let _first = open(dir.options());
    let error = LogFile::open(dir.options(), silent_hooks())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("app.log") && error.contains("already"),
        "{error}"
    );
}

#[test]
fn files_have_their_mode_and_keep_it_compressed() {
    use std::os::unix::fs::PermissionsExt;
    for wanted in [0o600, 0o640] {
        let dir = TestDir::new();
        let logs = dir.0.join("new");
        let log = open(LogOptions {
            dir: logs.clone(),
            max_bytes: 5_000,
            compress: true,
            mode: wanted,
            ..dir.options()
        });
        (0..500).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
        drop(log);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&logs), 0o700);
        let mut compressed = 0;
        for entry in fs::read_dir(&logs).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            compressed += u32::from(name.ends_with(".gz"));
            // What is not for readers is for this user alone.
            let expected = if name.starts_with('.') { 0o600 } else { wanted };
            assert_eq!(mode(&path), expected, "{name}");
        }
        assert!(compressed > 5);
        assert_complete(&history(&logs), &BTreeMap::from([(0, 500)]));
    }
}

/// Runs the test `name` alone in a child process, with `LOG_TEST_DIR` set.
fn child(name: &str, dir: &Path, who: u32) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        &format!("tests::{name}"),
        "--test-threads=1",
        "--exact",
        "--nocapture",
        "--ignored",
    ]);
    command
        .env("LOG_TEST_DIR", dir)
        .env("LOG_TEST_WHO", who.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

fn child_args() -> Option<(TestDir, u32)> {
    let dir = std::env::var_os("LOG_TEST_DIR")?;
    Some((
        TestDir(dir.into()),
        std::env::var("LOG_TEST_WHO").ok()?.parse().ok()?,
    ))
}

/// A small file system over a folder, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    /// Returns `None`, and prints `skipped`, where mounting is not allowed.
    fn with(options: &str, dir: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]).arg(dir);
        if !mount.status().is_ok_and(|status| status.success()) {
            not_possible_here("cannot mount a tmpfs here");
            return None;
        }
        Some(Self(dir.to_path_buf()))
    }

    fn small(dir: &Path) -> Option<Self> {
        Self::with("size=256k", dir)
    }

    /// Mounts a file system of that kind from a file. Returns `None`, and prints `skipped`, where it
    /// cannot be created or mounted.
    fn image(kind: &str, options: &str, dir: &Path) -> Option<Self> {
        let image = dir.with_extension("img");
        fs::File::create(&image)
            .unwrap()
            .set_len(320 << 20)
            .unwrap();
        let runs = |command: &mut Command| {
            let output = command.arg(&image).output();
            output.is_ok_and(|output| output.status.success())
        };
        let made = runs(&mut Command::new(format!("mkfs.{kind}")));
        let options = format!("loop{options}");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", kind, "-o", &options, "--target"])
            .arg(dir)
            .arg("--source");
        let mounted = made && runs(&mut mount);
        // The mount has it open.
        fs::remove_file(&image).unwrap();
        if !mounted {
            not_possible_here(&format!(
                "cannot make and mount a file system of kind {kind} here"
            ));
        }
        mounted.then(|| Self(dir.to_path_buf()))
    }

    fn remount(&self, how: &str) {
        let mut mount = Command::new("mount");
        let status = mount
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = || {
            let status = Command::new("umount").arg(&self.0).status();
            status.is_ok_and(|status| status.success())
        };
        if !unmounted() {
            let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        }
    }
}
