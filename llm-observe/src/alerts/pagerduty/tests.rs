use std::{fs, time::Duration};

use llm_observe_config::{Endpoint, Secret};

use super::*;
use crate::{
    kernel::alert_rule::Severity,
    listener::{Listener, Reply},
    outbox::{Outbox, OutboxOptions, tests::Folder},
};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn it_triggers_and_resolves_under_one_key_and_the_routing_key_is_not_kept() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "0123456789abcdef0123456789abcdef\n").unwrap();
    let listener = Listener::start(Reply::status(202, r#"{"status":"success"}"#))
        .script([Reply::status(429, ""), Reply::status(500, "")]);
    let mut settings = config::Pagerduty::new(Secret::File(file));
    settings.url = Some(Endpoint::Url(listener.url("")));
    let channel = channel("page", &settings).unwrap();
    let limits = OutboxOptions {
        backoff: Duration::from_millis(10),
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(limits, vec![channel.clone() as _], Arc::default()).unwrap();
    for status in [NoticeStatus::Firing, NoticeStatus::Resolved] {
        let notice = Notice {
            key: "query/f/1".into(),
            event: "q".repeat(3000),
            severity: Severity::Critical,
            host: "web-1".into(),
            count: 2,
            runbook: Some("https://wiki.example/q".into()),
            sentry_url: Some("https://acme.sentry.io/x".into()),
            ..Notice::empty(status, 1_795_392_000_000_000)
        };
        let body = channel.encode(&Redacted::for_test(notice.clone()));
        assert!(
            !String::from_utf8(body.to_vec())
                .unwrap()
                .contains("0123456789abcdef")
        );
        outbox.put(Parcel::new("page", body).key("query/f/1"));
    }
    assert_eq!(outbox.flush(LONG).delivered(), 2);
    let requests = listener.requests();
    let event = |n: usize| serde_json::from_slice::<Value>(&requests[n].body).unwrap();
    assert_eq!(requests[2].line, "POST /v2/enqueue HTTP/1.1");
    let (fires, resolves) = (event(2), event(3));
    assert_eq!(
        (
            fires["event_action"].as_str(),
            resolves["event_action"].as_str()
        ),
        (Some("trigger"), Some("resolve"))
    );
    assert_eq!(fires["dedup_key"], resolves["dedup_key"]);
    assert_eq!(fires["routing_key"], "0123456789abcdef0123456789abcdef");
    assert_eq!(fires["payload"]["severity"], "critical");
    assert_eq!(fires["payload"]["source"], "web-1");
    assert_eq!(
        fires["links"],
        json!([
            {"href": "https://wiki.example/q", "text": "Runbook"},
            {"href": "https://acme.sentry.io/x", "text": "Sentry"},
        ])
    );
    assert!(
        fires["payload"]["summary"]
            .as_str()
            .unwrap()
            .chars()
            .count()
            <= MOST_SUMMARY
    );
}

#[test]
fn a_400_is_given_up() {
    let listener = Listener::start(Reply::status(400, r#"{"status":"invalid event"}"#));
    let post = JsonEndpoint::new("x", &listener.url("/v2/enqueue"), Vec::new()).unwrap();
    let channel: Arc<dyn Channel> = Arc::new(PagerdutyChannel {
        name: "page".into(),
        routing_key: "k".into(),
        post,
    });
    let outbox = Outbox::open(
        OutboxOptions::default(),
        vec![channel.clone() as _],
        Arc::default(),
    )
    .unwrap();
    let answer = outbox.deliver_now(
        Parcel::new("page", channel.encode(&Redacted::for_test(Notice::test(1)))),
        LONG,
    );
    assert!(
        matches!(answer, Some(Delivery::Refused { reason }) if reason.contains("invalid event"))
    );
}

#[test]
fn a_delayed_event_shows_its_delay_in_its_details() {
    let channel = PagerdutyChannel {
        name: "page".into(),
        routing_key: "key".into(),
        post: JsonEndpoint::new("page", "http://127.0.0.1:1/", Vec::new()).unwrap(),
    };
    let mut parcel = Parcel::new("page", channel.encode(&Redacted::for_test(Notice::test(1))));
    parcel.created -= 600 * 1_000_000;
    let event: Value = serde_json::from_slice(&channel.completed(&parcel).unwrap()).unwrap();
    assert_eq!(
        event["payload"]["custom_details"]["delivered"],
        "10 min late"
    );
    assert_eq!(event["routing_key"], "key");
}

#[test]
fn it_gives_up_what_is_refused_and_tries_the_rest_again() {
    let bad = [
        Reply::retry_after("0"),
        Reply::status(500, ""),
        Reply::Stall,
        Reply::CutOff,
        Reply::Garbage,
        Reply::Close,
    ];
    let tries = bad.len() as u64;
    let listener = Listener::start(Reply::status(202, r#"{"status":"success"}"#))
        .script(bad)
        .script([Reply::status(202, ""), Reply::status(400, "invalid event")]);
    let channel: Arc<dyn Channel> = Arc::new(PagerdutyChannel {
        name: "page".into(),
        routing_key: "key".into(),
        post: JsonEndpoint::new("page", &listener.url("/v2/enqueue"), Vec::new()).unwrap(),
    });
    let limits = OutboxOptions {
        attempt_timeout: Duration::from_secs(1),
        backoff: Duration::from_millis(5),
        ..OutboxOptions::default()
    };
    let stats = Arc::<crate::kernel::stats::Stats>::default();
    let outbox = Outbox::open(limits, vec![channel.clone() as _], stats.clone()).unwrap();
    for n in 0..3 {
        outbox.put(
            Parcel::new("page", channel.encode(&Redacted::for_test(Notice::test(n)))).key("k"),
        );
        outbox.flush(LONG);
    }
    let count = |result| {
        let labels = [("destination", "page"), ("result", result)];
        stats
            .counter(crate::kernel::metrics_table::DELIVERIES, &labels)
            .get()
    };
    let counts = (count("retried"), count("delivered"), count("refused"));
    assert_eq!(counts, (tries, 2, 1));
}
