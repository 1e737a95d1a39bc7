//! Events against Sentry's own Relay.

use llm_observe_test_support::peers;

use super::{sizes::all_kinds, *};

/// Asks Sentry's own Relay; skipped where Python or its package is missing.
fn relay_complains(envelope: &[u8]) -> Option<String> {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    let python = peers::python("sentry_relay", "sentry-relay")?;
    let mut child = Command::new(&python)
        .arg(peers::SENTRY_RELAY_CHECK)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(envelope).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints: Vec<_> = said.lines().filter(|l| !l.starts_with("event ")).collect();
    let failed = !output.status.success() && complaints.is_empty();
    assert!(!failed, "it read no event");
    Some(complaints.join("\n"))
}

/// One envelope with the events of many.
fn all_in_one(reports: &[Report]) -> Vec<u8> {
    let mut all = b"{}\n".to_vec();
    for report in reports {
        let one = encode(report, &origin());
        let items = one.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        all.extend_from_slice(&one[items..]);
    }
    all
}

#[test]
fn relay_finds_nothing_invalid_in_an_event() {
    let frame = Frame {
        function: "rag::query".into(),
        file: "src/lib.rs".into(),
        line: 7,
        column: 3,
    };
    let failed = report("refused");
    let panicked = Report {
        outcome: Outcome::Panic,
        frames: vec![frame],
        ..report("index out of bounds")
    };
    let said = relay_complains(&all_in_one(&[failed, panicked]));
    assert_eq!(said.unwrap_or_default(), "");
}

#[test]
fn relay_trims_nothing_in_a_cut_report() {
    let said = relay_complains(&all_in_one(&all_kinds()));
    assert_eq!(said.unwrap_or_default(), "");
}
