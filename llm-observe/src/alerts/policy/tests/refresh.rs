//! Channels that forget alerts which are not sent again.

use super::*;

#[test]
fn a_channel_with_a_refresh_interval_is_refreshed_until_the_incident_is_over() {
    let forgetful = ChannelLimit {
        per_minute: 1,
        digests: false,
        refresh: Some(MINUTE),
    };
    let mut policy = IncidentPolicy::new(timing(), [("ops".to_owned(), forgetful)].into());
    fail(&mut policy, START);
    let sent: Vec<_> = run(&mut policy, START + 60 * MINUTE)
        .iter()
        .map(|m| m.1)
        .collect();
    let mut wanted = vec![NoticeStatus::Firing];
    wanted.extend([NoticeStatus::StillFiring; 4]);
    wanted.push(NoticeStatus::Resolved);
    assert_eq!(sent, wanted);
}

#[test]
fn a_channel_with_a_refresh_interval_takes_incidents_of_the_same_labels_for_one() {
    let forgetful = ChannelLimit {
        per_minute: 1,
        digests: false,
        refresh: Some(MINUTE),
    };
    let mut policy = IncidentPolicy::new(timing(), [("ops".to_owned(), forgetful)].into());
    fail(&mut policy, START);
    policy.due(START + 2 * SECOND);
    let other = occurrence(START + 60 * SECOND, "no route", ErrorClass::Connection);
    policy.add("query", "rag::query", &route(&["ops"]), &other);
    let sent = run(&mut policy, START + 60 * MINUTE);
    let resolved: Vec<_> = sent
        .iter()
        .filter(|m| m.1 == NoticeStatus::Resolved)
        .collect();
    assert_eq!(
        resolved,
        [&(START + 6 * MINUTE, NoticeStatus::Resolved, 1)],
        "the last to end"
    );
}
