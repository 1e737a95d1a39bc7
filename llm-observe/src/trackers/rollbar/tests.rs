use std::time::Duration;

use super::*;
use crate::{
    listener::{Listener, Reply},
    outbox::{Outbox, OutboxOptions},
};

fn report() -> Report {
    let frame = Frame {
        function: "rag::query".into(),
        file: "src/lib.rs".into(),
        line: 7,
        column: 3,
    };
    Report {
        event: "query".into(),
        type_name: "rag::QueryError".into(),
        message: "refused".into(),
        chain: vec!["connection reset".into()],
        frames: vec![frame],
        ..Report::test()
    }
}

#[test]
fn an_item_is_as_rollbars_own_client_sends_it() {
    let listener =
        Listener::start(Reply::status(200, r#"{"err":0}"#)).script([Reply::status(503, "")]);
    let url = listener.url("/api/1/item/");
    let post =
        JsonEndpoint::new("x", &url, vec![("X-Rollbar-Access-Token", "token".into())]).unwrap();
    let origin = Origin {
        release: "1.2.3".into(),
        host: "web-1".into(),
        ..Origin::default()
    };
    let tracker: Arc<dyn Tracker> = Arc::new(RollbarTracker { origin, post });
    let limits = OutboxOptions {
        backoff: Duration::from_millis(10),
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(limits, vec![tracker.clone() as _], Arc::default()).unwrap();
    outbox.put(Parcel::new(
        "rollbar",
        tracker.encode(&Redacted::for_test(report())),
    ));
    assert_eq!(outbox.flush(Duration::from_secs(20)).delivered(), 1);
    let request = &listener.requests()[1];
    assert_eq!(request.line, "POST /api/1/item/ HTTP/1.1");
    assert_eq!(request.header("x-rollbar-access-token"), Some("token"));
    let data = serde_json::from_slice::<Value>(&request.body).unwrap()["data"].clone();
    assert_eq!(
        (data["environment"].as_str(), data["level"].as_str()),
        (Some("production"), Some("error"))
    );
    let chain = data["body"]["trace_chain"].as_array().unwrap();
    assert_eq!(
        chain[0]["exception"],
        json!({"class": "rag::QueryError", "message": "refused"})
    );
    assert_eq!(chain[0]["frames"][0]["filename"], "src/lib.rs");
    assert_eq!(chain[1]["exception"]["message"], "connection reset");
    let kinds = ["trace", "trace_chain", "message", "crash_report"];
    let body = data["body"].as_object().unwrap();
    let one = kinds.iter().filter(|kind| body.contains_key(**kind));
    assert_eq!(one.count(), 1, "exactly one of them");
    assert_eq!(data["server"]["host"], "web-1");
    let uuid = data["uuid"].as_str().unwrap();
    assert!(uuid.len() == 36 && uuid.as_bytes()[14] == b'4', "{uuid}");
}

#[test]
fn a_large_report_is_cut_to_what_rollbar_takes() {
    let huge = "\u{1}".repeat(100_000);
    let fields = (0..200).map(|n| {
        (
            format!("{n}"),
            crate::kernel::value::Value::Str(huge.clone()),
        )
    });
    let large = Report {
        message: huge.clone(),
        chain: vec![huge.clone(); 50],
        fields: fields.collect(),
        ..report()
    };
    let post = JsonEndpoint::new("x", "http://127.0.0.1:1", Vec::new()).unwrap();
    let tracker = RollbarTracker {
        origin: Origin::default(),
        post,
    };
    let body = tracker.encode(&Redacted::for_test(large));
    assert!(body.len() <= MOST_BYTES, "{}", body.len());
    let item: Value = serde_json::from_slice(&body).unwrap();
    let chain = item["data"]["body"]["trace_chain"].as_array().unwrap();
    assert!(chain[0]["exception"]["message"].as_str().unwrap().len() >= 100);
}
