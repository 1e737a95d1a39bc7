use proptest::prelude::*;

mod delivery;

use super::*;
use crate::{
    alerts::{SuppressedAlert, Trigger},
    kernel::outcome::ErrorClass,
};

fn distinct(message: &str, count: u64) -> ErrorGroup {
    ErrorGroup {
        function: "rag::query".into(),
        trigger: Trigger::Error,
        type_name: "rag::QueryError".into(),
        message: message.into(),
        class: Some(ErrorClass::Connection),
        count,
    }
}

fn notice(status: NoticeStatus) -> Notice {
    Notice {
        key: "query/1".into(),
        event: "query".into(),
        functions: vec!["rag::query".into()],
        severity: Severity::Error,
        count: 37,
        first: 1_795_392_000_000_000,
        last: 1_795_392_012_000_000,
        errors: vec![
            distinct("connection refused (os error 111)", 30),
            distinct("timed out", 7),
        ],
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        service: "rag-service".into(),
        environment: "production".into(),
        host: "web-1".into(),
        runbook: Some("https://wiki.example.com/rag?a=1&b=2".into()),
        trace_url: Some("https://tempo.example.com/trace/4bf9".into()),
        sentry_url: Some("https://acme.sentry.io/issues/?query=trace%3A4bf9".into()),
        dashboard: Some("https://grafana.example.com/d/rag".into()),
        ..Notice::empty(status, 1_795_392_012_000_000)
    }
}

#[test]
fn an_operation_shows_what_one_of_its_calls_has_taken() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let notice = Notice {
        attributes: vec![
            pair("model", "<gpt-4o>"),
            pair("in", "812"),
            pair("cost", "$0.0041"),
        ],
        ..notice(NoticeStatus::Firing)
    };
    let text = shown(&message(&notice));
    assert!(
        text.contains("*One of the calls*\nmodel=&lt;gpt-4o&gt; in=812 cost=$0.0041"),
        "{text}"
    );
}

/// All text of a message, as a reader sees it.
fn shown(message: &Value) -> String {
    match message {
        Value::String(text) => format!("{text}\n"),
        Value::Array(all) => all.iter().map(shown).collect(),
        Value::Object(all) => all
            .iter()
            .filter(|(name, _)| *name != "type")
            .map(|(_, v)| shown(v))
            .collect(),
        _ => String::new(),
    }
}

/// Asserts Slack's limits, and returns the characters over all blocks.
fn check_limits(message: &Value) -> usize {
    let blocks = message["blocks"].as_array().unwrap();
    assert!(!blocks.is_empty() && blocks.len() <= 50);
    let length = |text: &Value| text.as_str().unwrap().chars().count();
    let mut total = 0;
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => assert!((1..=150).contains(&length(&block["text"]["text"]))),
            "section" if block.get("fields").is_some() => {
                let fields = block["fields"].as_array().unwrap();
                assert!((1..=10).contains(&fields.len()));
                assert!(
                    fields
                        .iter()
                        .all(|f| (1..=2000).contains(&length(&f["text"])))
                );
            }
            "section" => assert!((1..=3000).contains(&length(&block["text"]["text"]))),
            "context" => assert!(block["elements"].as_array().unwrap().len() <= 10),
            other => panic!("{other}"),
        }
        total += shown(block).chars().count();
    }
    assert!(total <= 13_000, "{total} characters");
    assert!((1..=4000).contains(&length(&message["text"])));
    total
}

#[test]
fn a_title_is_failing_where_calls_failed_in_several_ways() {
    let mut mixed = notice(NoticeStatus::Firing);
    mixed.trigger = Trigger::Panic;
    mixed.errors = vec![distinct("timed out", 7)];
    assert_eq!(mixed.title(), "query failing: 37 calls in 12 s");
    mixed.errors[0].trigger = Trigger::Panic;
    assert_eq!(mixed.title(), "query panicking: 37 calls in 12 s");
}

#[test]
fn a_title_names_the_routes_of_operations() {
    let mut requests = notice(NoticeStatus::Resolved);
    requests.event = "http_request".into();
    requests.is_operation = true;
    requests.functions = vec!["POST /ask".into()];
    let after = "resolved after 12 s: 37 calls";
    assert_eq!(requests.title(), format!("POST /ask {after}"));
    requests.functions.push("GET /".into());
    assert_eq!(requests.title(), format!("POST /ask and 1 more {after}"));
}

#[test]
fn the_text_of_a_slow_call_contains_its_duration() {
    let mut slow = notice(NoticeStatus::Firing);
    slow.errors[0].type_name.clear();
    slow.errors[0].trigger = Trigger::Slow;
    slow.errors[0].message = "took 392 ms".into();
    let text = message(&slow)["text"].to_string();
    assert!(text.contains(" - slow: took 392 ms"), "{text}");
}

#[test]
fn a_message_contains_what_an_operator_needs() {
    let firing = message(&notice(NoticeStatus::Firing));
    check_limits(&firing);
    let text = shown(&firing);
    for wanted in [
        ":red_circle: query failing: 37 calls in 12 s",
        "*Function*\nrag::query",
        "*Kind*\nconnection",
        "*Began*\n2026-11-23 00:00:00 UTC",
        "*Trace*\n4bf92f3577b34da6a3ce929d0e0e4736",
        "*30 ×* `rag::QueryError` in `rag::query`\n```connection refused (os error 111)```",
        "<https://wiki.example.com/rag?a=1&amp;b=2|Runbook>  ·  \
         <https://tempo.example.com/trace/4bf9|Trace>  ·  \
         <https://acme.sentry.io/issues/?query=trace%3A4bf9|Sentry>  ·  \
         <https://grafana.example.com/d/rag|Dashboard>",
        "rag-service  ·  production  ·  web-1",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in {text}");
    }
    let fallback = firing["text"].as_str().unwrap();
    assert!(
        fallback.contains("query failing: 37 calls in 12 s - rag::QueryError: connection refused")
    );
    let resolved = message(&notice(NoticeStatus::Resolved));
    assert!(shown(&resolved).contains(":large_green_circle: query resolved after 12 s: 37 calls"));
}

#[test]
fn no_text_can_mention_a_channel_or_end_the_code_block() {
    let evil = "<!channel> <!everyone> ``` *bold* <https://evil.example|click> & \u{1b}[31m";
    let mut notice = notice(NoticeStatus::Firing);
    notice.errors = vec![distinct(evil, 1)];
    notice.event = evil.into();
    notice.functions = vec![evil.into()];
    notice.service = evil.into();
    notice.runbook = Some("https://x/|evil><!channel>".into());
    let text = shown(&message(&notice));
    assert!(
        !text.contains("<!") && !text.contains("<https://evil"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    assert!(text.contains("&lt;!channel&gt; &lt;!everyone&gt; ''' *bold*"));
}

#[test]
fn a_link_is_there_whole_or_not_at_all() {
    let mut notice = notice(NoticeStatus::Firing);
    notice.trace_url = Some(format!("https://t.example/?left={}", "x".repeat(3_000)));
    let text = shown(&message(&notice));
    assert!(
        !text.contains("t.example") && text.contains("|Sentry>"),
        "{text}"
    );
}

#[test]
fn a_digest_names_what_was_held() {
    let held = |n: u64| SuppressedAlert {
        event: format!("event{n}"),
        status: NoticeStatus::Firing,
        severity: Severity::Error,
        count: n,
    };
    let digest = Notice {
        suppressed: (0..200).map(held).collect(),
        more: 50,
        ..notice(NoticeStatus::Digest)
    };
    let message = message(&digest);
    check_limits(&message);
    assert!(
        shown(&message).contains("and 220 more"),
        "{}",
        shown(&message)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn no_notice_is_too_large_for_slack(
        text in "(\\PC|[&<>`*]){0,60}", times in 0..400_usize, errors in 0..12_usize, held in 0..300_usize,
        status in prop::sample::select(vec![NoticeStatus::Firing, NoticeStatus::StillFiring, NoticeStatus::Resolved, NoticeStatus::Digest, NoticeStatus::Test]),
    ) {
        let long = text.repeat(times);
        let line = SuppressedAlert { event: long.clone(), status, severity: Severity::Info, count: 3 };
        let notice = Notice {
            errors: vec![ErrorGroup { type_name: long.clone(), function: long.clone(), ..distinct(&long, 2) }; errors],
            suppressed: vec![line; held],
            functions: vec![long.clone(); errors],
            event: long.clone(),
            service: long.clone(),
            environment: long.clone(),
            host: long.clone(),
            runbook: Some(long.chars().take(700).collect()),
            trace_url: Some(long.chars().take(900).collect()),
            sentry_url: Some(long.clone()),
            dashboard: Some(long),
            ..notice(status)
        };
        check_limits(&message(&notice));
    }
}

#[test]
fn a_delayed_message_shows_its_delay() {
    let now = crate::outbox::now_micros();
    let body = serde_json::to_vec(&message(&notice(NoticeStatus::Firing))).unwrap();
    let mut parcel = Parcel::new("ops", Redacted::for_test(body));
    assert_eq!(with_delay(&parcel), parcel.body());
    parcel.created = now - 58 * 60 * 1_000_000;
    let marked: Value = serde_json::from_slice(&with_delay(&parcel)).unwrap();
    assert!(shown(&marked).contains("delivered 58 min late"));
    check_limits(&marked);
}

#[test]
fn a_webhook_that_is_no_url_is_an_error_that_does_not_show_it() {
    let error = with_url("ops", "hooks.slack.com/services/secret")
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("channels.ops.webhook is no URL") && !error.contains("secret"),
        "{error}"
    );
}
