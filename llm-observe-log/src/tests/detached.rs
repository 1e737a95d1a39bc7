//! A writer whose file cannot be opened at the start.

use super::*;
use crate::claim::Claim;

/// Returns a detached log, and what is in its way.
fn detached(dir: &TestDir) -> (LogFile, LogOptions) {
    fs::write(dir.0.join("logs"), "a file in the way").unwrap();
    let options = LogOptions::new(dir.0.join("logs"), "app.log").buffer_bytes(1 << 16);
    let error = LogFile::open(options.clone(), silent_hooks()).unwrap_err();
    let log = LogFile::detached(options.clone(), silent_hooks(), error.to_string()).unwrap();
    (log, options)
}

fn clear(dir: &TestDir) {
    fs::remove_file(dir.0.join("logs")).unwrap();
}

#[test]
fn lines_wait_in_memory_until_the_file_can_be_opened() {
    let dir = TestDir::new();
    let (log, options) = detached(&dir);
    log.write(Level::Info, b"first\n");
    assert!(matches!(log.stats().health, Health::Waiting { .. }));
    assert_eq!(log.flush(LIMIT), log.stats().pending_bytes, "at once");
    assert!(log.stats().pending_bytes > 0);
    assert!(log.attach(options.clone()).is_err());
    clear(&dir);
    log.attach(options.clone().numbered(2)).unwrap();
    log.write(Level::Info, b"second\n");
    assert_eq!(log.name(), "app.2.log");
    assert_eq!(log.flush(LIMIT), 0);
    assert_eq!(log.stats().health, Health::Healthy);
    assert_eq!(log.stats().lines, 2);
    let second = options.clone().numbered(2);
    assert!(
        Claim::new(&dir.0.join("logs"), &second).is_err(),
        "it is claimed"
    );
    log.attach(options).unwrap();
    assert_eq!(log.name(), "app.2.log", "open once");
    drop(log);
    let text = fs::read_to_string(dir.0.join("logs/app.2.log")).unwrap();
    assert_eq!(text, "first\nsecond\n");
    let left: Vec<_> = fs::read_dir(dir.0.join("logs")).unwrap().collect();
    assert!(
        left.iter()
            .all(|entry| !format!("{entry:?}").contains("spool"))
    );
}

#[test]
fn what_does_not_fit_is_counted_and_the_file_says_so() {
    let dir = TestDir::new();
    let (log, options) = detached(&dir);
    let start = Instant::now();
    let line = format!("{}\n", "x".repeat(99));
    (0..2_000).for_each(|_| log.write(Level::Info, line.as_bytes()));
    assert!(start.elapsed() < Duration::from_secs(1), "nobody waits");
    let lost = log.stats().lost(LossReason::Overflow);
    assert!(lost > 1_000, "{lost}");
    clear(&dir);
    log.attach(options).unwrap();
    log.write(Level::Info, line.as_bytes());
    assert_eq!(log.flush(LIMIT), 0);
    drop(log);
    let text = fs::read_to_string(dir.0.join("logs/app.log")).unwrap();
    let notice = format!("WARN - {lost} lines lost here (overflow)");
    let lines: Vec<_> = text.lines().collect();
    let at = lines.iter().position(|line| *line == notice);
    assert_eq!(at, Some(lines.len() - 2), "{lost}");
    assert_eq!(lines.len() as u64, 2_001 - lost + 1);
}

#[test]
fn threads_write_on_while_it_is_attached() {
    let dir = TestDir::new();
    let (log, options) = detached(&dir);
    let options = options.max_bytes(0);
    clear(&dir);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let log = log.clone();
            scope.spawn(move || {
                for n in 0..200 {
                    log.write(Level::Error, format!("{thread} {n}\n").as_bytes());
                }
            });
        }
        log.attach(options).unwrap();
    });
    assert_eq!(log.stats().total_lost(), 0);
    drop(log);
    let text = fs::read_to_string(dir.0.join("logs/app.log")).unwrap();
    for thread in 0..3 {
        let own = text.lines().filter_map(|line| line.split_once(' '));
        let own: Vec<u32> = own
            .filter(|(of, _)| *of == thread.to_string())
            .map(|(_, n)| n.parse().unwrap())
            .collect();
        assert_eq!(own, (0..200).collect::<Vec<_>>());
    }
}

#[test]
fn an_end_without_a_file_says_that_its_lines_are_lost() {
    let dir = TestDir::new();
    fs::write(dir.0.join("logs"), "a file in the way").unwrap();
    let options = LogOptions::new(dir.0.join("logs"), "app.log");
    let log = LogFile::detached(options, recording_hooks(), String::new()).unwrap();
    log.write(Level::Info, b"first\n");
    let start = Instant::now();
    drop(log);
    assert!(start.elapsed() < Duration::from_secs(1));
    let said = warnings_of(&dir.0);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with("are lost"), "{said:?}");
}

#[test]
fn a_killed_process_of_another_number_is_found() {
    let dir = TestDir::new();
    let first = dir.options();
    assert!(first.numbers_in_use(99).is_empty());
    let second = open(dir.options().numbered(2));
    assert_eq!(first.numbers_in_use(99), [2]);
    assert_eq!(first.numbers_in_use(1), [0; 0]);
    drop(second);
    assert!(first.numbers_in_use(99).is_empty());
}
