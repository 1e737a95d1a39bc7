//! The log engine as a whole, on real files: bursts, kills, full disks, forks of other processes,
//! and what outsiders do to the files.

mod clocks;
mod disks;
mod failing;
mod forks;
mod kills;
mod outsiders;
mod room;

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

use super::{
    core::Health,
    file::LogFile,
    rotation,
    settings::{Hooks, Priority, Settings},
};

const LIMIT: Duration = Duration::from_secs(30);

struct Dir(PathBuf);

impl Dir {
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

    fn settings(&self) -> Settings {
        Settings {
            dir: self.0.clone(),
            backups: 100_000,
            ..Settings::default()
        }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn quiet() -> Hooks {
    Hooks {
        say: |_| (),
        ..Hooks::default()
    }
}

/// What was said on stderr; each folder is one test's.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn listening() -> Hooks {
    let say: fn(&str) = |text| {
        SAID.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.to_owned());
    };
    Hooks {
        say,
        ..Hooks::default()
    }
}

/// What was said of that folder.
fn said(dir: &Path) -> Vec<String> {
    let all = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let of_dir = |text: &&String| text.contains(&*dir.to_string_lossy());
    all.iter().filter(of_dir).cloned().collect()
}

fn open(settings: Settings) -> LogFile {
    LogFile::open(settings, "test", quiet()).unwrap()
}

/// All lines of all files, oldest first.
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

/// Every line whole, and each writer's numbers complete, in order and once.
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

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_burst_of_threads_through_a_small_ring_loses_nothing() {
    let dir = Dir::new();
    let log = open(Settings {
        max_bytes: 1_000_000,
        spool_bytes: 1 << 16,
        max_wait: LIMIT,
        ..dir.settings()
    });
    std::thread::scope(|scope| {
        for who in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                (0..20_000).for_each(|n| log.write(Priority::Info, line(who, n).as_bytes()))
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
    let dir = Dir::new();
    let log = open(dir.settings());
    log.write(Priority::Error, b"now\n");
    until("the line is there", || history(&dir.0) == ["now"]);
    assert_eq!(log.stats().lines, 1);
}

#[test]
fn a_torn_tail_is_closed_at_open() {
    let dir = Dir::new();
    fs::write(dir.0.join("app.log"), "whole\ntor").unwrap();
    let log = open(dir.settings());
    log.write(Priority::Info, b"next\n");
    drop(log);
    assert_eq!(history(&dir.0), ["whole", "tor", "next"]);
}

#[test]
fn a_second_open_says_who_has_it() {
    let dir = Dir::new();
    let _first = open(dir.settings());
    let error = LogFile::open(dir.settings(), "again", quiet())
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
        let dir = Dir::new();
        let logs = dir.0.join("new");
        let log = open(Settings {
            dir: logs.clone(),
            max_bytes: 5_000,
            compress: true,
            mode: wanted,
            ..dir.settings()
        });
        (0..500).for_each(|n| log.write(Priority::Info, line(0, n).as_bytes()));
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

/// Runs `name` of this test program alone, with `LOG_TEST_DIR` set: the child of a test.
fn child(name: &str, dir: &Path, who: u32) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        &format!("log::engine_tests::{name}"),
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

fn told() -> Option<(Dir, u32)> {
    let dir = std::env::var_os("LOG_TEST_DIR")?;
    Some((
        Dir(dir.into()),
        std::env::var("LOG_TEST_WHO").ok()?.parse().ok()?,
    ))
}

/// A small file system over a folder, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None`, and a word on it, where mounting is not allowed.
    fn with(options: &str, dir: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]).arg(dir);
        if !mount.status().is_ok_and(|status| status.success()) {
            println!("skipped: cannot mount a tmpfs here");
            return None;
        }
        Some(Self(dir.to_path_buf()))
    }

    fn small(dir: &Path) -> Option<Self> {
        Self::with("size=256k", dir)
    }

    /// A file system of that kind in a file; `None`, and a word on it, where it cannot be made or
    /// mounted.
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
            println!("skipped: cannot make and mount a file system of kind {kind} here");
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
