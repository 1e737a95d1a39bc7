//! What outlives the process.

use super::*;

/// Returns `next` with what `policy` leaves in its file.
pub(super) fn restarted(policy: &Policy, mut next: Policy, now: u64) -> Policy {
    let saved = serde_json::to_string(&policy.saved()).unwrap();
    next.take_up(serde_json::from_str(&saved).unwrap(), now, |_| false);
    next
}

#[test]
fn what_was_told_outlives_the_process_and_is_not_told_again() {
    let mut policy = policy();
    fail(&mut policy, START);
    assert_eq!(policy.due(START + 2 * SECOND).len(), 1);
    let mut next = restarted(&policy, self::policy(), START + MINUTE);
    fail(&mut next, START + 2 * MINUTE);
    assert!(
        next.due(START + 3 * MINUTE).is_empty(),
        "no second message of the same incident"
    );
    assert_eq!(
        run(&mut next, START + 60 * MINUTE),
        [(START + 7 * MINUTE, Status::Resolved, 2)]
    );
}

#[test]
fn what_becomes_worse_is_told_at_once() {
    let mut policy = policy();
    fail(&mut policy, START);
    assert_eq!(policy.due(START + 2 * SECOND).len(), 1);
    // As after a restart with another severity in the event's table.
    let mut next = restarted(&policy, self::policy(), START + 3 * SECOND);
    let critical = Route {
        severity: Severity::Critical,
        ..route(&["ops"])
    };
    let seen = seen(START + 4 * SECOND, "boom", ErrorClass::Internal);
    next.see("query", "rag::query", &critical, &seen);
    let due = next.due(START + 4 * SECOND);
    assert_eq!(statuses(&due), [("ops", Status::StillFiring, 2)]);
    let notice = &due[0].1;
    let risen = (notice.severity, notice.risen_from);
    assert_eq!(risen, (Severity::Critical, Some(Severity::Error)));
    assert!(next.due(START + 5 * SECOND).is_empty(), "and once");
}

#[test]
fn a_process_that_is_killed_while_the_group_waits_leaves_the_alert_to_the_next() {
    let mut policy = policy();
    fail(&mut policy, START);
    assert!(policy.due(START).is_empty() && policy.take_changed());
    let mut next = restarted(&policy, self::policy(), START + MINUTE);
    let due = next.due(START + MINUTE);
    assert_eq!(statuses(&due), [("ops", Status::Firing, 1)]);
    let error = &due[0].1.errors[0];
    let said = (error.message.as_str(), error.class, error.count);
    assert_eq!(said, ("boom", Some(ErrorClass::Internal), 1));

    // Killed between the message and the note that it was sent.
    let mut next = self::policy();
    next.take_up(policy.saved(), START + MINUTE, |key| {
        key.starts_with("query/")
    });
    assert!(next.due(START + MINUTE).is_empty());
}

#[test]
fn what_a_digest_was_to_name_outlives_the_process() {
    let mut policy = with(timing(), 1);
    for event in ["a", "b", "c"] {
        policy.see(
            event,
            "f",
            &route(&["ops"]),
            &seen(START, "boom", ErrorClass::Other),
        );
    }
    assert_eq!(policy.due(START + 2 * SECOND).len(), 1);
    let mut next = restarted(&policy, with(timing(), 1), START + 3 * SECOND);
    assert!(
        next.due(START + 3 * SECOND).is_empty(),
        "its minute goes on"
    );
    let due = next.due(START + 62 * SECOND);
    assert_eq!(due[0].1.status, Status::Digest);
    let named: Vec<_> = due[0]
        .1
        .held
        .iter()
        .map(|held| held.event.as_str())
        .collect();
    assert_eq!(named, ["b", "c"]);
}
