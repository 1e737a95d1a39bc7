//! HTTP requests to models that are observed as they are sent: the operation above counts them, or they
//! do it themselves.

use llm_observe::{Outcome, genai::Usage, observe, testing};
use llm_observe_test_support::listener::{Listener, Reply};

use crate::{is_there, value};

const BODY: &str = r#"{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","choices":[{"finish_reason":"stop"}],
    "usage":{"prompt_tokens":19,"completion_tokens":10}}"#;

fn model() -> Listener {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Listener::start(Reply::Status(200, headers, BODY.to_owned()))
}

async fn send(url: &str) -> String {
    // An error means that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = llm_observe::http::client::from_builder(reqwest::Client::builder()).unwrap();
    let response = client.post(url).send().await.unwrap();
    response.text().await.unwrap()
}

#[observe(operation = chat, model = "gpt-4o")]
async fn chat(url: &str, times: u32) -> String {
    let mut last = String::new();
    for _ in 0..times {
        last = send(url).await;
    }
    last
}

#[observe(operation = invoke_agent, agent = "a")]
async fn agent(url: &str) -> String {
    send(url).await
}

#[observe]
async fn plain(url: &str) -> String {
    send(url).await
}

fn url(listener: &Listener) -> String {
    listener.url("/v1/chat/completions")
}

fn input(metrics: &str, event: &str) -> f64 {
    let labels = [("event", event), ("type", "input")];
    value(metrics, "llm_observe_tokens_total", &labels)
}

#[tokio::test]
async fn a_chat_takes_what_its_requests_say() {
    let (seen, listener) = (testing::observe(), model());
    chat(&url(&listener), 1).await;
    let call = &seen.calls_of("chat")[0];
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
    let text = |name| call.attribute(name).unwrap().to_string();
    assert_eq!(text("gen_ai.provider.name"), "openai");
    assert_eq!(text("gen_ai.response.model"), "gpt-4o-2024-08-06");
    assert_eq!(text("gen_ai.response.finish_reasons"), "stop");
    assert!(call.cost().usd().is_some());
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    assert_eq!(input(&metrics, "chat"), 19.0);
    assert_eq!(input(&metrics, "http_call"), 0.0);
    // One operation, not two.
    let duration = "gen_ai_client_operation_duration_seconds_count";
    assert_eq!(value(&metrics, duration, &[]), 1.0);
}

#[tokio::test]
async fn tokens_of_several_requests_of_one_operation_add_up() {
    let (seen, listener) = (testing::observe(), model());
    chat(&url(&listener), 3).await;
    assert_eq!(seen.calls_of("chat")[0].usage(), Some(Usage::new(57, 30)));
    assert_eq!(input(&seen.metrics(), "chat"), 57.0);
}

#[tokio::test]
async fn a_request_in_an_agent_counts_itself_under_the_agents_event() {
    let (seen, listener) = (testing::observe(), model());
    agent(&url(&listener)).await;
    let metrics = seen.metrics();
    assert_eq!(input(&metrics, "agent"), 19.0);
    let labels = [("gen_ai_operation_name", "chat")];
    let duration = "gen_ai_client_operation_duration_seconds_count";
    assert_eq!(value(&metrics, duration, &labels), 1.0);
    assert_eq!(seen.calls_of("agent")[0].outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_request_in_no_operation_counts_itself() {
    let (seen, listener) = (testing::observe(), model());
    plain(&url(&listener)).await;
    let metrics = seen.metrics();
    assert_eq!(input(&metrics, "http_call"), 19.0);
    let labels = [("event", "http_call"), ("provider", "openai")];
    assert!(value(&metrics, "llm_observe_cost_usd_total", &labels) > 0.0);
    assert!(!is_there(&metrics, "llm_observe_usage_missing_total"));
}

/// Sends a request in a task that goes on after the chat has ended, as clients do that read streams in the
/// background.
#[observe(operation = chat, model = "gpt-4o")]
async fn chat_that_leaves(url: String) -> Vec<tokio::task::JoinHandle<String>> {
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let request = llm_observe::spawn(async move {
        let _ = wait.await;
        send(&url).await
    });
    // It is asked for once the chat has ended.
    tokio::spawn(async move {
        tokio::task::yield_now().await;
        let _ = go.send(());
    });
    vec![request]
}

#[tokio::test]
async fn a_request_that_outlives_its_chat_is_no_second_operation() {
    let (seen, listener) = (testing::observe(), model());
    for request in chat_that_leaves(url(&listener)).await {
        request.await.unwrap();
    }
    let metrics = seen.metrics();
    assert_eq!(input(&metrics, "chat_that_leaves"), 19.0);
    let duration = "gen_ai_client_operation_duration_seconds_count";
    assert_eq!(value(&metrics, duration, &[]), 1.0);
}
