//! What happens when something about a start is wrong, seen from outside: the message names the
//! place and the remedy, the status is 1, and annotated functions give what they give without us.

use std::{fs, net::TcpListener};

use llm_observe_tests::{
    folder::Folder,
    program::{Ended, observed, run},
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");

/// What the two calls say, observed or not.
const RESULTS: [&str; 2] = [
    "work Ok(8)",
    r#"fail Err(Custom { kind: ConnectionRefused, error: "no model answers \"why\"" })"#,
];

/// Runs the subject with a configuration.
fn start(folder: &Folder, config: &str, steps: &[&str]) -> Ended {
    run(observed(SUBJECT, folder, config).args(steps))
}

/// Asserts that `init!()` fails with these words, and that a program which goes on without an
/// observer is unharmed.
fn refused(folder: &Folder, config: &str, words: &[&str]) {
    let ended = start(folder, config, &["init", "work"]);
    assert_eq!(ended.status.code(), Some(1), "{ended}");
    assert!(ended.stderr.starts_with("Error: "), "{ended}");
    assert_eq!(ended.stdout, "", "{ended}");
    for word in words {
        assert!(ended.stderr.contains(word), "no {word:?} in {ended}");
    }
    let ended = start(folder, config, &["try_init", "work", "fail", "panic"]);
    assert!(ended.status.success(), "{ended}");
    unharmed(&ended);
    assert!(ended.stdout.contains("\npanic true\n"), "{ended}");
}

/// Asserts that the annotated functions gave what they give.
fn unharmed(ended: &Ended) {
    for result in RESULTS {
        let lines = || ended.stdout.lines();
        assert!(lines().any(|line| line == result), "no {result} in {ended}");
    }
}

/// Returns how many calls of an event with an outcome the subject printed.
fn counted(ended: &Ended, event: &str, outcome: &str) -> Option<u64> {
    let event = format!("event=\"{event}\"");
    let outcome = format!("outcome=\"{outcome}\"");
    let line = ended.stdout.lines().find(|line| {
        line.starts_with("llm_observe_calls_total{")
            && line.contains(&event)
            && line.contains(&outcome)
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

/// No fixed port, nothing on standard error.
const QUIET: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nconsole = \"never\"\n";

/// As [`QUIET`], and what cannot start is an error.
const STRICT: &str = "[service]\non_failure = \"exit\"\n[server]\nlisten = \"127.0.0.1:0\"\n[log]\n\
                      console = \"never\"\n";

#[test]
fn a_good_start_says_nothing() {
    let folder = Folder::new();
    let ended = start(&folder, QUIET, &["init", "work", "fail", "metrics"]);
    assert!(ended.status.success(), "{ended}");
    assert_eq!(ended.stderr, "", "{ended}");
    unharmed(&ended);
    assert_eq!(counted(&ended, "work", "ok"), Some(1), "{ended}");
    assert_eq!(counted(&ended, "failing", "error"), Some(1), "{ended}");
    assert_eq!(folder.read("logs/app.log").lines().count(), 2);
}

#[test]
fn what_is_configured_and_has_no_effect_is_said() {
    let folder = Folder::new();
    let config = format!("{QUIET}[traces]\nsample = 0.5\n[alerts]\nrepeat = \"1h\"\n");
    let ended = start(&folder, &config, &["init", "work", "fail"]);
    assert!(ended.status.success(), "{ended}");
    let said: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(
        said,
        [
            "llm-observe: [traces] has no effect: this version exports no traces",
            "llm-observe: [alerts] has no effect: there is no channel",
        ]
    );
    unharmed(&ended);
}

#[test]
fn a_typo_is_shown_with_file_line_and_column() {
    let folder = Folder::new();
    let place = format!("{}:3:1", folder.path().join("config.toml").display());
    let config = "[log]\nconsole = \"never\"\nfromat = \"json\"\n";
    refused(&folder, config, &[&place, "fromat", "format"]);
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let folder = Folder::new();
    let config = "[log]\nmax_bytes = \"ten\"\n[server]\nlisten = \"localhost\"\n[lgo]\n";
    refused(&folder, config, &[":2:13", ":4:10", ":5:2", "lgo", "log"]);
}

#[test]
fn what_is_no_toml_is_shown_where_it_breaks() {
    let folder = Folder::new();
    refused(&folder, "[log]\ndir = logs\n", &["config.toml:2:"]);
}

#[test]
fn a_logger_of_an_unknown_event_is_refused_with_the_name_that_was_meant() {
    let folder = Folder::new();
    let config = "[events.embedding]\n[loggers.e]\nfile = \"e.log\"\nevents = [\"embeding\"]\n";
    let words = [":4:11", "embeding", "`embedding`"];
    refused(&folder, config, &words);
}

#[test]
fn a_literal_secret_is_refused_and_not_shown() {
    let folder = Folder::new();
    let config =
        "[channels.ops]\nkind = \"slack\"\nwebhook = \"https://hooks.example.org/T0/B0/XyZZy\"\n";
    refused(&folder, config, &[":3:11", "env:NAME", "file:PATH"]);
    let ended = start(&folder, config, &["init"]);
    assert!(!ended.stderr.contains("XyZZy"), "{ended}");
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let folder = Folder::new();
    let missing = folder.path().join("nowhere.toml");
    let mut command = observed(SUBJECT, &folder, "");
    let ended = run(command
        .env("LLM_OBSERVE_CONFIG", &missing)
        .args(["init", "work"]));
    assert_eq!(ended.status.code(), Some(1), "{ended}");
    assert!(ended.stderr.contains("nowhere.toml"), "{ended}");
}

#[test]
fn a_file_in_the_way_of_the_log_folder_is_named() {
    let folder = Folder::new();
    folder.write("logs", "a file");
    refused(
        &folder,
        STRICT,
        &["cannot open the log file", "logs/app.log"],
    );
}

#[test]
fn a_folder_in_the_way_of_the_log_file_is_named() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("logs/app.log")).unwrap();
    refused(
        &folder,
        STRICT,
        &["cannot open the log file", "logs/app.log"],
    );
}

/// Nobody can make a folder in `/proc`, not even root, whom permissions do not bind.
#[cfg(target_os = "linux")]
#[test]
fn an_unwritable_log_folder_is_named() {
    let folder = Folder::new();
    let config = format!("{STRICT}dir = \"/proc/llm-observe\"\n");
    refused(&folder, &config, &["/proc/llm-observe"]);
}

#[test]
fn a_port_in_use_is_named_with_the_key_to_change() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = format!("[service]\non_failure = \"exit\"\n[server]\nlisten = \"{address}\"\n");
    let words = [&address.to_string(), "[server] listen", "in use"];
    refused(&folder, &config, &words);
}

#[test]
fn without_a_server_a_port_in_use_does_not_matter() {
    let folder = Folder::new();
    let ended = start(&folder, "[server]\nlisten = \"off\"\n", &["init", "work"]);
    assert!(ended.status.success(), "{ended}");
}

#[test]
fn a_second_start_is_an_error_and_the_first_goes_on() {
    let folder = Folder::new();
    let steps = ["init", "work", "try_init", "work", "fail", "metrics"];
    let ended = start(&folder, QUIET, &steps);
    assert!(ended.status.success(), "{ended}");
    assert!(
        ended.stdout.contains("try_init this program has"),
        "{ended}"
    );
    assert!(ended.stdout.contains("once"), "{ended}");
    unharmed(&ended);
    assert_eq!(counted(&ended, "work", "ok"), Some(2), "{ended}");
    assert_eq!(folder.read("logs/app.log").lines().count(), 3);
}

#[test]
fn calls_before_the_start_and_after_the_end_run_as_if_not_annotated() {
    let folder = Folder::new();
    let steps = [
        "work", "fail", "panic", "init", "work", "fail", "metrics", "drop", "work", "fail", "panic",
    ];
    let ended = start(&folder, QUIET, &steps);
    assert!(ended.status.success(), "{ended}");
    let said = |line| ended.stdout.lines().filter(|l| *l == line).count();
    assert_eq!(RESULTS.map(said), [3, 3], "{ended}");
    assert_eq!(said("panic true"), 2, "{ended}");
    assert_eq!(counted(&ended, "work", "ok"), Some(1), "{ended}");
    assert_eq!(counted(&ended, "panicking", "panic"), Some(0), "{ended}");
    assert_eq!(folder.read("logs/app.log").lines().count(), 2);
}

#[test]
fn a_variable_that_is_not_understood_is_said_and_does_not_stop_the_start() {
    let folder = Folder::new();
    let ended = run(observed(SUBJECT, &folder, QUIET)
        .env("RUST_LOG", "work=loud")
        .args(["init", "work", "fail"]));
    assert!(ended.status.success(), "{ended}");
    assert!(ended.stderr.contains("RUST_LOG"), "{ended}");
    unharmed(&ended);
}
