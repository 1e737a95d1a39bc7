//! A service that is killed with a report on its hands: the next start delivers it, once.

use std::fs;

use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
    program::{Ended, LIMIT, Running, observed, run},
    wait,
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const CONFIG: &str = "[server]\nlisten = \"off\"\n[log]\nconsole = \"never\"\n";

/// Starts it with a Sentry that works, and returns the exceptions that arrive.
fn next(folder: &Folder) -> (Vec<String>, Ended) {
    let sentry = Listener::start(Reply::status(200, "{}"));
    let ended = run(observed(SUBJECT, folder, CONFIG)
        .env(
            "SENTRY_DSN",
            format!("http://public@{}/42", sentry.address()),
        )
        .args(["init", "flush"]));
    assert!(ended.status.success(), "{ended}");
    let told = sentry
        .requests()
        .iter()
        .map(|request| request.text())
        .collect();
    (told, ended)
}

#[test]
fn a_report_that_could_not_be_delivered_arrives_once() {
    let folder = Folder::new();
    let mut running = Running::start(
        observed(SUBJECT, &folder, CONFIG)
            .env(
                "SENTRY_DSN",
                format!("http://public@{}/42", Listener::nobody()),
            )
            .args(["init", "fail", "hold"]),
    );
    running.line("fail ");
    let slot = folder.path().join("logs/outbox/0");
    wait::until("report in the outbox", LIMIT, || {
        let mut files = fs::read_dir(&slot).ok()?.flatten();
        files.find(|file| file.file_name().to_string_lossy().ends_with(".parcel"))
    });
    // By SIGKILL.
    drop(running);

    let (told, ended) = next(&folder);
    let [report] = &told[..] else {
        panic!("{told:#?} of {ended}")
    };
    assert!(report.contains("no model answers"), "{report}");
    assert!(report.contains("subject::fail"), "{report}");
    let (told, ended) = next(&folder);
    assert!(told.is_empty(), "{told:#?} of {ended}");
}
