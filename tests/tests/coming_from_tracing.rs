//! The service of `docs/coming_from_tracing.md`, before and after, and the page's difference between them.

use std::{env, fs, path::PathBuf, process::Command};

use llm_observe_tests::{
    folder::Folder,
    http::get,
    listener::{Listener, Reply},
    program::{Ended, Running, observed},
};

const BEFORE: &str = include_str!("../examples/coming_from_tracing_before.rs");
const AFTER: &str = include_str!("../examples/coming_from_tracing_after.rs");
const PAGE: &str = include_str!("../../docs/coming_from_tracing.md");

/// What both ask themselves, of which the second fails.
const QUESTIONS: [(&str, u16); 2] = [("/ask/bread", 200), ("/ask/wine", 500)];

/// Runs one of the two, asks it, and returns its metrics.
fn served(name: &str, folder: &Folder, config: &str, dsn: &str) -> (String, Ended) {
    let mut command = observed(example(name).to_str().unwrap(), folder, config);
    let mut service = Running::start(command.env("SENTRY_DSN", dsn));
    let address = service.listening();
    for (path, status) in QUESTIONS {
        assert_eq!(get(address, path).unwrap().status, status);
    }
    let metrics = get(address, "/metrics").unwrap().body;
    let ended = service.end();
    assert!(ended.status.success(), "{ended}");
    (metrics, ended)
}

/// Builds an example of this package. A run of this file alone does not.
fn example(name: &str) -> PathBuf {
    let release = (!cfg!(debug_assertions)).then_some("--release");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--example", name])
        .args(release)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo runs");
    assert!(built.success(), "{name} does not build");
    // This test is <profile>/deps/<name>, the example <profile>/examples/<name>.
    let test = env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().join("examples");
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    folder.join(name)
}

#[test]
fn the_service_before_serves_logs_and_counts() {
    let folder = Folder::new();
    let (metrics, ended) = served("coming_from_tracing_before", &folder, "", "");
    for outcome in ["ok", "error"] {
        let counted = format!("answers_total{{outcome=\"{outcome}\"}} 1");
        assert!(metrics.contains(&counted), "{metrics}");
    }
    let logs = fs::read_dir(folder.path().join("logs")).unwrap();
    let logs: String = logs
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for line in ["searching", "the documents do not answer this"] {
        assert!(logs.contains(line), "no {line} in {logs} of {ended}");
    }
}

#[test]
fn the_service_after_serves_logs_counts_and_reports() {
    let folder = Folder::new();
    let config = "[log]\nconsole = \"never\"\n[server]\nlisten = \"off\"\n";
    let sentry = Listener::start(Reply::status(200, "{}"));
    let dsn = format!("http://public@{}/42", sentry.address());
    let (metrics, ended) = served("coming_from_tracing_after", &folder, config, &dsn);
    assert_eq!(ended.stderr, "");
    for (event, outcome) in [("answer", "ok"), ("answer", "error"), ("retrieve", "error")] {
        let counted = metrics.lines().find(|line| {
            line.starts_with("llm_observe_calls_total{")
                && line.contains(&format!("event=\"{event}\""))
                && line.contains(&format!("outcome=\"{outcome}\""))
        });
        assert!(
            counted.is_some_and(|line| line.ends_with(" 1")),
            "{metrics}"
        );
    }
    let log = folder.read("logs/app.log");
    for line in [
        "searching",
        "answer ok in",
        "answer error in",
        "the documents do not answer this",
        "GET /ask/bread 200 in",
        "GET /ask/wine 500 in",
        "route=/ask/{question}",
    ] {
        assert!(log.contains(line), "no {line} in {log}");
    }
    let reports = sentry.requests();
    assert_eq!(
        reports.len(),
        1,
        "one failure, though it passed two functions"
    );
}

#[test]
fn the_difference_in_the_page_is_that_of_the_two_programs() {
    let block = PAGE.split("```diff\n").nth(1).expect("a block");
    let block = block.split("```").next().unwrap();
    let (mut before, mut after) = (BEFORE.lines().skip(1), AFTER.lines().skip(1));
    for hunk in block.split("@@\n").filter(|hunk| !hunk.is_empty()) {
        let of = |other: char| {
            let lines = hunk.lines().filter(move |line| !line.starts_with(other));
            lines
                .map(|line| line.get(1..).unwrap_or(""))
                .collect::<Vec<_>>()
        };
        let (old, new) = (of('+'), of('-'));
        // What is left out before a hunk is the same in both.
        while !(before.clone().take(old.len()).eq(old.iter().copied())
            && after.clone().take(new.len()).eq(new.iter().copied()))
        {
            let line = before.next();
            assert!(line.is_some(), "not found:\n{hunk}");
            assert_eq!(line, after.next(), "before the hunk:\n{hunk}");
        }
        before.by_ref().take(old.len()).for_each(drop);
        after.by_ref().take(new.len()).for_each(drop);
    }
    assert!(before.eq(after), "the end of both is the same");
}
