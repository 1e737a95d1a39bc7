//! Sent requests, by real clients to a real listener: what is recorded of them, and that they pass
//! unchanged.

mod bounds;
mod limits;
mod model_responses;
mod outcomes;
mod redirects;
mod retries;
mod tower;
mod traces;

use std::{sync::Once, time::Duration};

use llm_observe::{
    Value,
    http::client,
    testing::{Call, TestObserver},
};
use llm_observe_tests::listener::{Listener, Reply};
use reqwest_middleware::ClientWithMiddleware;

/// Returns a builder of clients with a timeout.
fn builder() -> reqwest::ClientBuilder {
    // The examples of this workspace turn `reqwest/rustls-no-provider` on for all of it.
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30))
}

/// Returns an observed client.
fn observed() -> ClientWithMiddleware {
    client::from_builder(builder()).unwrap()
}

/// Returns an observed client that sends `traceparent`.
fn propagating() -> ClientWithMiddleware {
    client::propagating(builder()).unwrap()
}

/// Returns a client that is not observed.
fn plain() -> reqwest::Client {
    builder().build().unwrap()
}

/// Returns the only sent request that was recorded.
#[track_caller]
fn only(seen: &TestObserver) -> Call {
    let mut calls = seen.calls_of("http_call");
    assert_eq!(calls.len(), 1, "{calls:#?}");
    calls.remove(0)
}

/// Returns the text of a field.
fn text<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    match call.fields.get(name)? {
        Value::Str(text) => Some(text),
        other => panic!("{name} is {other:?}"),
    }
}

/// Returns the number of a field.
fn number(call: &Call, name: &str) -> Option<u64> {
    match call.fields.get(name)? {
        Value::U64(number) => Some(*number),
        other => panic!("{name} is {other:?}"),
    }
}

/// Returns the value of the only series of `name` that has all of `labels`.
#[track_caller]
fn sample(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let mut series = metrics.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('{')) && labels.iter().all(|l| line.contains(l))
    });
    let line = series.next()?;
    assert_eq!(series.next(), None, "more than one");
    line.rsplit(' ').next()?.parse().ok()
}

fn json(body: &str) -> Reply {
    Reply::Status(
        200,
        vec![("Content-Type", "application/json".to_owned())],
        body.to_owned(),
    )
}

/// A model's response to a chat.
const CHAT: &str = r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"a \"usage\": {} of braces"},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":4}}}"#;

const COMPLETIONS: &str = "/v1/chat/completions";

/// Returns a listener that responds like a model.
fn model() -> Listener {
    Listener::start(json(CHAT))
}
