use std::time::Duration;

use jiff::tz::TimeZone;

mod properties;
mod restarts;

use super::*;
use crate::{alerts::Trigger, kernel::ids::TraceId};

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
/// 2026-11-23, midnight UTC.
const START: u64 = 1_795_392_000 * SECOND;

fn timing() -> Timing {
    Timing::new(&config::Alerts::default()).unwrap()
}

fn policy() -> Policy {
    with(timing(), 20)
}

fn with(timing: Timing, per_minute: usize) -> Policy {
    let limit = Limit {
        per_minute,
        digests: true,
        refresh: None,
    };
    Policy::new(
        timing,
        ["ops", "page"].map(|name| (name.to_owned(), limit)).into(),
    )
}

fn route(channels: &[&str]) -> Route {
    Route {
        channels: channels.iter().map(|&c| c.to_owned()).collect(),
        severity: Severity::Error,
        after: 1,
        within: Duration::from_secs(60),
    }
}

fn seen(time: u64, message: &str, class: ErrorClass) -> Seen {
    let sample = Sample {
        type_name: "Boom".into(),
        message: message.into(),
        class: Some(class),
    };
    Seen::at(time, Trigger::Error, TraceId::random(), sample)
}

fn fail(policy: &mut Policy, time: u64) {
    policy.see(
        "query",
        "rag::query",
        &route(&["ops"]),
        &seen(time, "boom", ErrorClass::Internal),
    );
}

fn statuses(due: &[(String, Notice)]) -> Vec<(&str, Status, u64)> {
    due.iter()
        .map(|(channel, notice)| (channel.as_str(), notice.status, notice.count))
        .collect()
}

/// Asks the policy whenever it wants to be asked, up to `until`.
fn run(policy: &mut Policy, until: u64) -> Vec<(u64, Status, u64)> {
    let mut out = Vec::new();
    while let Some(at) = policy.wake().filter(|at| *at <= until) {
        let due = policy.due(at);
        assert!(
            !due.is_empty() || policy.wake() != Some(at),
            "it asks to be woken in vain at {at}"
        );
        out.extend(due.iter().map(|(_, n)| (at, n.status, n.count)));
    }
    out
}

#[test]
fn a_burst_is_one_message_then_one_that_it_is_over() {
    let mut policy = policy();
    for n in 0..500 {
        fail(&mut policy, START + n * 10_000);
        let due = policy.due(START + n * 10_000);
        match due.as_slice() {
            [] => {}
            [(_, notice)] => assert_eq!((n, notice.count), (200, 201), "after the group's wait"),
            more => panic!("{more:?}"),
        }
    }
    let last = START + 4_990_000;
    assert_eq!(
        run(&mut policy, START + 3600 * SECOND),
        [(last + 5 * MINUTE, Status::Resolved, 500)]
    );
    assert_eq!(policy.wake(), None, "nothing is left");
}

#[test]
fn what_goes_on_is_repeated_and_only_then() {
    let mut policy = policy();
    for minute in 0..600 {
        fail(&mut policy, START + minute * MINUTE);
        let due = policy.due(START + minute * MINUTE + 30 * SECOND);
        let wanted = match minute {
            0 => vec![("ops", Status::Firing, 1)],
            240 | 480 => vec![("ops", Status::StillFiring, minute + 1)],
            _ => vec![],
        };
        assert_eq!(statuses(&due), wanted, "minute {minute}");
    }
}

#[test]
fn a_group_has_the_different_errors_of_one_event_and_other_events_their_own() {
    let mut policy = policy();
    let ops = route(&["ops"]);
    policy.see(
        "query",
        "rag::query",
        &ops,
        &seen(START, "boom", ErrorClass::Internal),
    );
    policy.see(
        "query",
        "rag::search",
        &ops,
        &seen(START + 1, "no route", ErrorClass::Connection),
    );
    policy.see(
        "query",
        "rag::query",
        &ops,
        &seen(START + 2, "boom", ErrorClass::Internal),
    );
    policy.see(
        "embedding",
        "rag::embed",
        &ops,
        &seen(START + 3, "boom", ErrorClass::Internal),
    );
    let due = policy.due(START + 3 * SECOND);
    assert_eq!(
        statuses(&due),
        [("ops", Status::Firing, 3), ("ops", Status::Firing, 1)]
    );
    let notice = &due[0].1;
    assert_eq!(notice.functions, ["rag::query", "rag::search"]);
    let errors: Vec<_> = notice
        .errors
        .iter()
        .map(|e| (e.message.as_str(), e.count))
        .collect();
    assert_eq!(errors, [("boom", 2), ("no route", 1)]);
    // A new kind of failure later on is news.
    policy.see(
        "query",
        "rag::query",
        &ops,
        &seen(
            START + 9 * SECOND,
            "key revoked",
            ErrorClass::Authentication,
        ),
    );
    assert_eq!(
        statuses(&policy.due(START + 12 * SECOND)),
        [("ops", Status::Firing, 1)]
    );
}

#[test]
fn a_threshold_is_so_many_within_the_window() {
    let mut policy = policy();
    let three = Route {
        after: 3,
        ..route(&["ops"])
    };
    let mut at = |seconds: u64| {
        policy.see(
            "query",
            "f",
            &three,
            &seen(START + seconds * SECOND, "boom", ErrorClass::Other),
        );
        !policy.due(START + (seconds + 2) * SECOND).is_empty()
    };
    assert!(!at(0) && !at(50) && !at(70), "three in 70 s");
    assert!(at(100), "50, 70 and 100 are within 60 s");
}

#[test]
fn a_merged_burst_reaches_a_threshold_at_once() {
    let mut policy = policy();
    let mut many = seen(START, "boom", ErrorClass::Other);
    many.count = 100;
    policy.see(
        "query",
        "f",
        &Route {
            after: 50,
            ..route(&["ops"])
        },
        &many,
    );
    assert_eq!(
        statuses(&policy.due(START + 2 * SECOND)),
        [("ops", Status::Firing, 100)]
    );
}

#[test]
fn a_stalled_call_fires_while_it_hangs_and_resolves_when_it_ends() {
    let mut policy = policy();
    let stalled = |time: u64, open: i64| {
        let sample = Sample::plain("still running after 10 s".into());
        Seen {
            open,
            ..Seen::at(time, Trigger::Stalled, TraceId::default(), sample)
        }
    };
    let ops = route(&["ops"]);
    policy.see("query", "f", &ops, &stalled(START, 1));
    policy.see("query", "f", &ops, &stalled(START + 1, 1));
    assert_eq!(
        statuses(&policy.due(START + 2 * SECOND)),
        [("ops", Status::Firing, 2)]
    );
    assert_eq!(
        run(&mut policy, START + 60 * MINUTE),
        [],
        "however long it hangs"
    );
    policy.see("query", "f", &ops, &stalled(START + 61 * MINUTE, -1));
    assert!(
        policy.due(START + 61 * MINUTE).is_empty(),
        "one of two still hangs"
    );
    policy.see("query", "f", &ops, &stalled(START + 62 * MINUTE, -1));
    let due = policy.due(START + 62 * MINUTE);
    assert_eq!(statuses(&due), [("ops", Status::Resolved, 2)]);
    assert_eq!(due[0].1.duration(), Duration::from_secs(62 * 60));
    policy.see("query", "f", &ops, &stalled(START + 63 * MINUTE, -1));
    assert_eq!(policy.wake(), None, "an end without a beginning is nothing");
}

#[test]
fn in_quiet_hours_only_what_is_critical_is_told_the_rest_after() {
    let quiet = Quiet::in_zone("22:00-07:00", TimeZone::UTC).unwrap();
    assert_eq!(quiet.until(START + 12 * 60 * MINUTE), None);
    assert_eq!(
        quiet.until(START + 23 * 60 * MINUTE),
        Some(START + 31 * 60 * MINUTE)
    );
    let mut policy = with(
        Timing {
            quiet: Some(quiet),
            ..timing()
        },
        20,
    );
    fail(&mut policy, START);
    let critical = Route {
        severity: Severity::Critical,
        ..route(&["page"])
    };
    policy.see(
        "query",
        "f",
        &critical,
        &seen(START, "down", ErrorClass::Internal),
    );
    let told = run(&mut policy, START + 4 * MINUTE);
    assert_eq!(told, [(START + 2 * SECOND, Status::Firing, 1)]);
    // Both end in the night; one fails again until the morning.
    let ended = run(&mut policy, START + 6 * 60 * MINUTE);
    assert_eq!(
        ended,
        [(START + 5 * MINUTE, Status::Resolved, 1)],
        "the critical one"
    );
    fail(&mut policy, START + 419 * MINUTE);
    let morning = run(&mut policy, START + 423 * MINUTE);
    assert_eq!(
        morning.iter().map(|m| (m.0, m.1)).collect::<Vec<_>>(),
        [
            (START + 420 * MINUTE, Status::Firing),
            (START + 420 * MINUTE, Status::Digest)
        ]
    );
}

#[test]
fn beyond_its_rate_a_channel_gets_one_digest() {
    let mut policy = with(timing(), 5);
    for n in 0..100 {
        policy.see(
            &format!("event{n}"),
            "f",
            &route(&["ops"]),
            &seen(START, "boom", ErrorClass::Other),
        );
    }
    let due = policy.due(START + 2 * SECOND);
    assert_eq!(due.len(), 5);
    let later = policy.due(START + 62 * SECOND);
    assert_eq!(later.len(), 1);
    assert_eq!(
        (later[0].1.status, later[0].1.held.len()),
        (Status::Digest, 95)
    );
}

#[test]
fn a_channel_that_forgets_is_told_again_until_it_is_over() {
    let forgetful = Limit {
        per_minute: 1,
        digests: false,
        refresh: Some(MINUTE),
    };
    let mut policy = Policy::new(timing(), [("ops".to_owned(), forgetful)].into());
    fail(&mut policy, START);
    let told: Vec<_> = run(&mut policy, START + 60 * MINUTE)
        .iter()
        .map(|m| m.1)
        .collect();
    let mut wanted = vec![Status::Firing];
    wanted.extend([Status::StillFiring; 4]);
    wanted.push(Status::Resolved);
    assert_eq!(told, wanted);
}

#[test]
fn a_group_that_waits_longer_than_it_takes_to_be_over_is_told() {
    let slow = Timing {
        group_wait: 10 * MINUTE,
        ..timing()
    };
    let mut policy = with(slow, 20);
    fail(&mut policy, START);
    let ten = START + 10 * MINUTE;
    assert_eq!(policy.wake(), Some(ten));
    assert_eq!(statuses(&policy.due(ten)), [("ops", Status::Firing, 1)]);
    assert_eq!(statuses(&policy.due(ten)), [("ops", Status::Resolved, 1)]);
}

#[test]
fn what_goes_on_through_the_night_wakes_nobody_and_no_thread() {
    let quiet = Quiet::in_zone("22:00-07:00", TimeZone::UTC).unwrap();
    let timing = Timing {
        quiet: Some(quiet),
        repeat: 10 * MINUTE,
        resolve_after: 24 * 60 * MINUTE,
        ..timing()
    };
    let mut policy = with(timing, 20);
    let evening = START + 21 * 60 * MINUTE;
    fail(&mut policy, evening);
    assert_eq!(run(&mut policy, evening + MINUTE).len(), 1);
    fail(&mut policy, evening + 59 * MINUTE);
    assert_eq!(policy.due(evening + 59 * MINUTE).len(), 1);
    fail(&mut policy, evening + 90 * MINUTE);
    let seven = START + 31 * 60 * MINUTE;
    assert_eq!(policy.wake(), Some(seven));
    assert_eq!(run(&mut policy, seven), [(seven, Status::StillFiring, 3)]);
}

#[test]
fn a_channel_that_forgets_takes_alike_incidents_for_one() {
    let forgetful = Limit {
        per_minute: 1,
        digests: false,
        refresh: Some(MINUTE),
    };
    let mut policy = Policy::new(timing(), [("ops".to_owned(), forgetful)].into());
    fail(&mut policy, START);
    policy.due(START + 2 * SECOND);
    let other = seen(START + 60 * SECOND, "no route", ErrorClass::Connection);
    policy.see("query", "rag::query", &route(&["ops"]), &other);
    let told = run(&mut policy, START + 60 * MINUTE);
    let resolved: Vec<_> = told.iter().filter(|m| m.1 == Status::Resolved).collect();
    assert_eq!(
        resolved,
        [&(START + 6 * MINUTE, Status::Resolved, 1)],
        "the last to end"
    );
}
