use std::{sync::Arc, time::Duration};

use serde_json::Value;

mod delivery;
mod discards;
mod relay;
mod sizes;

use super::{
    envelope::{MOST_BYTES, encode},
    event,
    tracker::with_dsn,
};
use crate::{
    breadcrumbs::Breadcrumb,
    kernel::{
        outcome::{ErrorClass, Outcome},
        stats::Stats,
    },
    listener::{Listener, Reply as Answers},
    outbox::{LossReason, Outbox, OutboxOptions, Parcel, origin::Origin},
    redact::Redacted,
    trackers::{
        frames::Frame,
        report::{Report, RequestInfo},
        size::ReportSize,
        tracker::Tracker,
    },
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

#[test]
fn operations_of_models_have_the_names_of_the_views_of_agents() {
    let number = crate::Value::U64;
    let mut report = report("busy");
    report.fields.extend([
        (
            "gen_ai.operation.name".into(),
            crate::Value::Str("chat".into()),
        ),
        ("gen_ai.usage.output_tokens".into(), number(8)),
        ("gen_ai.usage.cache_read.input_tokens".into(), number(5)),
        ("gen_ai.usage.reasoning.output_tokens".into(), number(3)),
        ("gen_ai.usage.cost".into(), crate::Value::F64(0.25)),
    ]);
    let event = serde_json::to_value(event::event(&report, &origin(), ReportSize::FULL)).unwrap();
    assert_eq!(event["contexts"]["trace"]["op"], "gen_ai.chat");
    let genai = &event["contexts"]["gen_ai"];
    assert_eq!(genai["gen_ai.usage.input_tokens"], 42);
    assert_eq!(genai["gen_ai.usage.total_tokens"], 50);
    assert_eq!(genai["gen_ai.usage.input_tokens.cached"], 5);
    assert_eq!(genai["gen_ai.usage.output_tokens.reasoning"], 3);
    assert_eq!(genai["gen_ai.cost.total_tokens"], 0.25);
}

fn dsn(listener: &Listener) -> String {
    format!("http://publickey@{}/42", listener.address())
}

fn open(listener: &Listener) -> (Outbox, Arc<dyn Tracker>) {
    let tracker = with_dsn(&dsn(listener), 1.0, origin()).unwrap();
    let settings = OutboxOptions {
        backoff: Duration::from_millis(10),
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(settings, vec![tracker.clone() as _], Arc::default()).unwrap();
    (outbox, tracker)
}

/// Puts a report into the outbox.
fn put(outbox: &Outbox, tracker: &dyn Tracker, report: Report) {
    let body = tracker.encode(&Redacted::for_test(report));
    outbox.put(Parcel::new("sentry", body).category(tracker.category()));
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
fn an_event_contains_what_a_developer_needs() {
    let listener = Listener::start(Answers::status(200, r#"{"id":"x"}"#));
    let (outbox, tracker) = open(&listener);
    let report = report("refused");
    put(&outbox, &*tracker, report.clone());
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
        event::event(&report, &origin(), ReportSize::FULL).extra
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
    let event: Value =
        serde_json::to_value(event::event(&report, &origin(), ReportSize::FULL)).unwrap();
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
fn breadcrumbs_and_the_request_are_in_the_event() {
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
            session_url: Some(link.into()),
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
