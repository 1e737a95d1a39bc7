//! An observed client of `async-openai`, against a local server: what is recorded of its requests, under
//! the annotated function that makes them.

mod attempts;
mod streams;

use std::{sync::Once, time::Duration};

use async_openai::types::{
    embeddings::{CreateEmbeddingRequest, EmbeddingInput},
    responses::{CreateResponse, InputParam},
};
use llm_observe::{
    Outcome, Value,
    testing::{self, Call, TestObserver},
};
use llm_observe_tests::listener::{Listener, Reply};
use tracing::Level;

include!("page.rs");

const PAGE: &str = include_str!("../../../docs/http_client.md");

type OpenAi = Client<OpenAIConfig>;

const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4.1-mini-2025-04-14","choices":[{"index":0,"message":{"role":"assistant","content":"42"},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}"#;

const RESPONSE: &str = r#"{"id":"resp_1","object":"response","created_at":1,"model":"gpt-4.1-mini-2025-04-14","status":"completed","output":[],"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":12}}"#;

const EMBEDDINGS: &str = r#"{"object":"list","model":"text-embedding-3-small","data":[{"index":0,"object":"embedding","embedding":[0.5]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;

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

fn http() -> reqwest::Client {
    builder().build().unwrap()
}

fn config(listener: &Listener) -> OpenAIConfig {
    OpenAIConfig::new()
        .with_api_base(listener.url("/v1"))
        .with_api_key("sk-none")
}

/// Returns an observed client of the server at `listener`.
fn client_of(listener: &Listener) -> OpenAi {
    openai(http(), config(listener))
}

/// Returns an answer in JSON, with the rate limits of a server that allows 60 requests.
fn json(status: u16, body: &str, remaining: u32) -> Reply {
    let headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("x-ratelimit-limit-requests", "60".to_owned()),
        ("x-ratelimit-remaining-requests", remaining.to_string()),
    ];
    Reply::Status(status, headers, body.to_owned())
}

fn number(call: &Call, name: &str) -> Option<u64> {
    match call.fields.get(name)? {
        Value::U64(number) => Some(*number),
        other => panic!("{name} is {other:?}"),
    }
}

/// Returns the tokens of a call: input and output.
fn tokens(call: &Call) -> [Option<u64>; 2] {
    ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"].map(|name| number(call, name))
}

/// Returns the value of the only series of `name` that has `label`.
#[track_caller]
fn sample(metrics: &str, name: &str, label: &str) -> Option<f64> {
    let mut series = metrics.lines().filter(|line| {
        let labels = line.strip_prefix(name);
        labels.is_some_and(|labels| labels.starts_with('{') && labels.contains(label))
    });
    let line = series.next()?;
    assert_eq!(series.next(), None, "more than one");
    line.rsplit(' ').next()?.parse().ok()
}

/// Returns the sent requests, after a check that all are calls below the only call of `event`.
#[track_caller]
fn requests_of(seen: &TestObserver, event: &str) -> Vec<Call> {
    let callers = seen.calls_of(event);
    let [caller] = &callers[..] else {
        panic!("{callers:#?}")
    };
    let calls = seen.calls_of("http_call");
    for call in &calls {
        assert_eq!(call.trace_id, caller.trace_id);
        assert_eq!(call.parent_id, caller.span_id, "{call:#?}");
    }
    calls
}

/// The example of the page is compiled here, and every test runs it.
#[test]
fn the_example_of_the_page_is_this_one() {
    let block = format!("```rust\n{}```\n", include_str!("page.rs"));
    assert!(PAGE.contains(&block), "docs/http_client.md has another one");
}

#[tokio::test]
async fn a_chat_is_a_call_below_the_function() {
    let (seen, listener) = (testing::observe(), Listener::start(json(200, CHAT, 59)));
    let client = client_of(&listener);
    assert_eq!(answer(&client, "why?").await.unwrap(), "42");
    let [call] = &requests_of(&seen, "answer")[..] else {
        panic!("one request")
    };
    assert_eq!((call.outcome, call.level), (Outcome::Ok, Level::DEBUG));
    assert_eq!(tokens(call), [Some(19), Some(10)]);
    assert_eq!(number(call, "http.request.resend_count"), None);
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    let remaining = sample(&metrics, "llm_observe_ratelimit_remaining", "requests");
    assert_eq!(remaining, Some(59.0));
}

#[observe(event = "respond")]
async fn respond(client: &OpenAi) -> Result<String, OpenAIError> {
    let request = CreateResponse {
        model: Some("gpt-4.1-mini".to_owned()),
        input: InputParam::Text("why?".to_owned()),
        ..CreateResponse::default()
    };
    Ok(client.responses().create(request).await?.id)
}

#[observe(event = "embed")]
async fn embed(client: &OpenAi) -> Result<usize, OpenAIError> {
    let request = CreateEmbeddingRequest {
        model: "text-embedding-3-small".to_owned(),
        input: EmbeddingInput::String("why?".to_owned()),
        ..CreateEmbeddingRequest::default()
    };
    Ok(client.embeddings().create(request).await?.data.len())
}

#[tokio::test]
async fn responses_and_embeddings_have_their_tokens() {
    let seen = testing::observe();
    let listener = Listener::start(json(200, RESPONSE, 59));
    assert_eq!(respond(&client_of(&listener)).await.unwrap(), "resp_1");
    let calls = requests_of(&seen, "respond");
    assert_eq!(tokens(&calls[0]), [Some(7), Some(5)]);

    let seen = testing::observe();
    let listener = Listener::start(json(200, EMBEDDINGS, 59));
    assert_eq!(embed(&client_of(&listener)).await.unwrap(), 1);
    let calls = requests_of(&seen, "embed");
    assert_eq!(tokens(&calls[0]), [Some(8), None]);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let (seen, listener) = (testing::observe(), Listener::start(Reply::CutOff));
    let error = answer(&client_of(&listener), "why?").await.unwrap_err();
    assert!(matches!(error, OpenAIError::Reqwest(_)), "{error:?}");
    let calls = requests_of(&seen, "answer");
    assert_eq!(
        calls.len(),
        1,
        "an answer that has begun is not asked again"
    );
    assert_eq!(calls[0].outcome, Outcome::Error);
}

#[tokio::test]
async fn a_server_that_stalls_is_a_timeout() {
    let (seen, listener) = (testing::observe(), Listener::start(Reply::Stall));
    let http = builder().timeout(Duration::from_millis(100));
    let client = openai(http.build().unwrap(), config(&listener));
    answer(&client, "why?").await.unwrap_err();
    let calls = requests_of(&seen, "answer");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].outcome, Outcome::Timeout);
    assert_eq!(seen.calls_of("answer")[0].outcome, Outcome::Error);
}

#[tokio::test]
async fn a_propagating_client_sends_the_trace() {
    let seen = testing::observe_with("[http]\npropagate = [\"127.0.0.1\"]\n").unwrap();
    let listener = Listener::start(json(200, CHAT, 59)).script([json(500, "", 59)]);
    let service = client::AsyncOpenAiService::from(client::propagating(builder()).unwrap());
    let client = Client::build(http(), config(&listener)).with_http_service(service);
    answer(&client, "why?").await.unwrap();
    let calls = requests_of(&seen, "answer");
    let sent = listener.requests();
    assert_eq!(sent.len(), 2);
    for (call, request) in calls.iter().zip(&sent) {
        let parent = format!("00-{}-{}-01", call.trace_id, call.span_id);
        assert_eq!(request.header("traceparent"), Some(&*parent));
    }
}

#[tokio::test]
async fn nothing_changes_without_an_observer() {
    let listener = Listener::start(json(200, CHAT, 59));
    let own = Client::build(http(), config(&listener));
    for client in [own, client_of(&listener)] {
        assert_eq!(answer(&client, "why?").await.unwrap(), "42");
    }
    let [first, second] = &listener.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(
        (&first.line, &first.headers, &first.body),
        (&second.line, &second.headers, &second.body)
    );
}
