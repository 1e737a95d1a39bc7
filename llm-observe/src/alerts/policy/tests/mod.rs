use std::{collections::BTreeMap, time::Duration};

use jiff::tz::TimeZone;
use llm_observe_config as config;

mod properties;
mod refresh;
mod restarts;

use super::{quiet_hours::QuietHours, *};
use crate::{
    alerts::{
        notice::{Notice, NoticeStatus},
        occurrences::{ErrorSample, Occurrences},
        route::AlertRoute,
        trigger::Trigger,
    },
    kernel::{alert_rule::Severity, ids::TraceId, outcome::ErrorClass},
};

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
/// 2026-11-23, midnight UTC.
const START: u64 = 1_795_392_000 * SECOND;

fn timing() -> AlertTiming {
    AlertTiming::new(&config::Alerts::default()).unwrap()
}

fn policy() -> IncidentPolicy {
    with(timing(), 20)
}

fn with(timing: AlertTiming, per_minute: usize) -> IncidentPolicy {
    let limit = ChannelLimit {
        per_minute,
        digests: true,
        refresh: None,
    };
    IncidentPolicy::new(
        timing,
        ["ops", "page"].map(|name| (name.to_owned(), limit)).into(),
    )
}

fn route(channels: &[&str]) -> AlertRoute {
    AlertRoute {
        channels: channels.iter().map(|&c| c.to_owned()).collect(),
        severity: Severity::Error,
        after: 1,
        within: Duration::from_secs(60),
    }
}

fn occurrence(time: u64, message: &str, class: ErrorClass) -> Occurrences {
    let sample = ErrorSample {
        type_name: "Boom".into(),
        message: message.into(),
        class: Some(class),
    };
    Occurrences::at(time, Trigger::Error, TraceId::random(), sample)
}

fn fail(policy: &mut IncidentPolicy, time: u64) {
    policy.add(
        "query",
        "rag::query",
        &route(&["ops"]),
        &occurrence(time, "boom", ErrorClass::Internal),
    );
}

fn statuses(due: &[(String, Notice)]) -> Vec<(&str, NoticeStatus, u64)> {
    due.iter()
        .map(|(channel, notice)| (channel.as_str(), notice.status, notice.count))
        .collect()
}

/// Asks the policy whenever it wants to be asked, up to `until`.
fn run(policy: &mut IncidentPolicy, until: u64) -> Vec<(u64, NoticeStatus, u64)> {
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
fn a_burst_is_one_message_and_one_when_it_is_over() {
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
        [(last + 5 * MINUTE, NoticeStatus::Resolved, 500)]
    );
    assert_eq!(policy.wake(), None, "nothing is left");
}

#[test]
fn an_incident_that_continues_is_repeated_and_only_then() {
    let mut policy = policy();
    for minute in 0..600 {
        fail(&mut policy, START + minute * MINUTE);
        let due = policy.due(START + minute * MINUTE + 30 * SECOND);
        let wanted = match minute {
            0 => vec![("ops", NoticeStatus::Firing, 1)],
            240 | 480 => vec![("ops", NoticeStatus::StillFiring, minute + 1)],
            _ => vec![],
        };
        assert_eq!(statuses(&due), wanted, "minute {minute}");
    }
}

#[test]
fn a_group_has_the_different_errors_of_one_event() {
    let mut policy = policy();
    let ops = route(&["ops"]);
    policy.add(
        "query",
        "rag::query",
        &ops,
        &occurrence(START, "boom", ErrorClass::Internal),
    );
    policy.add(
        "query",
        "rag::search",
        &ops,
        &occurrence(START + 1, "no route", ErrorClass::Connection),
    );
    policy.add(
        "query",
        "rag::query",
        &ops,
        &occurrence(START + 2, "boom", ErrorClass::Internal),
    );
    policy.add(
        "embedding",
        "rag::embed",
        &ops,
        &occurrence(START + 3, "boom", ErrorClass::Internal),
    );
    let due = policy.due(START + 3 * SECOND);
    assert_eq!(
        statuses(&due),
        [
            ("ops", NoticeStatus::Firing, 3),
            ("ops", NoticeStatus::Firing, 1)
        ]
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
    policy.add(
        "query",
        "rag::query",
        &ops,
        &occurrence(
            START + 9 * SECOND,
            "key revoked",
            ErrorClass::Authentication,
        ),
    );
    assert_eq!(
        statuses(&policy.due(START + 12 * SECOND)),
        [("ops", NoticeStatus::Firing, 1)]
    );
}

#[test]
fn a_threshold_is_a_number_of_calls_within_the_window() {
    let mut policy = policy();
    let three = AlertRoute {
        after: 3,
        ..route(&["ops"])
    };
    let mut at = |seconds: u64| {
        policy.add(
            "query",
            "f",
            &three,
            &occurrence(START + seconds * SECOND, "boom", ErrorClass::Other),
        );
        !policy.due(START + (seconds + 2) * SECOND).is_empty()
    };
    assert!(!at(0) && !at(50) && !at(70), "three in 70 s");
    assert!(at(100), "50, 70 and 100 are within 60 s");
}

#[test]
fn a_merged_burst_reaches_a_threshold_at_once() {
    let mut policy = policy();
    let mut many = occurrence(START, "boom", ErrorClass::Other);
    many.count = 100;
    policy.add(
        "query",
        "f",
        &AlertRoute {
            after: 50,
            ..route(&["ops"])
        },
        &many,
    );
    assert_eq!(
        statuses(&policy.due(START + 2 * SECOND)),
        [("ops", NoticeStatus::Firing, 100)]
    );
}

#[test]
fn a_stalled_call_fires_while_it_hangs_and_resolves_when_it_ends() {
    let mut policy = policy();
    let stalled = |time: u64, open: i64| {
        let sample = ErrorSample::plain("still running after 10 s".into());
        Occurrences {
            stalled: open,
            ..Occurrences::at(time, Trigger::Stalled, TraceId::default(), sample)
        }
    };
    let ops = route(&["ops"]);
    policy.add("query", "f", &ops, &stalled(START, 1));
    policy.add("query", "f", &ops, &stalled(START + 1, 1));
    assert_eq!(
        statuses(&policy.due(START + 2 * SECOND)),
        [("ops", NoticeStatus::Firing, 2)]
    );
    assert_eq!(
        run(&mut policy, START + 60 * MINUTE),
        [],
        "however long it hangs"
    );
    policy.add("query", "f", &ops, &stalled(START + 61 * MINUTE, -1));
    assert!(
        policy.due(START + 61 * MINUTE).is_empty(),
        "one of two still hangs"
    );
    policy.add("query", "f", &ops, &stalled(START + 62 * MINUTE, -1));
    let due = policy.due(START + 62 * MINUTE);
    assert_eq!(statuses(&due), [("ops", NoticeStatus::Resolved, 2)]);
    assert_eq!(due[0].1.duration(), Duration::from_secs(62 * 60));
    policy.add("query", "f", &ops, &stalled(START + 63 * MINUTE, -1));
    assert_eq!(policy.wake(), None, "an end without a beginning is nothing");
}

#[test]
fn the_end_of_a_single_failure_says_what_a_person_needs() {
    let mut policy = policy();
    fail(&mut policy, START);
    policy.due(START + 2 * SECOND);
    let [(_, end)] = &policy.due(START + 5 * MINUTE)[..] else {
        panic!("one end")
    };
    assert_eq!(
        end.title(),
        "query resolved: one failure, not seen again for 5 min"
    );
    for _ in 0..3 {
        fail(&mut policy, START + 10 * MINUTE);
    }
    policy.due(START + 10 * MINUTE + 2 * SECOND);
    let [(_, end)] = &policy.due(START + 15 * MINUTE)[..] else {
        panic!("one end")
    };
    assert_eq!(
        end.title(),
        "query resolved: 3 calls at once, not seen again for 5 min"
    );
}

#[test]
fn the_end_of_a_single_failure_can_be_left_out_where_nothing_was_opened() {
    let timing = AlertTiming {
        resolve_single: false,
        ..timing()
    };
    let limit = |digests| ChannelLimit {
        per_minute: 20,
        digests,
        refresh: None,
    };
    let limits = [("ops", limit(true)), ("page", limit(false))];
    let limits = limits.map(|(name, limit)| (name.to_owned(), limit));
    let mut policy = IncidentPolicy::new(timing, limits.into());
    let route = route(&["ops", "page"]);
    let fails = |policy: &mut IncidentPolicy, time| {
        let boom = occurrence(time, "boom", ErrorClass::Internal);
        policy.add("query", "rag::query", &route, &boom);
    };
    fails(&mut policy, START);
    assert_eq!(policy.due(START + 2 * SECOND).len(), 2);
    let ends = policy.due(START + 5 * MINUTE);
    assert_eq!(statuses(&ends), [("page", NoticeStatus::Resolved, 1)]);
    fails(&mut policy, START + 10 * MINUTE);
    fails(&mut policy, START + 11 * MINUTE);
    assert_eq!(policy.due(START + 11 * MINUTE).len(), 2);
    let ends = policy.due(START + 16 * MINUTE);
    assert_eq!(
        statuses(&ends),
        [
            ("ops", NoticeStatus::Resolved, 2),
            ("page", NoticeStatus::Resolved, 2)
        ]
    );
    assert_eq!(policy.wake(), None);
}

#[test]
fn in_quiet_hours_only_critical_alerts_are_sent_and_the_rest_after_them() {
    let quiet = QuietHours::in_zone("22:00-07:00", TimeZone::UTC).unwrap();
    assert_eq!(quiet.until(START + 12 * 60 * MINUTE), None);
    assert_eq!(
        quiet.until(START + 23 * 60 * MINUTE),
        Some(START + 31 * 60 * MINUTE)
    );
    let mut policy = with(
        AlertTiming {
            quiet_hours: Some(quiet),
            ..timing()
        },
        20,
    );
    fail(&mut policy, START);
    let critical = AlertRoute {
        severity: Severity::Critical,
        ..route(&["page"])
    };
    policy.add(
        "query",
        "f",
        &critical,
        &occurrence(START, "down", ErrorClass::Internal),
    );
    let sent = run(&mut policy, START + 4 * MINUTE);
    assert_eq!(sent, [(START + 2 * SECOND, NoticeStatus::Firing, 1)]);
    // Both end in the night; one fails again until the morning.
    let ended = run(&mut policy, START + 6 * 60 * MINUTE);
    assert_eq!(
        ended,
        [(START + 5 * MINUTE, NoticeStatus::Resolved, 1)],
        "the critical one"
    );
    fail(&mut policy, START + 419 * MINUTE);
    let morning = run(&mut policy, START + 423 * MINUTE);
    assert_eq!(
        morning.iter().map(|m| (m.0, m.1)).collect::<Vec<_>>(),
        [
            (START + 420 * MINUTE, NoticeStatus::Firing),
            (START + 420 * MINUTE, NoticeStatus::Digest)
        ]
    );
}

#[test]
fn beyond_its_rate_a_channel_gets_one_digest() {
    let mut policy = with(timing(), 5);
    for n in 0..100 {
        policy.add(
            &format!("event{n}"),
            "f",
            &route(&["ops"]),
            &occurrence(START, "boom", ErrorClass::Other),
        );
    }
    let due = policy.due(START + 2 * SECOND);
    assert_eq!(due.len(), 5);
    let later = policy.due(START + 62 * SECOND);
    assert_eq!(later.len(), 1);
    assert_eq!(
        (later[0].1.status, later[0].1.suppressed.len()),
        (NoticeStatus::Digest, 95)
    );
}

#[test]
fn a_group_that_waits_longer_than_resolve_after_is_sent() {
    let slow = AlertTiming {
        group_wait: 10 * MINUTE,
        ..timing()
    };
    let mut policy = with(slow, 20);
    fail(&mut policy, START);
    let ten = START + 10 * MINUTE;
    assert_eq!(policy.wake(), Some(ten));
    assert_eq!(
        statuses(&policy.due(ten)),
        [("ops", NoticeStatus::Firing, 1)]
    );
    assert_eq!(
        statuses(&policy.due(ten)),
        [("ops", NoticeStatus::Resolved, 1)]
    );
}

#[test]
fn an_incident_during_quiet_hours_wakes_nobody_and_no_thread() {
    let quiet = QuietHours::in_zone("22:00-07:00", TimeZone::UTC).unwrap();
    let timing = AlertTiming {
        quiet_hours: Some(quiet),
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
    assert_eq!(
        run(&mut policy, seven),
        [(seven, NoticeStatus::StillFiring, 3)]
    );
}
