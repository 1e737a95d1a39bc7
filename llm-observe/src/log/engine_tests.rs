//! The log engine as a whole, on real files: bursts, kills, full disks, forks of other processes,
//! and what outsiders do to the files.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
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
fn files_are_private_and_stay_so_compressed() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    let logs = dir.0.join("new");
    let log = open(Settings {
        dir: logs.clone(),
        max_bytes: 5_000,
        compress: true,
        ..dir.settings()
    });
    (0..500).for_each(|n| log.write(Priority::Info, line(0, n).as_bytes()));
    drop(log);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&logs), 0o700);
    assert!(
        fs::read_dir(&logs)
            .unwrap()
            .all(|entry| mode(&entry.unwrap().path()) == 0o600)
    );
    assert!(
        fs::read_dir(&logs)
            .unwrap()
            .filter(|e| e
                .as_ref()
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .ends_with(".gz"))
            .count()
            > 5
    );
    assert_complete(&history(&logs), &BTreeMap::from([(0, 500)]));
}

#[test]
fn outsiders_move_truncate_and_delete_without_harm() {
    let dir = Dir::new();
    let live = dir.0.join("app.log");
    let log = open(dir.settings());
    let put = |text: &str| {
        log.write(Priority::Info, text.as_bytes());
        assert_eq!(log.flush(LIMIT).pending_bytes, 0);
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

#[test]
fn a_folder_that_becomes_a_symlink_is_not_followed() {
    let dir = Dir::new();
    let (logs, away) = (dir.0.join("logs"), dir.0.join("away"));
    let log = open(Settings {
        dir: logs.clone(),
        ..dir.settings()
    });
    fs::rename(&logs, &away).unwrap();
    std::os::unix::fs::symlink(&away, &logs).unwrap();
    log.write(Priority::Error, b"kept\n");
    until("the state says so", || {
        matches!(log.stats().state, Health::Waiting { .. })
    });
    assert_eq!(fs::read(away.join("app.log")).unwrap(), b"");
    fs::remove_file(&logs).unwrap();
    fs::rename(&away, &logs).unwrap();
    assert_eq!(log.flush(LIMIT).pending_bytes, 0);
    assert_eq!(history(&logs), ["kept"]);
}

/// Runs `name` of this test program alone, with `LOG_TEST_DIR` set: the child of a test.
fn child(name: &str, dir: &Path, who: u32) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        &format!("log::engine_tests::{name}"),
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

#[test]
#[ignore = "the child of a test"]
fn writes_and_is_killed() {
    let Some((dir, who)) = told() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(Settings {
        max_bytes: 3_000_000,
        ..dir.settings()
    });
    let n = u64::from(who);
    (0..n).for_each(|n| log.write(Priority::Info, line(0, n).as_bytes()));
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        .unwrap();
}

#[test]
fn nothing_is_lost_to_a_kill() {
    for count in [1u32, 777, 100_000] {
        let dir = Dir::new();
        child("writes_and_is_killed", &dir.0, count)
            .wait_with_output()
            .unwrap();
        drop(open(dir.settings()));
        let lines = history(&dir.0);
        assert_eq!(lines.len() as u64, u64::from(count));
        assert_complete(&lines, &BTreeMap::from([(0, count.into())]));
    }
}

#[test]
#[ignore = "the child of a test"]
fn writes_until_killed() {
    use std::io::Write;
    let Some((dir, who)) = told() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(Settings {
        max_bytes: 500_000,
        shared: true,
        spool_bytes: 1 << 18,
        max_wait: LIMIT,
        ..dir.settings()
    });
    let mut out = std::io::stdout();
    for n in 0.. {
        log.write(Priority::Info, line(who, n).as_bytes());
        if n % 100 == 99 {
            writeln!(out, "written {}", n + 1).unwrap();
        }
    }
}

/// The last count a killed child told.
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
        let dir = Dir::new();
        let mut children: Vec<_> = (1..4)
            .map(|who| child("writes_until_killed", &dir.0, who))
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
        let told: BTreeMap<u32, u64> = (1..4)
            .zip(readers.into_iter().map(|r| count_of(&r.join().unwrap())))
            .collect();
        drop(open(Settings {
            shared: true,
            ..dir.settings()
        }));
        assert_complete(&history(&dir.0), &told);
        assert!(told.values().all(|&count| count > 0));
    }
}

#[test]
fn a_full_disk_tears_nothing_and_says_what_is_missing() {
    let dir = Dir::new();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "none"])
        .arg(&dir.0)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: cannot mount a small tmpfs here");
        return;
    }
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
    Command::new("umount").arg(&dir.0).status().unwrap();
    let said: u64 = lines
        .iter()
        .filter_map(|l| {
            l.strip_prefix("WARN - ")?
                .split(' ')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
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
#[ignore = "the child of a test"]
fn opens_what_is_open() {
    let Some((dir, _)) = told() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    println!(
        "said {}",
        LogFile::open(dir.settings(), "second", quiet()).unwrap_err()
    );
}

#[test]
fn a_second_process_is_told_which_one_has_it() {
    let dir = Dir::new();
    let _first = open(dir.settings());
    let output = child("opens_what_is_open", &dir.0, 0)
        .wait_with_output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let pid = format!("process {} has it open", std::process::id());
    assert!(
        said.contains(&pid) && said.contains("shared = true"),
        "{said}"
    );
}

#[test]
fn logrotate_itself_costs_no_line() {
    for mode in ["create", "copytruncate"] {
        let dir = Dir::new();
        let (conf, state) = (dir.0.join("conf"), dir.0.join("state"));
        let live = dir.0.join("app.log");
        let rule = format!(
            "{} {{\n rotate 9\n {mode}\n su root root\n}}\n",
            live.display()
        );
        fs::write(&conf, rule).unwrap();
        let log = open(dir.settings());
        log.write(Priority::Info, b"before\n");
        log.flush(LIMIT);
        let run = Command::new("logrotate")
            .args(["-f", "-s"])
            .args([&state, &conf])
            .status();
        if !run.is_ok_and(|status| status.success()) {
            println!("skipped: logrotate does not run here");
            return;
        }
        log.write(Priority::Info, b"after\n");
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
fn writes_across_the_end_of_summer_time() {
    let Some((dir, _)) = told() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    let (rotate, timezone) = (
        super::settings::Rotate::Hourly,
        super::settings::Timezone::Local,
    );
    let log = open(Settings {
        rotate,
        timezone,
        ..dir.settings()
    });
    log.write(Priority::Error, b"first\n");
    log.flush(LIMIT);
    std::thread::sleep(Duration::from_secs(4));
    log.write(Priority::Error, b"second\n");
}

#[test]
fn the_repeated_hour_under_faketime_gets_its_own_file() {
    let dir = Dir::new();
    let name = "log::engine_tests::writes_across_the_end_of_summer_time";
    let run = Command::new("faketime")
        .args(["-f", "@2026-11-01 01:59:58"])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--ignored"])
        .env("TZ", "America/New_York")
        .env("LOG_TEST_DIR", &dir.0)
        .env("LOG_TEST_WHO", "0")
        .output();
    let Ok(output) = run else {
        println!("skipped: faketime is not installed");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(history(&dir.0), ["first", "second"]);
    assert_eq!(
        fs::read_to_string(dir.0.join("app.log")).unwrap(),
        "second\n"
    );
}

#[test]
#[ignore = "a measurement: cargo test --release -- --ignored --nocapture measure"]
fn measure_callers_cost() {
    for (threads, lines) in [
        (1u32, 300_000u64),
        (1, 1_000_000),
        (2, 300_000),
        (4, 300_000),
    ] {
        let dir = Dir::new();
        let log = open(Settings {
            max_bytes: 10_000_000,
            ..dir.settings()
        });
        let text = [b'x'; 179].into_iter().chain([b'\n']).collect::<Vec<_>>();
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..lines).for_each(|_| log.write(Priority::Info, &text)));
            }
        });
        let burst = start.elapsed();
        log.flush(LIMIT);
        let all = start.elapsed();
        let nanos = burst.as_nanos() as u64 / lines;
        println!(
            "{threads} threads x {lines}: {nanos} ns a call, drained {:?}, {:?}",
            all,
            log.stats()
        );
        drop(log);
        println!("  kept {}", history(&dir.0).len());
    }
    // Below what the disk takes: small bursts with rests between.
    let dir = Dir::new();
    let log = open(dir.settings());
    let text = [b'x'; 179].into_iter().chain([b'\n']).collect::<Vec<_>>();
    let mut spent = Duration::ZERO;
    for _ in 0..100 {
        let start = Instant::now();
        (0..2_000).for_each(|_| log.write(Priority::Info, &text));
        spent += start.elapsed();
        log.flush(LIMIT);
    }
    println!("paced: {} ns a call", spent.as_nanos() / 200_000);
}
