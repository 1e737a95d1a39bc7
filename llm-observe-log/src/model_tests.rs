//! The writer against a model, in lock-step: random writes, passes and disk errors. Whatever happens,
//! every line taken is in the files once, whole and in order, as soon as the disk works.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use proptest::prelude::*;

use crate::{
    disk::Disk,
    faulty_disk::{ERRORS, FaultyDisk},
    hooks::Hooks,
    level::Level,
    options::LogOptions,
    pipeline::Pipeline,
    rotation,
    writer_thread::{Task, WriterThread},
};

#[derive(Clone, Debug)]
enum Action {
    Write(usize),
    Pass,
    Room(i64),
    /// The disk's error when there is no room left.
    Error(i32),
    Rename(bool),
    Open(bool),
    /// Another program renames the live file, to a name that belongs to the history.
    Move,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (1usize..300).prop_map(Action::Write),
        5 => Just(Action::Pass),
        2 => (-1i64..2000).prop_map(Action::Room),
        1 => proptest::sample::select(&ERRORS[..]).prop_map(|(_, error)| Action::Error(error)),
        1 => any::<bool>().prop_map(Action::Rename),
        1 => any::<bool>().prop_map(Action::Open),
        1 => Just(Action::Move),
    ]
}

fn history(dir: &Path) -> Vec<u8> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().into_string().ok())
        .filter(|n| n.starts_with("app.log"))
        .collect();
    files.sort_by_key(|name| {
        rotation::parse_backup("app.log", name, 0).map_or(u64::MAX, |b| b.sequence)
    });
    files
        .iter()
        .flat_map(|name| fs::read(dir.join(name)).unwrap())
        .collect()
}

fn play(actions: Vec<Action>) {
    let dir =
        std::env::temp_dir().join(format!("llm-observe-log-model-{:016x}", fastrand::u64(..)));
    let disk = Arc::new(FaultyDisk::new(&dir));
    let options = LogOptions {
        max_bytes: 1500,
        backups: 100_000,
        buffer_bytes: 1 << 16,
        ..LogOptions::new(&dir, "app.log")
    };
    let hooks = Hooks::new().warn(|_| ());
    let pipeline = Pipeline::open(options, hooks, disk.clone(), WriterThread::manual()).unwrap();
    let mut model = Vec::new();
    for (number, action) in actions.into_iter().enumerate() {
        match action {
            Action::Write(length) => {
                let line = format!("{number} {}\n", "x".repeat(length));
                pipeline.write(Level::Info, line.as_bytes());
                model.extend(line.bytes());
            }
            Action::Pass => drop(pipeline.run_pass_now()),
            Action::Room(room) => disk.room.store(room, Ordering::Relaxed),
            Action::Error(error) => disk.error.store(error, Ordering::Relaxed),
            Action::Rename(fault) => disk.no_rename.store(fault, Ordering::Relaxed),
            Action::Open(fault) => disk.no_open.store(fault, Ordering::Relaxed),
            Action::Move => {
                let list: Vec<_> = disk
                    .list()
                    .unwrap()
                    .iter()
                    .filter_map(|e| rotation::parse_backup("app.log", &e.name, 0))
                    .collect();
                let name = rotation::backup_name(
                    "app.log",
                    jiff::Timestamp::now(),
                    &jiff::tz::TimeZone::UTC,
                    rotation::next_sequence(&list),
                );
                let _ = fs::rename(dir.join("app.log"), dir.join(name));
            }
        }
        let now = history(&dir);
        assert!(
            model.starts_with(&now) && now.last().is_none_or(|&b| b == b'\n'),
            "torn, repeated or out of order"
        );
    }
    disk.room.store(-1, Ordering::Relaxed);
    disk.no_open.store(false, Ordering::Relaxed);
    let deadline = Instant::now() + Duration::from_secs(10);
    while pipeline.has_work() {
        pipeline.run_pass_now();
        assert!(Instant::now() < deadline, "never written");
    }
    assert!(history(&dir) == model);
    fs::remove_dir_all(&dir).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn files_always_hold_a_prefix_of_the_written_lines(actions in proptest::collection::vec(action(), 1..60)) {
        play(actions);
    }
}
