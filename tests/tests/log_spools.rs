//! The buffers of log files: deleted when a program ends in order, and by the next start when it was
//! killed.

#![cfg(unix)]

use std::fs;

use llm_observe_tests::{
    folder::Folder,
    program::{Running, observed, run},
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const CONFIG: &str = "[server]\nlisten = \"off\"\n[events.work]\n[events.failing]\n\
                      [events.panicking]\n[loggers.errors]\nfile = \"errors.log\"\n\
                      outcomes = [\"error\"]\n";
const ONE_LOG: &str = "[server]\nlisten = \"off\"\n";

/// Returns how many buffers are in the folder of logs. They are elsewhere when its file system is not
/// one of those that keep mapped pages.
fn spools(folder: &Folder) -> usize {
    let entries = fs::read_dir(folder.path().join("logs")).expect("a folder of logs");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".spool")).count()
}

#[test]
fn dropping_the_observer_deletes_them() {
    let folder = Folder::new();
    for steps in [&["init", "work", "fail", "drop"][..], &["init", "fail"]] {
        let ended = run(observed(SUBJECT, &folder, CONFIG).args(steps));
        assert!(ended.status.success(), "{ended}");
        assert_eq!(spools(&folder), 0, "after {steps:?}");
    }
}

/// Also those of a log that the configuration does not have any more.
#[test]
fn the_next_start_deletes_those_of_a_killed_program() {
    let folder = Folder::new();
    let mut command = observed(SUBJECT, &folder, CONFIG);
    let mut killed = Running::start(command.args(["init", "fail", "flush", "hold"]));
    killed.line("flush ");
    drop(killed);
    assert!(spools(&folder) <= 2);
    let ended = run(observed(SUBJECT, &folder, ONE_LOG).args(["init", "work"]));
    assert!(ended.status.success(), "{ended}");
    assert_eq!(spools(&folder), 0);
    assert!(folder.read("logs/app.log").contains(" failing error in "));
    assert!(
        folder
            .read("logs/errors.log")
            .contains(" failing error in ")
    );
}
