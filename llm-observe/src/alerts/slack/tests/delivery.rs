//! A listener in Slack's place that answers well and badly.

use std::time::Instant;

use super::*;
use crate::{
    kernel::stats::Stats,
    listener::{Listener, Reply as Answers},
    outbox::{Outbox, OutboxOptions},
};

fn outbox(listener: &Listener, attempt: Duration) -> (Outbox, Arc<Stats>, Arc<dyn Channel>) {
    let stats = Arc::<Stats>::default();
    let channel = with_url("ops", &listener.url("/services/T/B/secret")).unwrap();
    let settings = OutboxOptions {
        attempt_timeout: attempt,
        backoff: Duration::from_millis(10),
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(settings, vec![channel.clone()], stats.clone()).unwrap();
    (outbox, stats, channel)
}

fn put(outbox: &Outbox, channel: &Arc<dyn Channel>) {
    outbox.put(
        Parcel::new(
            "ops",
            channel.encode(&Redacted::for_test(notice(NoticeStatus::Firing))),
        )
        .key("k"),
    );
}

fn count(stats: &Stats, result: &str) -> u64 {
    stats
        .counter(
            crate::kernel::metrics_table::DELIVERIES,
            &[("destination", "ops"), ("result", result)],
        )
        .get()
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn it_posts_json_to_the_webhook() {
    let listener = Listener::start(Answers::status(200, "ok"));
    let (outbox, _, channel) = outbox(&listener, LONG);
    put(&outbox, &channel);
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    let request = &listener.requests()[0];
    assert_eq!(request.line, "POST /services/T/B/secret HTTP/1.1");
    assert_eq!(request.header("content-type"), Some("application/json"));
    check_limits(&serde_json::from_slice(&request.body).unwrap());
}

#[test]
fn every_transient_failure_is_tried_again_until_it_arrives() {
    let bad = [
        Answers::status(500, "rollup_error"),
        Answers::status(503, ""),
        Answers::Garbage,
        Answers::CutOff,
        Answers::Close,
        Answers::Stall,
        Answers::status(408, ""),
        Answers::status(
            200,
            r#"{"ok":false,"error":"rate_limited","retry_after":0}"#,
        ),
    ];
    let tries = bad.len() as u64;
    let listener = Listener::start(Answers::status(200, "ok")).script(bad);
    let (outbox, stats, channel) = outbox(&listener, Duration::from_secs(1));
    put(&outbox, &channel);
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    assert_eq!(
        (count(&stats, "retried"), count(&stats, "delivered")),
        (tries, 1)
    );
}

#[test]
fn a_refusal_is_given_up_at_once_and_does_not_stop_others() {
    for status in [400, 401, 403, 404, 410, 301] {
        let listener = Listener::start(Answers::status(200, "ok"))
            .script([Answers::status(status, "channel_not_found")]);
        let (outbox, stats, channel) = outbox(&listener, LONG);
        put(&outbox, &channel);
        put(&outbox, &channel);
        assert_eq!(outbox.flush(LONG).delivered(), 1, "{status}");
        assert_eq!(
            (count(&stats, "refused"), count(&stats, "retried")),
            (1, 0),
            "{status}"
        );
        assert_eq!(listener.requests().len(), 2);
    }
}

#[test]
fn a_message_whose_form_is_refused_arrives_as_its_text() {
    let refused = Answers::status(400, "msg_blocks_too_long");
    let listener = Listener::start(Answers::status(200, "ok")).script([refused]);
    let (outbox, stats, channel) = outbox(&listener, LONG);
    put(&outbox, &channel);
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    assert_eq!((count(&stats, "refused"), count(&stats, "retried")), (0, 0));
    let plain: Value = serde_json::from_slice(&listener.requests()[1].body).unwrap();
    let text = plain["text"].as_str().unwrap();
    assert!(text.contains("query failing: 37 calls"), "{text}");
    assert_eq!(plain["blocks"], Value::Null);
}

#[test]
fn after_an_hour_without_network_the_newest_arrives_first_and_old_ones_show_their_delay() {
    let address = Listener::nobody();
    let channel = with_url("ops", &format!("http://{address}/services/x")).unwrap();
    let settings = OutboxOptions {
        backoff: Duration::from_millis(20),
        backoff_max: Duration::from_millis(50),
        ..OutboxOptions::default()
    };
    let stats = Arc::<Stats>::default();
    let outbox = Outbox::open(settings, vec![channel.clone() as _], stats.clone()).unwrap();
    for minutes in [60, 30, 1] {
        let event = format!("event{minutes}");
        let firing = Notice {
            event,
            ..notice(NoticeStatus::Firing)
        };
        let mut parcel = Parcel::new("ops", channel.encode(&Redacted::for_test(firing)))
            .key(format!("{minutes}"));
        parcel.created -= minutes * 60 * 1_000_000;
        outbox.put(parcel);
    }
    let start = Instant::now();
    while count(&stats, "retried") < 3 {
        assert!(start.elapsed() < LONG);
        std::thread::yield_now();
    }
    let listener = Listener::at(address, Answers::status(200, "ok")).unwrap();
    assert_eq!(outbox.flush(LONG).delivered(), 3);
    let texts: Vec<String> = listener.requests().iter().map(|r| r.text()).collect();
    for (text, (event, late)) in texts.iter().zip([
        ("event1 ", None),
        ("event30 ", Some("delivered 30 min late")),
        ("event60 ", Some("delivered 1 h late")),
    ]) {
        assert!(text.contains(event), "{event} in {text}");
        let said = late.is_none_or(|late| text.contains(late));
        assert!(
            said && (late.is_some() || !text.contains(" late")),
            "{text}"
        );
    }
}

#[test]
fn retry_after_is_honoured() {
    let listener = Listener::start(Answers::status(200, "ok")).script([Answers::retry_after("1")]);
    let (outbox, _, channel) = outbox(&listener, LONG);
    put(&outbox, &channel);
    outbox.flush(LONG);
    let requests = listener.requests();
    let gap = requests[1].at - requests[0].at;
    assert!(gap >= Duration::from_millis(990), "{gap:?}");
}

#[test]
fn when_nobody_listens_it_is_kept_and_no_error_names_the_url() {
    let channel = with_url(
        "ops",
        &format!("http://{}/services/secret", Listener::nobody()),
    )
    .unwrap();
    let outbox = Outbox::open(
        OutboxOptions::default(),
        vec![channel.clone() as _],
        Arc::default(),
    )
    .unwrap();
    let start = Instant::now();
    let answer = outbox
        .deliver_now(Parcel::new("ops", Redacted::for_test(b"{}".to_vec())), LONG)
        .unwrap();
    let Delivery::Retry { reason, .. } = answer else {
        panic!("{answer:?}")
    };
    assert!(
        reason.contains("refused") && !reason.contains("secret") && !reason.contains("127.0.0.1"),
        "{reason}"
    );
    assert!(start.elapsed() < LONG);
}
