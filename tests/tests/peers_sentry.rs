//! What goes to Sentry, caught on its way, and judged by Sentry's own relay.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
    peers,
    program::{observed, run},
};
use serde_json::Value;

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nconsole = \"never\"\n\
                      [service]\nname = \"rag\"\nenvironment = \"staging\"\nrelease = \"1.4.2\"\n";

/// Runs the subject with these steps and returns the bodies of what it sent.
fn envelopes(steps: &[&str]) -> Vec<Vec<u8>> {
    let sentry = Listener::start(Reply::status(200, "{}"));
    let folder = Folder::new();
    let dsn = format!("http://public@{}/42", sentry.address());
    let ended = run(observed(SUBJECT, &folder, CONFIG)
        .env("SENTRY_DSN", dsn)
        .arg("init")
        .args(steps)
        .arg("flush"));
    assert!(ended.status.success(), "{ended}");
    let requests = sentry.requests();
    assert!(!requests.is_empty(), "nothing sent: {ended}");
    for request in &requests {
        assert_eq!(request.line, "POST /api/42/envelope/ HTTP/1.1");
    }
    requests.into_iter().map(|request| request.body).collect()
}

/// Returns whether the relay accepts an envelope as it is, and what it says.
fn check(python: &Path, envelope: &[u8]) -> (bool, String) {
    let mut child = Command::new(python)
        .arg(peers::SENTRY_RELAY_CHECK)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(envelope).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

#[test]
fn the_relay_finds_no_invalid_attribute() {
    let Some(python) = peers::python("sentry_relay", "sentry-relay") else {
        return;
    };
    let mut events = Vec::new();
    for envelope in envelopes(&["fail", "panic"]) {
        let (ok, said) = check(&python, &envelope);
        assert!(ok, "{said}");
        let json = said.lines().filter_map(|line| line.strip_prefix("event "));
        events.extend(json.map(|json| serde_json::from_str::<Value>(json).unwrap()));
    }
    assert_eq!(events.len(), 2, "{events:#?}");
    let of = |event: &str| {
        let found = events.iter().find(|e| e["tags"]["event"] == event);
        found.unwrap_or_else(|| panic!("no {event} in {events:#?}"))
    };
    let failed = of("failing");
    assert_eq!(failed["tags"]["function"], "subject::fail");
    assert_eq!(failed["environment"], "staging");
    let release = failed["release"].as_str().unwrap_or_default();
    assert!(release.contains("1.4.2"), "{failed:#}");
    assert!(failed["server_name"].is_string(), "{failed:#}");
    assert!(
        failed["contexts"]["trace"]["trace_id"].is_string(),
        "{failed:#}"
    );
    assert!(failed["fingerprint"].is_array(), "{failed:#}");
    let exceptions = failed["exception"]["values"].as_array().unwrap();
    let value = exceptions.last().unwrap()["value"].as_str().unwrap();
    assert!(value.contains("no model answers"), "{failed:#}");
    let panicked = of("panicking").to_string();
    assert!(panicked.contains("the model is gone"), "{panicked}");
}

/// Shows that the check above can fail.
#[test]
fn the_relay_finds_a_level_that_there_is_not() {
    let Some(python) = peers::python("sentry_relay", "sentry-relay") else {
        return;
    };
    let event = r#"{"level":"very bad","message":"m"}"#;
    let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
    let (ok, said) = check(&python, envelope.as_bytes());
    assert!(!ok && said.contains("invalid .level"), "{said}");
}
