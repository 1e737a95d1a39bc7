use std::time::Duration;

use super::*;
use crate::{
    listener::{Listener, Reply},
    outbox::{Outbox, OutboxOptions},
};

#[test]
fn the_signature_is_the_hmac_of_time_and_body() {
    // RFC 4231 defines the function; this value is of Python's `hmac` over `12.{}`.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
    assert_eq!(signature(&key, 12, b"{}"), EXPECTED);
    assert_ne!(signature(&key, 13, b"{}"), EXPECTED);
}

const EXPECTED: &str = "t=12,v1=773e3168d620c0ffe05ebb73e13b0cded4fe6220daed68d8fcb2a796f2d784dc";

#[test]
fn it_posts_json_and_signs_what_it_posts() {
    let listener = Listener::start(Reply::status(204, ""));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
    let post = JsonEndpoint::new("x", &listener.url("/in"), Vec::new()).unwrap();
    let channel: Arc<dyn Channel> = Arc::new(WebhookChannel {
        name: "hook".into(),
        secret: Some(key.clone()),
        post,
    });
    let outbox = Outbox::open(
        OutboxOptions::default(),
        vec![channel.clone() as _],
        Arc::default(),
    )
    .unwrap();
    let notice = Notice {
        trace_url: Some("https://t.example/4bf9".into()),
        ..Notice::test(1_000_000)
    };
    outbox.put(Parcel::new("hook", channel.encode(&Redacted::for_test(notice))).key("t"));
    assert_eq!(outbox.flush(Duration::from_secs(20)).delivered(), 1);
    let request = &listener.requests()[0];
    let said = request.header("x-llm-observe-signature").unwrap();
    let seconds = said
        .strip_prefix("t=")
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(said, signature(&key, seconds, &request.body));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        (body["status"].as_str(), body["event"].as_str()),
        (Some("test"), Some("test"))
    );
    assert_eq!(body["trace_url"], "https://t.example/4bf9");
}

#[test]
fn a_delayed_message_shows_its_delay_under_its_signature() {
    let mut parcel = Parcel::new("hook", Redacted::for_test(br#"{"version":1}"#.to_vec()));
    assert_eq!(with_delay(&parcel), parcel.body(), "in time");
    parcel.created -= 7_200 * 1_000_000;
    let body: Value = serde_json::from_slice(&with_delay(&parcel)).unwrap();
    assert_eq!(body, json!({"version": 1, "delivered": "2 h late"}));
}
