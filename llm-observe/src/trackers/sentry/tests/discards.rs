//! Client reports.

use super::*;

/// Returns what an envelope says of events that were discarded.
fn discarded(body: &[u8]) -> Vec<(String, u64)> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let Some(header) = lines.get(3) else {
        return Vec::new();
    };
    let header: Value = serde_json::from_str(header).unwrap();
    assert_eq!(header["type"], "client_report");
    assert_eq!(header["length"], lines[4].len());
    let report: Value = serde_json::from_str(lines[4]).unwrap();
    assert!(report["timestamp"].is_u64() && lines[4].len() < 4_096);
    let events = report["discarded_events"].as_array().unwrap().iter();
    let reported = events.map(|event| {
        assert_eq!(event["category"], "error");
        let reason = event["reason"].as_str().unwrap().to_owned();
        (reason, event["quantity"].as_u64().unwrap())
    });
    reported.collect()
}

#[test]
fn discards_are_reported_with_the_next_event_that_arrives() {
    let listener = Listener::start(Answers::status(200, "{}"));
    let (outbox, tracker) = open(&listener);
    let send = || {
        put(&outbox, &*tracker, report("x"));
        outbox.flush(LONG);
    };
    tracker.lost("error", LossReason::Overflow, 7);
    tracker.lost("error", LossReason::Full, 2);
    tracker.lost("error", LossReason::Expired, 3);
    send();
    send();
    let requests = listener.requests();
    let reported = [
        ("cache_overflow", 2),
        ("network_error", 3),
        ("queue_overflow", 7),
    ];
    let reported = reported.map(|(reason, count)| (reason.to_owned(), count));
    assert_eq!(discarded(&requests[0].body), reported);
    assert_eq!(discarded(&requests[1].body), [], "reported once");
}

#[test]
fn discards_are_reported_until_an_event_arrives_refusals_included() {
    let listener = Listener::start(Answers::status(200, "{}")).script([
        Answers::status(400, "bad"),
        Answers::status(503, ""),
        Answers::Status(
            429,
            vec![("X-Sentry-Rate-Limits", "1:error:key".into())],
            String::new(),
        ),
    ]);
    let tracker = with_dsn(&dsn(&listener), 0.0, origin()).unwrap();
    let limits = OutboxOptions {
        backoff: Duration::from_millis(10),
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(limits, vec![tracker.clone() as _], Arc::default()).unwrap();
    let send = || {
        put(&outbox, &*tracker, report("x"));
        outbox.flush(LONG);
    };
    assert!(!tracker.takes(&report("x")));
    send();
    send();
    let requests = listener.requests();
    let sampled = ("sample_rate".to_owned(), 1);
    assert_eq!(discarded(&requests[0].body), std::slice::from_ref(&sampled));
    let refused = ("send_error".to_owned(), 1);
    for request in &requests[1..] {
        assert_eq!(discarded(&request.body), [sampled.clone(), refused.clone()]);
    }
    assert_eq!(requests.len(), 4, "400, 503, 429, 200");
}

#[test]
fn events_without_room_in_the_outbox_are_reported_as_discards() {
    let listener = Listener::start(Answers::Stall);
    let tracker = with_dsn(&dsn(&listener), 1.0, origin()).unwrap();
    let limits = OutboxOptions {
        backoff: Duration::from_millis(10),
        attempt_timeout: Duration::from_secs(1),
        max_bytes: 40_000,
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(limits, vec![tracker.clone() as _], Arc::default()).unwrap();
    let put = || {
        let body = tracker.encode(&Redacted::for_test(report(&"x".repeat(7_000))));
        outbox.put(Parcel::new("sentry", body).category("error"));
    };
    (0..20).for_each(|_| put());
    let stalled = tracker.concurrency();
    listener.wait_for(stalled);
    listener.usually(Answers::status(200, "{}"));
    let delivered = outbox.flush(LONG).delivered();
    // Several are in flight at once: each discard is in one of them.
    let reported = listener.requests().split_off(stalled);
    let reported = reported.iter().flat_map(|r| discarded(&r.body));
    let reported: Vec<(String, u64)> = reported.collect();
    let only = reported
        .iter()
        .all(|(reason, _)| reason == "cache_overflow");
    let lost: u64 = reported.iter().map(|(_, count)| count).sum();
    assert!(
        only && delivered < 20 && lost == 20 - delivered,
        "{delivered} {reported:?}"
    );
}

#[test]
fn expired_events_are_reported_with_the_cause_of_their_delay() {
    let limit = vec![("X-Sentry-Rate-Limits", "1:error:key".to_owned())];
    for (trouble, reason) in [
        (
            Answers::Status(429, limit, String::new()),
            "ratelimit_backoff",
        ),
        (Answers::status(503, ""), "network_error"),
    ] {
        let listener = Listener::start(trouble);
        let tracker = with_dsn(&dsn(&listener), 1.0, origin()).unwrap();
        let limits = OutboxOptions {
            // Shorter than the limit: else it is what keeps them when that is over.
            backoff: Duration::from_millis(500),
            max_age: Duration::from_millis(50),
            upkeep: Duration::from_millis(10),
            ..OutboxOptions::default()
        };
        let stats = Arc::<Stats>::default();
        let outbox = Outbox::open(limits, vec![tracker.clone() as _], stats.clone()).unwrap();
        let put = || {
            put(&outbox, &*tracker, report("x"));
            std::thread::sleep(Duration::from_millis(20));
        };
        let until = |there: &dyn Fn() -> bool| {
            let deadline = std::time::Instant::now() + LONG;
            while !there() {
                assert!(std::time::Instant::now() < deadline, "no {reason}");
                put();
            }
        };
        let labels = [("destination", "sentry"), ("result", "expired")];
        let expired = stats.counter(crate::kernel::metrics_table::DELIVERIES, &labels);
        until(&|| expired.get() > 0);
        listener.usually(Answers::status(200, "{}"));
        until(&|| {
            let requests = listener.requests();
            let mut reported = requests.iter().flat_map(|request| discarded(&request.body));
            reported.any(|(reported, _)| reported == reason)
        });
    }
}
