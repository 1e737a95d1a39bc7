use super::*;
use crate::{
    listener::{Listener, Reply as Answers},
    outbox::{Outbox, OutboxOptions},
};

#[test]
fn a_notice_is_as_airbrakes_own_client_sends_it() {
    let slow_down = Answers::Status(429, vec![("X-RateLimit-Delay", "1".into())], String::new());
    let listener = Listener::start(Answers::status(201, r#"{"id":"1"}"#)).script([slow_down]);
    let url = listener.url("/api/v3/projects/42/notices");
    let post = JsonEndpoint::new("x", &url, vec![("Authorization", "Bearer key".into())]).unwrap();
    let origin = Origin {
        environment: "production".into(),
        host: "web-1".into(),
        ..Origin::default()
    };
    let tracker: Arc<dyn Tracker> = Arc::new(AirbrakeTracker { origin, post });
    let limits = OutboxOptions {
        backoff: Duration::from_millis(10),
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(limits, vec![tracker.clone() as _], Arc::default()).unwrap();
    let report = Report {
        type_name: "rag::QueryError".into(),
        message: "refused".into(),
        ..Report::test()
    };
    outbox.put(Parcel::new(
        "airbrake",
        tracker.encode(&Redacted::for_test(report)),
    ));
    assert_eq!(outbox.flush(Duration::from_secs(20)).delivered(), 1);
    let requests = listener.requests();
    assert!(
        requests[1].at - requests[0].at >= Duration::from_millis(990),
        "X-RateLimit-Delay is kept"
    );
    assert_eq!(
        requests[1].line,
        "POST /api/v3/projects/42/notices HTTP/1.1"
    );
    assert_eq!(requests[1].header("authorization"), Some("Bearer key"));
    let notice: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(notice["errors"][0]["type"], "rag::QueryError");
    assert_eq!(notice["context"]["notifier"]["name"], "llm-observe");
    assert_eq!(
        (
            notice["context"]["severity"].as_str(),
            notice["context"]["hostname"].as_str()
        ),
        (Some("error"), Some("web-1"))
    );
    assert!(
        ["params", "session", "environment"]
            .iter()
            .all(|part| notice[part].is_object())
    );
}

#[test]
fn a_large_report_is_cut_to_what_airbrake_takes() {
    let listener = Listener::nobody();
    let post = JsonEndpoint::new("x", &format!("http://{listener}/"), Vec::new()).unwrap();
    let tracker = AirbrakeTracker {
        origin: Origin::default(),
        post,
    };
    let large = "x".repeat(100_000);
    let report = Report {
        message: large.clone(),
        chain: vec![large.clone(); 50],
        fields: vec![("field".into(), crate::Value::Str(large)); 200],
        ..Report::test()
    };
    assert!(tracker.encode(&Redacted::for_test(report)).len() <= MOST_BYTES);
}
