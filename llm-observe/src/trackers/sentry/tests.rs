use std::{collections::HashSet, time::Duration};

use llm_observe_test_support::peers;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::Value;

use super::*;
use crate::{
    kernel::{
        outcome::{ErrorClass, Outcome},
        record,
        stats::Stats,
    },
    listener::{Listener, Reply as Answers},
    outbox::{Outbox, Settings},
    trackers::{Breadcrumb, Frame, RequestInfo, size::Size},
};

const LONG: Duration = Duration::from_secs(60);

fn origin() -> Origin {
    Origin {
        service: "rag-service".into(),
        environment: "production".into(),
        release: "rag@1.2.3".into(),
        host: "web-1".into(),
    }
}

fn report(message: &str) -> Report {
    Report {
        event: "query".into(),
        function: "rag::query".into(),
        type_name: "rag::QueryError".into(),
        message: message.into(),
        class: ErrorClass::Connection,
        chain: vec!["tls handshake".into(), "connection reset".into()],
        fields: vec![
            ("user".into(), crate::Value::Str("alice".into())),
            ("gen_ai.usage.input_tokens".into(), crate::Value::U64(42)),
        ],
        ..Report::test()
    }
}

fn dsn(listener: &Listener) -> String {
    format!("http://publickey@{}/42", listener.address())
}

fn open(listener: &Listener) -> (Outbox, Arc<dyn Tracker>) {
    let tracker = with_dsn(&dsn(listener), 1.0, origin()).unwrap();
    let settings = Settings {
        backoff: Duration::from_millis(10),
        ..Settings::default()
    };
    let outbox = Outbox::open(settings, vec![tracker.clone() as _], Arc::default()).unwrap();
    (outbox, tracker)
}

/// Returns the header of an envelope and its one event.
fn envelope(body: &[u8]) -> (Value, Value) {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let item: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(item["type"], "event");
    assert_eq!(item["length"], lines[2].len());
    (
        serde_json::from_str(lines[0]).unwrap(),
        serde_json::from_str(lines[2]).unwrap(),
    )
}

#[test]
fn an_event_has_what_one_needs_to_act() {
    let listener = Listener::start(Answers::status(200, r#"{"id":"x"}"#));
    let (outbox, tracker) = open(&listener);
    let report = report("refused");
    outbox.put(Parcel::new("sentry", tracker.encode(&report)).category(tracker.category()));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    let request = &listener.requests()[0];
    assert_eq!(request.line, "POST /api/42/envelope/ HTTP/1.1");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-sentry-envelope")
    );
    let auth = request.header("x-sentry-auth").unwrap();
    assert!(
        auth.contains("sentry_key=publickey") && auth.contains("sentry_client=llm-observe/"),
        "{auth}"
    );
    let (header, event) = envelope(&request.body);
    assert!(header["sent_at"].is_string());
    assert_eq!(
        header["event_id"].as_str().unwrap().replace('-', ""),
        event["event_id"].as_str().unwrap()
    );
    let values = event["exception"]["values"].as_array().unwrap();
    let texts: Vec<_> = values
        .iter()
        .map(|v| (v["type"].as_str().unwrap(), v["value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        texts,
        [
            ("cause", "connection reset"),
            ("cause", "tls handshake"),
            ("rag::QueryError", "refused")
        ]
    );
    assert_eq!(
        event["fingerprint"],
        serde_json::json!(["query", "rag::QueryError", "connection"])
    );
    assert_eq!(event["tags"]["event"], "query");
    assert_eq!(event["tags"]["function"], "rag::query");
    assert_eq!(
        event["contexts"]["trace"]["trace_id"],
        report.trace_id.to_string()
    );
    assert_eq!(
        event["contexts"]["trace"]["span_id"],
        report.span_id.to_string()
    );
    assert_eq!(event["contexts"]["gen_ai"]["gen_ai.usage.input_tokens"], 42);
    assert_eq!(
        (
            event["release"].as_str(),
            event["environment"].as_str(),
            event["server_name"].as_str()
        ),
        (Some("rag@1.2.3"), Some("production"), Some("web-1"))
    );
    assert_eq!(
        (event["level"].as_str(), event["extra"]["user"].as_str()),
        (None, Some("alice")),
        "error is the default level"
    );
}

#[test]
fn a_request_has_no_line_of_code() {
    let extra = |line| {
        let source = ("src/lib.rs".to_owned(), line);
        let report = Report {
            source,
            ..report("refused")
        };
        event::event(&report, &origin(), Size::WHOLE).extra
    };
    assert_eq!(extra(27)["source"], "src/lib.rs:27");
    assert!(!extra(0).contains_key("source"));
}

#[test]
fn a_panic_is_fatal_unhandled_and_has_its_frames() {
    let frame = |function: &str, file: &str| Frame {
        function: function.into(),
        file: file.into(),
        line: 7,
        column: 3,
    };
    let report = Report {
        outcome: Outcome::Panic,
        frames: vec![
            frame("inner", "/rustc/x/panicking.rs"),
            frame("rag::query", "src/lib.rs"),
        ],
        ..report("index out of bounds")
    };
    let event: Value = serde_json::to_value(event::event(&report, &origin(), Size::WHOLE)).unwrap();
    assert_eq!(event["level"], "fatal");
    let error = &event["exception"]["values"][2];
    assert_eq!(error["mechanism"]["handled"], false);
    let frames = error["stacktrace"]["frames"].as_array().unwrap();
    assert_eq!(
        (
            frames[0]["function"].as_str(),
            frames[0]["in_app"].as_bool()
        ),
        (Some("rag::query"), Some(true)),
        "outermost first"
    );
    assert_eq!(frames[1]["in_app"], false);
}

#[test]
fn what_came_before_and_the_request_are_in_the_event() {
    let crumb = |level, message: &str| Breadcrumb {
        time: 1_795_418_646_500_000,
        level,
        category: "rag::db".into(),
        message: message.into(),
    };
    let link = "https://app.logrocket.com/acme/shop/s/1";
    let report = Report {
        breadcrumbs: vec![
            crumb(tracing::Level::INFO, "connected"),
            crumb(tracing::Level::WARN, "slow"),
        ],
        request: Some(RequestInfo {
            method: "POST".into(),
            route: "/answer/{id}".into(),
            id: "req-7".into(),
            session: Some(link.into()),
        }),
        ..report("refused")
    };
    let (_, event) = envelope(&encode(&report, &origin()));
    let crumbs = event["breadcrumbs"]["values"].as_array().unwrap();
    assert_eq!(crumbs.len(), 2);
    assert_eq!(
        crumbs[1],
        serde_json::json!({"timestamp": 1_795_418_646.5, "level": "warning", "category": "rag::db", "message": "slow"})
    );
    assert_eq!(event["request"], serde_json::json!({"method": "POST"}));
    assert_eq!(event["tags"]["http.route"], "/answer/{id}");
    assert_eq!(event["tags"]["request_id"], "req-7");
    assert_eq!(event["extra"]["sessionURL"], link);
}

/// A report with texts of any kind and length.
fn any_report() -> impl Strategy<Value = Report> {
    let text = || {
        prop_oneof![
            4 => "[ -~]{0,60}",
            1 => any::<String>(),
            1 => "[a-z\u{1}\u{e9}\u{1f600}\n]{0,40}".prop_map(|part| part.repeat(600)),
            1 => Just("x".repeat(30_000)),
            1 => Just("\u{1f600}".repeat(9_000)),
        ]
    };
    let value = text().prop_map(crate::Value::Str);
    let fields = prop::collection::vec(("[a-z_.]{1,300}", value), 0..150);
    let frame = (text(), text(), any::<u32>()).prop_map(|(function, file, line)| Frame {
        function,
        file,
        line: line.into(),
        column: 1,
    });
    let crumb = (text(), text()).prop_map(|(category, message)| Breadcrumb {
        time: 1_795_418_646_500_000,
        level: tracing::Level::INFO,
        category,
        message,
    });
    let texts = (text(), text(), text(), prop::collection::vec(text(), 0..40));
    let frames = prop::collection::vec(frame, 0..120);
    let crumbs = prop::collection::vec(crumb, 0..40);
    (texts, fields, frames, crumbs).prop_map(|(texts, fields, frames, breadcrumbs)| {
        let (type_name, message, function, chain) = texts;
        let request = RequestInfo {
            method: type_name.clone(),
            route: message.clone(),
            id: function.clone(),
            session: None,
        };
        Report {
            type_name,
            message,
            function,
            chain,
            fields,
            frames,
            breadcrumbs,
            request: Some(request),
            ..Report::test()
        }
    })
}

/// The limits that Sentry's documentation gives: develop.sentry.dev, "Size Limits"; docs.sentry.io,
/// "Variable Size".
fn is_within_the_limits(event: &Value) {
    let chars = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    for (name, value) in event["tags"].as_object().unwrap() {
        assert!(name.len() <= 200 && chars(value) <= 200, "{name}");
        assert!(!value.as_str().unwrap().contains('\n'), "{name}");
    }
    let exceptions = event["exception"]["values"].as_array().unwrap();
    assert!(!exceptions.is_empty() && exceptions.len() <= 50);
    for exception in exceptions {
        assert!(chars(&exception["value"]) <= 8_192 && chars(&exception["type"]) <= 256);
        let frames = exception["stacktrace"]["frames"].as_array();
        assert!(frames.is_none_or(|frames| frames.len() <= 250));
    }
    let crumbs = event["breadcrumbs"]["values"].as_array();
    assert!(crumbs.is_none_or(|crumbs| crumbs.len() <= 100));
    for value in event["extra"].as_object().unwrap().values() {
        assert!(value.to_string().len() <= 16_384);
    }
    assert!(chars(&event["environment"]) <= 64 && chars(&event["release"]) <= 250);
}

/// Reports of all kinds, the same in each run.
fn all_kinds() -> Vec<Report> {
    let mut runner = TestRunner::deterministic();
    let mut report = || any_report().new_tree(&mut runner).unwrap().current();
    (0..40).map(|_| report()).collect()
}

#[test]
fn a_huge_report_is_cut_and_not_refused_whole() {
    for report in all_kinds() {
        let bytes = encode(&report, &origin());
        assert!(bytes.len() <= MOST_BYTES, "{}", bytes.len());
        let (_, event) = envelope(&bytes);
        is_within_the_limits(&event);
        let told = event["exception"]["values"]
            .as_array()
            .unwrap()
            .last()
            .unwrap();
        let start: String = report.message.chars().take(90).collect();
        assert!(told["value"].as_str().unwrap().starts_with(&start));
    }
}

#[test]
fn a_thousand_different_errors_all_arrive_also_over_429_and_a_server_that_is_down() {
    let listener = Listener::start(Answers::status(200, "{}")).script([
        Answers::status(500, ""),
        Answers::Close,
        Answers::Status(
            429,
            vec![("X-Sentry-Rate-Limits", "1:error:key".into())],
            String::new(),
        ),
    ]);
    let (outbox, tracker) = open(&listener);
    for n in 0..1000 {
        outbox.put(
            Parcel::new("sentry", tracker.encode(&report(&format!("error {n}")))).category("error"),
        );
    }
    assert_eq!(outbox.flush(LONG).delivered(), 1000);
    let arrived: HashSet<String> = listener.requests()[3..]
        .iter()
        .map(|request| {
            envelope(&request.body).1["exception"]["values"][2]["value"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(arrived.len(), 1000);
}

#[test]
fn limits_of_errors_hold_also_when_they_come_with_a_200() {
    let header = |limit: &str| vec![("X-Sentry-Rate-Limits", limit.to_owned())];
    let listener = Listener::start(Answers::status(200, "{}")).script([
        Answers::Status(200, header("60:transaction:key"), "{}".into()),
        Answers::Status(200, header("1:default;error:organization"), "{}".into()),
    ]);
    let (outbox, tracker) = open(&listener);
    for _ in 0..3 {
        outbox.put(Parcel::new("sentry", tracker.encode(&report("x"))).category("error"));
        outbox.flush(LONG);
    }
    let requests = listener.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests[1].at - requests[0].at < Duration::from_millis(900),
        "transactions are not ours"
    );
    assert!(requests[2].at - requests[1].at >= Duration::from_millis(950));
}

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
    let told = events.map(|event| {
        assert_eq!(event["category"], "error");
        let reason = event["reason"].as_str().unwrap().to_owned();
        (reason, event["quantity"].as_u64().unwrap())
    });
    told.collect()
}

#[test]
fn what_was_discarded_is_told_with_the_next_event_that_arrives() {
    let listener = Listener::start(Answers::status(200, "{}"));
    let (outbox, tracker) = open(&listener);
    let send = || {
        outbox.put(Parcel::new("sentry", tracker.encode(&report("x"))).category("error"));
        outbox.flush(LONG);
    };
    tracker.lost("error", Lost::Overflow, 7);
    tracker.lost("error", Lost::Full, 2);
    tracker.lost("error", Lost::Expired, 3);
    send();
    send();
    let requests = listener.requests();
    let told = [
        ("cache_overflow", 2),
        ("network_error", 3),
        ("queue_overflow", 7),
    ];
    let told = told.map(|(reason, count)| (reason.to_owned(), count));
    assert_eq!(discarded(&requests[0].body), told);
    assert_eq!(discarded(&requests[1].body), [], "told once");
}

#[test]
fn what_did_not_arrive_is_told_again_and_a_refusal_is_told_itself() {
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
    let limits = Settings {
        backoff: Duration::from_millis(10),
        ..Settings::default()
    };
    let outbox = Outbox::open(limits, vec![tracker.clone() as _], Arc::default()).unwrap();
    let send = || {
        outbox.put(Parcel::new("sentry", tracker.encode(&report("x"))).category("error"));
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
fn what_the_outbox_has_no_room_for_is_told() {
    let listener = Listener::start(Answers::Stall);
    let tracker = with_dsn(&dsn(&listener), 1.0, origin()).unwrap();
    let limits = Settings {
        backoff: Duration::from_millis(10),
        attempt: Duration::from_secs(1),
        max_bytes: 40_000,
        ..Settings::default()
    };
    let outbox = Outbox::open(limits, vec![tracker.clone() as _], Arc::default()).unwrap();
    let put = || {
        let body = tracker.encode(&report(&"x".repeat(7_000)));
        outbox.put(Parcel::new("sentry", body).category("error"));
    };
    (0..20).for_each(|_| put());
    let stalled = tracker.concurrency();
    listener.wait_for(stalled);
    listener.usually(Answers::status(200, "{}"));
    let delivered = outbox.flush(LONG).delivered();
    // Several go at once: what is told of is in the one or the other.
    let told = listener.requests().split_off(stalled);
    let told = told.iter().flat_map(|r| discarded(&r.body));
    let told: Vec<(String, u64)> = told.collect();
    let only = told.iter().all(|(reason, _)| reason == "cache_overflow");
    let lost: u64 = told.iter().map(|(_, count)| count).sum();
    assert!(
        only && delivered < 20 && lost == 20 - delivered,
        "{delivered} {told:?}"
    );
}

#[test]
fn what_becomes_too_old_is_told_with_what_kept_it() {
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
        let limits = Settings {
            // Shorter than the limit: else it is what keeps them when that is over.
            backoff: Duration::from_millis(500),
            max_age: Duration::from_millis(50),
            upkeep: Duration::from_millis(10),
            ..Settings::default()
        };
        let stats = Arc::<Stats>::default();
        let outbox = Outbox::open(limits, vec![tracker.clone() as _], stats.clone()).unwrap();
        let put = || {
            outbox.put(Parcel::new("sentry", tracker.encode(&report("x"))).category("error"));
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
        let expired = stats.counter("llm_observe_deliveries_total", &labels);
        until(&|| expired.get() > 0);
        listener.usually(Answers::status(200, "{}"));
        until(&|| {
            let requests = listener.requests();
            let mut told = requests.iter().flat_map(|request| discarded(&request.body));
            told.any(|(told, _)| told == reason)
        });
    }
}

#[test]
fn a_dsn_that_is_none_is_an_error_that_does_not_show_it() {
    for bad in [
        "",
        "secretkey",
        "https://sentry.io/1",
        "https://secretkey@sentry.io/",
    ] {
        let error = with_dsn(bad, 1.0, origin()).err().unwrap().to_string();
        assert!(
            error.starts_with("trackers.sentry.dsn must be like") && !error.contains("secretkey"),
            "{error}"
        );
    }
}

/// Asks Sentry's own Relay; skipped where Python or its package is missing.
fn relay_complains(envelope: &[u8]) -> Option<String> {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    let python = peers::python("sentry_relay", "sentry-relay")?;
    let mut child = Command::new(&python)
        .arg(peers::SENTRY_RELAY_CHECK)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(envelope).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints: Vec<_> = said.lines().filter(|l| !l.starts_with("event ")).collect();
    let failed = !output.status.success() && complaints.is_empty();
    assert!(!failed, "it read no event");
    Some(complaints.join("\n"))
}

/// One envelope with the events of many.
fn all_in_one(reports: &[Report]) -> Vec<u8> {
    let mut all = b"{}\n".to_vec();
    for report in reports {
        let one = encode(report, &origin());
        let items = one.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        all.extend_from_slice(&one[items..]);
    }
    all
}

#[test]
fn relay_finds_nothing_invalid_in_an_event() {
    let frame = Frame {
        function: "rag::query".into(),
        file: "src/lib.rs".into(),
        line: 7,
        column: 3,
    };
    let failed = report("refused");
    let panicked = Report {
        outcome: Outcome::Panic,
        frames: vec![frame],
        ..report("index out of bounds")
    };
    let said = relay_complains(&all_in_one(&[failed, panicked]));
    assert_eq!(said.unwrap_or_default(), "");
}

#[test]
fn relay_finds_nothing_to_cut_in_what_was_cut() {
    let said = relay_complains(&all_in_one(&all_kinds()));
    assert_eq!(said.unwrap_or_default(), "");
}
