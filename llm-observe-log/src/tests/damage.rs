//! Spools that are damaged, truncated or not ours: reported, counted, set aside, and never the end or
//! the halt of the program.

use std::{
    fs::OpenOptions,
    os::unix::fs::{FileExt, PermissionsExt, chown},
};

use proptest::prelude::*;

use super::*;
use crate::spool::{spools_of, words_of};

/// The size of the smallest spool.
fn smallest() -> usize {
    words_of(1 << 16) * 8
}

/// Leaves the lines of a killed process in a spool, and returns its path.
fn orphan(dir: &TestDir, lines: u32) -> PathBuf {
    child("kills::writes_to_a_full_ring_and_is_killed", &dir.0, lines)
        .wait_with_output()
        .unwrap();
    let spools = spools_of(&dir.0, "app.log");
    assert_eq!(spools.len(), 1, "{spools:?}");
    spools.into_iter().next().unwrap()
}

/// Plants a spool with these bytes.
fn plant(dir: &TestDir, bytes: &[u8]) -> PathBuf {
    let path = dir.0.join(".app.log.00000000000000aa.spool");
    fs::write(&path, bytes).unwrap();
    path
}

/// Returns whether that was possible.
fn make_fifo(path: &Path) -> bool {
    let made = Command::new("mkfifo").arg(path).status();
    let made = made.is_ok_and(|status| status.success());
    if !made {
        not_possible_here("mkfifo is not installed");
    }
    made
}

fn aside_of(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

fn open_recorded(options: LogOptions) -> LogFile {
    LogFile::open(options, recording_hooks()).unwrap()
}

#[test]
fn a_damaged_spool_is_reported_counted_and_set_aside() {
    let valid = vec![0; smallest()];
    let mut half = valid.clone();
    half.truncate(smallest() / 2);
    for bytes in [&[][..], b"short", &half, &valid] {
        let dir = TestDir::new();
        let path = plant(&dir, bytes);
        let log = open_recorded(dir.options());
        log.write(Level::Info, b"next\n");
        assert_eq!(log.flush(LIMIT), 0);
        assert_eq!(log.stats().lost(LossReason::Damaged), 1);
        drop(log);
        assert!(!path.exists());
        assert_eq!(fs::read(aside_of(&path)).unwrap(), bytes);
        let lines = history(&dir.0);
        assert_eq!(lines, ["WARN - 1 lines lost here (damaged)", "next"]);
        let warnings = warnings_of(&dir.0);
        let damaged = warnings.iter().filter(|text| text.contains("is damaged"));
        assert_eq!(damaged.count(), 1, "{warnings:?}");
    }
}

#[test]
fn lines_before_the_damage_are_recovered() {
    let dir = TestDir::new();
    let path = orphan(&dir, 300);
    // The state of a record that no ring has, at the hundredth line.
    let record = 8 + line(0, 0).len().next_multiple_of(8);
    let at = (words_of(0) * 8 - (1 << 16) + 99 * record) as u64;
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&(9u64 << 32).to_ne_bytes(), at).unwrap();
    drop(file);
    let log = open(dir.options());
    assert_eq!(log.flush(LIMIT), 0);
    assert_eq!(log.stats().recovered, 99);
    assert_eq!(log.stats().lost(LossReason::Damaged), 1);
    drop(log);
    assert!(!path.exists() && aside_of(&path).exists());
    let mut lines = history(&dir.0);
    assert_eq!(lines.pop().unwrap(), "WARN - 1 lines lost here (damaged)");
    assert_complete(&lines, &BTreeMap::from([(0, 99)]));
    assert_eq!(lines.len(), 99);
}

#[test]
fn few_damaged_spools_are_kept() {
    let dir = TestDir::new();
    for id in 0..9 {
        fs::write(dir.0.join(format!(".app.log.{id:016x}.spool")), "?").unwrap();
    }
    let log = open(dir.options());
    assert_eq!(log.stats().lost(LossReason::Damaged), 9);
    drop(log);
    let names = fs::read_dir(&dir.0).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".damaged")).count(), 4);
}

#[test]
fn a_spool_of_another_version_is_left_alone() {
    let dir = TestDir::new();
    let mut bytes = vec![0; smallest()];
    bytes[..8].copy_from_slice(&u64::from_be_bytes(*b"LLMOBS\x00\x07").to_ne_bytes());
    let path = plant(&dir, &bytes);
    let log = open_recorded(dir.options());
    assert_eq!(log.stats().total_lost(), 0);
    drop(log);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let warnings = warnings_of(&dir.0);
    assert!(
        warnings.iter().any(|text| text.contains("another version")),
        "{warnings:?}"
    );
}

#[test]
fn spools_that_are_links_fifos_or_of_others_are_not_opened() {
    let dir = TestDir::new();
    let valuable = dir.0.join("valuable");
    fs::write(&valuable, "precious").unwrap();
    let name = |id: u32| dir.0.join(format!(".app.log.{id:016x}.spool"));
    std::os::unix::fs::symlink(&valuable, name(1)).unwrap();
    fs::hard_link(&valuable, name(2)).unwrap();
    let fifo = make_fifo(&name(3));
    fs::write(name(4), vec![0; smallest()]).unwrap();
    let given_away = chown(name(4), Some(12_345), None).is_ok();
    fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o1777)).unwrap();
    let log = open_recorded(dir.options());
    log.write(Level::Info, b"next\n");
    let lost = log.stats().total_lost();
    drop(log);
    assert_eq!(fs::read_to_string(&valuable).unwrap(), "precious");
    match given_away {
        true => assert!(name(4).exists() && lost == 0),
        false => println!("skipped: only root can give a file away"),
    }
    let warnings = warnings_of(&dir.0);
    let refused = warnings
        .iter()
        .filter(|text| text.contains("not recovered"));
    assert_eq!(
        refused.count(),
        2 + usize::from(fifo) + usize::from(given_away),
        "{warnings:?}"
    );
    assert_eq!(history(&dir.0).last().unwrap(), "next");
}

#[test]
fn what_reads_the_log_hangs_on_no_fifo() {
    let dir = TestDir::new();
    for name in [
        ".app.log.0000000000000001.spool",
        "app.log",
        "app.log.2026-01-01T00-00-00Z.1",
    ] {
        let path = dir.0.join(name);
        if !make_fifo(&path) {
            return;
        }
    }
    let items: Vec<_> = crate::read::history(&dir.0, "app.log", Default::default())
        .unwrap()
        .collect();
    assert_eq!(items.len(), 2, "{items:?}");
    let error = LogFile::open(dir.options(), silent_hooks()).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn a_folder_that_others_can_write_is_warned_of_once() {
    let dir = TestDir::new();
    fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o777)).unwrap();
    for file in ["app.log", "errors.log", "app.log"] {
        let log = open_recorded(LogOptions::new(&dir.0, file));
        assert!(log.stats().exposed);
        log.write(Level::Info, b"written all the same\n");
        drop(log);
    }
    assert_eq!(history(&dir.0).len(), 2);
    let warnings = warnings_of(&dir.0);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("0777"), "{warnings:?}");
}

#[test]
fn fixed_names_are_not_followed_or_emptied() {
    for name in [".app.log.lock", ".app.log.write-lock"] {
        let dir = TestDir::new();
        let valuable = dir.0.join("valuable");
        fs::write(&valuable, "precious").unwrap();
        for hard in [true, false] {
            let link = dir.0.join(name);
            match hard {
                true => fs::hard_link(&valuable, &link).unwrap(),
                false => std::os::unix::fs::symlink(&valuable, &link).unwrap(),
            }
            assert!(
                LogFile::open(dir.options(), silent_hooks()).is_err(),
                "{name}"
            );
            assert_eq!(fs::read_to_string(&valuable).unwrap(), "precious");
            fs::remove_file(&link).unwrap();
        }
        drop(open(dir.options()));
    }
}

#[test]
#[ignore = "the child of a test"]
fn its_spool_is_truncated_while_it_runs() {
    let Some((dir, _)) = child_args() else { return };
    let dir = std::mem::ManuallyDrop::new(dir);
    let log = open(dir.options());
    for (round, length) in [0, 4096, 5000].into_iter().enumerate() {
        log.write(Level::Error, line(0, round as u64).as_bytes());
        assert_eq!(log.flush(LIMIT), 0);
        wait_until("the writer thread is idle", || {
            crate::writer_thread::WriterThread::global().is_parked()
        });
        for path in spools_of(&dir.0, "app.log") {
            OpenOptions::new()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(length)
                .unwrap();
        }
    }
    log.write(Level::Error, line(0, 3).as_bytes());
    assert_eq!(log.flush(LIMIT), 0);
    assert_eq!(log.stats().lost(LossReason::Damaged), 3);
    // What comes now survives a kill again.
    (4..1_000).for_each(|n| log.write(Level::Info, line(0, n).as_bytes()));
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        .unwrap();
}

#[test]
fn truncating_the_spool_of_an_idle_program_ends_it_not() {
    let dir = TestDir::new();
    child("damage::its_spool_is_truncated_while_it_runs", &dir.0, 0)
        .wait_with_output()
        .unwrap();
    drop(open(dir.options()));
    let mut lines = history(&dir.0);
    let notices = lines
        .iter()
        .filter(|text| text.contains("(damaged)"))
        .count();
    lines.retain(|text| !text.starts_with("WARN"));
    assert_complete(&lines, &BTreeMap::from([(0, 1_000)]));
    assert_eq!(notices, 3);
}

/// A position that looks possible, but behind which nobody ever puts a line.
#[test]
fn a_ring_that_cannot_move_on_blocks_no_caller() {
    let dir = TestDir::new();
    let max_wait = Duration::from_millis(50);
    let options = LogOptions {
        buffer_bytes: 1 << 16,
        max_wait,
        ..dir.options()
    };
    let log = open(options);
    let spool = spools_of(&dir.0, "app.log").pop().unwrap();
    let file = OpenOptions::new().write(true).open(spool).unwrap();
    file.write_all_at(&65_528u64.to_ne_bytes(), 32 * 8).unwrap();
    let start = Instant::now();
    log.write(Level::Info, b"no room\n");
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(log.stats().lost(LossReason::Overflow), 1);
    log.close(Duration::ZERO);
}

#[test]
fn a_killed_process_leaves_its_spool_only_until_the_next_start() {
    let dir = TestDir::new();
    let path = orphan(&dir, 300);
    // Of a log that nobody opens any more: empty, with lines, and never completed.
    let named = |name: &str| dir.0.join(name);
    let (empty, full) = (
        named(".old.log.00000000000000e0.spool"),
        named(".old.log.00000000000000f0.spool"),
    );
    fs::copy(&path, &full).unwrap();
    let mut header = fs::read(&path).unwrap();
    // The positions: what was taken is all there is.
    let tail = header[32 * 8..33 * 8].to_vec();
    header[64 * 8..65 * 8].copy_from_slice(&tail);
    fs::write(&empty, header).unwrap();
    let abandoned = named(".old.log.00000000000000a0.new");
    fs::write(&abandoned, "").unwrap();
    let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3_600);
    fs::File::options()
        .write(true)
        .open(&abandoned)
        .unwrap()
        .set_modified(hour_ago)
        .unwrap();
    let young = named(".old.log.00000000000000b0.new");
    fs::write(&young, "").unwrap();
    let log = open(dir.options());
    assert!(!path.exists() && !empty.exists() && !abandoned.exists());
    assert!(full.exists() && young.exists());
    drop(log);
    assert_eq!(spools_of(&dir.0, "app.log"), Vec::<PathBuf>::new());
    assert_eq!(history(&dir.0).len(), 300);
}

/// Words of the header and of the ring with these values, in a spool whose header is valid otherwise.
fn overwritten() -> impl Strategy<Value = Vec<(usize, u64)>> {
    let header = prop::sample::select(vec![
        0usize, 1, 8, 9, 10, 11, 32, 64, 96, 128, 129, 130, 131, 132,
    ]);
    let index = prop_oneof![4 => header, 1 => 512usize..512 + 8_192];
    let near = |at: u64| (at.saturating_sub(64)..=at.saturating_add(64)).boxed();
    let value = prop_oneof![
        Just(0u64),
        any::<u64>(),
        near(1 << 16),
        near(1 << 31),
        near(1 << 62),
        near(u64::MAX - 64),
        (1u64..5, 0u64..70_000).prop_map(|(state, length)| state << 32 | length),
    ];
    prop::collection::vec((index, value), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_header_makes_the_start_or_the_exit_hang(words in overwritten()) {
        let dir = TestDir::new();
        let mut bytes = vec![0; smallest()];
        let mut set = |index: usize, value: u64| {
            bytes[index * 8..index * 8 + 8].copy_from_slice(&value.to_ne_bytes());
        };
        set(0, u64::from_be_bytes(*b"LLMOBS\x00\x01"));
        set(1, 1 << 16);
        words.into_iter().for_each(|(index, value)| set(index, value));
        plant(&dir, &bytes);
        let start = Instant::now();
        let log = open(dir.options());
        log.write(Level::Error, b"next\n");
        prop_assert_eq!(log.flush(LIMIT), 0);
        drop(log);
        prop_assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let text = fs::read(dir.0.join("app.log")).unwrap();
        prop_assert!(text.windows(5).any(|part| part == b"next\n"));
    }

    #[test]
    fn no_header_of_a_live_ring_makes_the_exit_hang(words in overwritten()) {
        let dir = TestDir::new();
        let options = LogOptions { buffer_bytes: 1 << 16, max_wait: Duration::from_millis(20), ..dir.options() };
        let log = open(options);
        let spool = spools_of(&dir.0, "app.log").pop().unwrap();
        let file = OpenOptions::new().write(true).open(spool).unwrap();
        let start = Instant::now();
        for (index, value) in words {
            log.write(Level::Info, b"before\n");
            file.write_all_at(&value.to_ne_bytes(), index as u64 * 8).unwrap();
            log.write(Level::Error, b"after\n");
        }
        log.close(Duration::from_millis(200));
        drop(log);
        prop_assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        let length = fs::metadata(dir.0.join("app.log")).unwrap().len();
        prop_assert!(length < 1 << 20, "{length} bytes");
    }
}
