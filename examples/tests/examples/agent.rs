//! The example `agent` from outside: its own checks, and the lines of its operations.

use std::fs;

use crate::support::{Folder, printed};

fn lines<'a>(log: &'a str, start: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains(start)).collect()
}

#[test]
fn it_checks_itself_and_each_operation_has_its_line() {
    let folder = Folder::new();
    let mut command = folder.command("agent");
    let output = command.arg("--once").output().expect("the example runs");
    assert!(output.status.success(), "{}", printed(&output));
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("A: The tool says: 391"), "{out}");
    assert!(
        out.contains("A: The tool says: failed: division by zero"),
        "{out}"
    );
    let log = folder.log("app.log");
    assert_eq!(lines(&log, "agent ok in ").len(), 3, "{log}");
    assert_eq!(lines(&log, "tool ok in ").len(), 2, "{log}");
    for line in lines(&log, "chat ok in ") {
        assert!(line.contains("model=three-rules in="), "{line}");
    }
    // A model's mistake is expected: it is counted, and wakes nobody.
    let failed = lines(&log, "tool error in ");
    assert_eq!(failed.len(), 1, "{log}");
    assert!(failed[0].contains(" - INFO - "), "{log}");
    let refused = lines(&log, "chat error in ");
    assert!(
        refused
            .iter()
            .all(|line| line.contains("error.class=rate_limit")),
        "{log}"
    );
    // All of one question is one trace.
    let trace = |line: &str| line.rsplit_once("trace_id=").map(|(_, id)| id.to_owned());
    let agents: Vec<_> = lines(&log, "agent ok in ").into_iter().map(trace).collect();
    let tool = trace(failed[0]);
    assert_eq!(agents.iter().filter(|id| **id == tool).count(), 1, "{log}");
}

/// Of the agent's event, in all that it has asked so far.
#[test]
fn a_budget_that_is_used_up_ends_it() {
    let folder = Folder::new();
    let config = folder.path().join("config.toml");
    let text = fs::read_to_string(&config).expect("it was written");
    let small = text.replace("usd = 5.0", "usd = 0.0001");
    fs::write(config, small).expect("the folder is writable");
    let mut command = folder.command("agent");
    let output = command.arg("--once").output().expect("the example runs");
    assert!(!output.status.success(), "{}", printed(&output));
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(out.matches("\nA: ").count(), 1, "{out}");
    let log = folder.log("app.log");
    let refused = lines(&log, "agent error in ");
    assert_eq!(refused.len(), 1, "{log}");
    assert!(refused[0].contains("error.class=budget_exceeded"), "{log}");
}

#[test]
fn a_question_of_ones_own_is_answered() {
    let folder = Folder::new();
    let mut command = folder.command("agent");
    let command = command.args(["what", "is", "6", "*", "7"]);
    let output = command.output().expect("the example runs");
    assert!(output.status.success(), "{}", printed(&output));
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("The tool says: 42"), "{out}");
}
