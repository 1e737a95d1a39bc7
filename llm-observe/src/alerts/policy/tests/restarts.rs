//! What outlives the process.

use super::*;

/// Returns `next` with what `policy` leaves in its file.
pub(super) fn restarted(
    policy: &IncidentPolicy,
    mut next: IncidentPolicy,
    now: u64,
) -> IncidentPolicy {
    let saved = serde_json::to_string(&policy.saved()).unwrap();
    next.restore(serde_json::from_str(&saved).unwrap(), now, |_| false);
    next
}

#[test]
fn an_incident_survives_a_restart_and_is_not_sent_again() {
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
        [(START + 7 * MINUTE, NoticeStatus::Resolved, 2)]
    );
}

#[test]
fn a_risen_severity_is_sent_at_once() {
    let mut policy = policy();
    fail(&mut policy, START);
    assert_eq!(policy.due(START + 2 * SECOND).len(), 1);
    // As after a restart with another severity in the event's table.
    let mut next = restarted(&policy, self::policy(), START + 3 * SECOND);
    let critical = AlertRoute {
        severity: Severity::Critical,
        ..route(&["ops"])
    };
    let occurrence = occurrence(START + 4 * SECOND, "boom", ErrorClass::Internal);
    next.add("query", "rag::query", &critical, &occurrence);
    let due = next.due(START + 4 * SECOND);
    assert_eq!(statuses(&due), [("ops", NoticeStatus::StillFiring, 2)]);
    let notice = &due[0].1;
    let risen = (notice.severity, notice.risen_from);
    assert_eq!(risen, (Severity::Critical, Some(Severity::Error)));
    assert!(next.due(START + 5 * SECOND).is_empty(), "and once");
}

#[test]
fn after_a_kill_while_the_group_is_open_the_next_process_sends_the_alert() {
    let mut policy = policy();
    fail(&mut policy, START);
    assert!(policy.due(START).is_empty() && policy.take_changed());
    let mut next = restarted(&policy, self::policy(), START + MINUTE);
    let due = next.due(START + MINUTE);
    assert_eq!(statuses(&due), [("ops", NoticeStatus::Firing, 1)]);
    let error = &due[0].1.errors[0];
    let said = (error.message.as_str(), error.class, error.count);
    assert_eq!(said, ("boom", Some(ErrorClass::Internal), 1));

    // Killed between the message and the note that it was sent.
    let mut next = self::policy();
    next.restore(policy.saved(), START + MINUTE, |key| {
        key.starts_with("query/")
    });
    assert!(next.due(START + MINUTE).is_empty());
}

#[test]
fn suppressed_alerts_survive_a_restart() {
    let mut policy = with(timing(), 1);
    for event in ["a", "b", "c"] {
        policy.add(
            event,
            "f",
            &route(&["ops"]),
            &occurrence(START, "boom", ErrorClass::Other),
        );
    }
    assert_eq!(policy.due(START + 2 * SECOND).len(), 1);
    let mut next = restarted(&policy, with(timing(), 1), START + 3 * SECOND);
    assert!(
        next.due(START + 3 * SECOND).is_empty(),
        "its minute goes on"
    );
    let due = next.due(START + 62 * SECOND);
    assert_eq!(due[0].1.status, NoticeStatus::Digest);
    let named: Vec<_> = due[0]
        .1
        .suppressed
        .iter()
        .map(|held| held.event.as_str())
        .collect();
    assert_eq!(named, ["b", "c"]);
}

/// A file of the releases before the state had a version.
const UNVERSIONED: &str = r#"{"incidents":[{"key":"query/rag::query/error/internal/1795392000000000",
"event":"query","channels":["ops"],"members":[{"event":"query","function":"rag::query",
"trigger":"error","class":"internal","channels":["ops"]}],"functions":["rag::query"],
"trigger":"error","severity":"error","count":3,"first":1795392000000000,"last":1795392001000000,
"trace":"4bf92f3577b34da6a3ce929d0e0e4736","session":"https://app.logrocket.com/a/b/s/1",
"due":1795392002000000,"told":1795392002000000,"said":"error","errors":[{"function":"rag::query",
"trigger":"error","type_name":"Boom","message":"boom","class":"internal","count":3}],"more":0}],
"channels":{"ops":{"sent":[1795392002000000],"held":[{"event":"embedding","status":"firing",
"severity":"warning","count":2}]}}}"#;

#[test]
fn a_state_without_a_version_is_restored() {
    let mut policy = policy();
    let saved = serde_json::from_str(UNVERSIONED).unwrap();
    policy.restore(saved, START + 3 * SECOND, |_| false);
    fail(&mut policy, START + 4 * SECOND);
    let digest = policy.due(START + 5 * SECOND);
    assert_eq!(statuses(&digest), [("ops", NoticeStatus::Digest, 0)]);
    let suppressed = &digest[0].1.suppressed[0];
    assert_eq!(
        (
            suppressed.event.as_str(),
            suppressed.status,
            suppressed.count
        ),
        ("embedding", NoticeStatus::Firing, 2)
    );
    let due = policy.due(START + 4 * SECOND + 5 * MINUTE);
    assert_eq!(statuses(&due), [("ops", NoticeStatus::Resolved, 4)]);
    let notice = &due[0].1;
    assert_eq!(notice.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(notice.errors[0].count, 4);
    assert!(notice.session_url.is_some());
}

#[test]
fn a_saved_state_keeps_its_keys() {
    let mut policy = policy();
    fail(&mut policy, START);
    policy.due(START + 2 * SECOND);
    let saved = serde_json::to_value(policy.saved()).unwrap();
    let old: serde_json::Value = serde_json::from_str(UNVERSIONED).unwrap();
    assert_eq!(saved["version"], 1);
    for key in old["incidents"][0].as_object().unwrap().keys() {
        assert!(saved["incidents"][0].get(key).is_some(), "no {key}");
    }
}
