use std::{collections::HashSet, time::Duration};

use serde_json::Value;

use super::*;
use crate::{
    listener::{Listener, Reply as Answers},
    outbox::{Outbox, Settings},
    outcome::{Class, Outcome},
    record,
    trackers::Frame,
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
        class: Class::Connection,
        chain: vec!["tls handshake".into(), "connection reset".into()],
        fields: vec![
            ("user".into(), record::Value::Str("alice".into())),
            ("gen_ai.usage.input_tokens".into(), record::Value::U64(42)),
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
    let event: Value = serde_json::to_value(event::event(&report, &origin())).unwrap();
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
fn a_huge_report_is_cut_and_not_refused_whole() {
    let huge = "x".repeat(3_000_000);
    let report = Report {
        chain: vec![huge.clone(); 50],
        fields: vec![("field".into(), record::Value::Str(huge.clone())); 500],
        type_name: huge.clone(),
        ..report(&huge)
    };
    let bytes = serde_json::to_vec(&event::event(&report, &origin())).unwrap();
    assert!(bytes.len() < 1_000_000, "{}", bytes.len());
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
#[test]
fn relay_finds_nothing_invalid_in_an_event() {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

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
    let python = std::env::var("LLM_OBSERVE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/peers/sentry_event.py"
    );
    for report in [failed, panicked] {
        let event = serde_json::to_vec(&event::event(&report, &origin())).unwrap();
        let child = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            println!("skipped: no {python}");
            return;
        };
        // It may have ended without reading: its status says why.
        let _ = child.stdin.take().unwrap().write_all(&event);
        let output = child.wait_with_output().unwrap();
        if output.status.code() == Some(77) {
            println!("skipped: no sentry-relay for {python}");
            return;
        }
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
    }
}
