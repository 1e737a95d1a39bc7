//! Model servers that misbehave in the middle of an answer: nothing panics, each call is recorded once, and with what
//! is true of it. Through a stream of the program's own, and through an observed client.

use std::{error::Error, fmt, sync::Once, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use llm_observe::{Elapsed, ErrorClass, Outcome, genai::Usage, observe, testing};
use llm_observe_tests::{
    listener::{Listener, Reply, Then},
    metrics::assert_documented,
};
use serde_json::Value;

const WORD: &str =
    r#"{"id":"c-1","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"so"}}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10}}"#;

#[derive(Debug)]
enum ChatError {
    Http(reqwest::Error),
    Json(serde_json::Error),
    /// What the server says after its 200.
    Server(String),
    Late(Elapsed),
}

impl fmt::Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChatError::Http(_) => f.write_str("no answer"),
            ChatError::Json(_) => f.write_str("an event is no JSON"),
            ChatError::Server(why) => write!(f, "the server says: {why}"),
            ChatError::Late(_) => f.write_str("too late"),
        }
    }
}

impl Error for ChatError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ChatError::Http(error) => Some(error),
            ChatError::Json(error) => Some(error),
            ChatError::Late(elapsed) => Some(elapsed),
            ChatError::Server(_) => None,
        }
    }
}

impl From<Elapsed> for ChatError {
    fn from(elapsed: Elapsed) -> ChatError {
        ChatError::Late(elapsed)
    }
}

fn builder() -> reqwest::ClientBuilder {
    // The examples of this workspace turn `reqwest/rustls-no-provider` on for all of it.
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy()
}

/// Reads server-sent events as a program does that has no library for it.
#[observe(operation = chat, provider = "openai", model = "gpt-4o", stream,
          timeout(first = "5s", idle = "300ms", total = "1m"))]
async fn chat(
    url: &str,
) -> Result<impl Stream<Item = Result<Value, ChatError>> + use<>, ChatError> {
    let response = builder().build().unwrap().get(url).send().await;
    let response = response.and_then(reqwest::Response::error_for_status);
    let bytes = response.map_err(ChatError::Http)?.bytes_stream();
    let mut rest = Vec::new();
    let events = bytes.map(move |bytes| match bytes {
        Err(error) => vec![Err(ChatError::Http(error))],
        Ok(bytes) => {
            rest.extend_from_slice(&bytes);
            let mut events = Vec::new();
            while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = rest.drain(..end + 2).collect();
                events.extend(event_of(&event));
            }
            events
        }
    });
    Ok(events.flat_map(stream::iter))
}

fn event_of(event: &[u8]) -> Option<Result<Value, ChatError>> {
    let lines = event.split(|byte| *byte == b'\n');
    let data = lines
        .filter_map(|line| line.strip_prefix(b"data: "))
        .next()?;
    if data == b"[DONE]" {
        return None;
    }
    let value: Value = match serde_json::from_slice(data) {
        Ok(value) => value,
        Err(error) => return Some(Err(ChatError::Json(error))),
    };
    Some(match value.get("error") {
        Some(error) => Err(ChatError::Server(error.to_string())),
        None => Ok(value),
    })
}

/// Reads the whole body through an observed client, which reads it too.
#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
async fn whole(url: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let client = builder().timeout(Duration::from_secs(5));
    let client = llm_observe::http::client::from_builder(client)?;
    let response = client.post(url).send().await?;
    Ok(response.bytes().await?.to_vec())
}

fn event(data: impl AsRef<[u8]>) -> Vec<u8> {
    [b"data: ", data.as_ref(), b"\n\n"].concat()
}

fn server(pieces: Vec<Vec<u8>>, then: Then) -> Listener {
    let headers = vec![("Content-Type", "text/event-stream".to_owned())];
    Listener::start(Reply::Pieces(headers, pieces, then))
}

/// Reads to the end, and returns how many items were errors, and the call.
async fn read(listener: &Listener) -> (usize, testing::Call, String) {
    let seen = testing::observe();
    let url = listener.url("/v1/chat/completions");
    let errors = match chat(&url).await {
        Ok(items) => {
            items
                .filter(|item| std::future::ready(item.is_err()))
                .count()
                .await
        }
        Err(_) => 0,
    };
    one(seen, errors, "chat")
}

/// Reads the same through an observed client.
async fn read_whole(listener: &Listener) -> (bool, testing::Call, String) {
    let seen = testing::observe();
    let result = whole(&listener.url("/v1/chat/completions")).await;
    one(seen, result.is_err(), "whole")
}

fn one<T>(seen: testing::TestObserver, result: T, event: &str) -> (T, testing::Call, String) {
    let metrics = seen.metrics();
    assert_documented(&metrics);
    let mut calls = seen.calls_of(event);
    assert_eq!(calls.len(), 1);
    (result, calls.remove(0), metrics)
}

fn class(call: &testing::Call) -> Option<ErrorClass> {
    call.error.as_ref().map(|error| error.class)
}

fn has(metrics: &str, name: &str) -> bool {
    metrics
        .lines()
        .any(|line| line.starts_with(name) && !line.ends_with(" 0"))
}

#[tokio::test]
async fn broken_utf_8_fails_its_event_and_no_other() {
    let broken = event(b"{\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\x80\"}}]}");
    let pieces = vec![
        event(WORD),
        broken,
        event(STOP),
        event(USAGE),
        event("[DONE]"),
    ];
    let listener = server(pieces, Then::End);
    let (errors, call, metrics) = read(&listener).await;
    assert_eq!((errors, call.outcome), (1, Outcome::Error));
    // What came after it counts.
    assert_eq!(
        (call.usage(), call.chunks),
        (Some(Usage::new(19, 10)), Some(4))
    );
    assert!(has(&metrics, "llm_observe_tokens_total"));
    let (failed, call, _) = read_whole(&listener).await;
    assert!(!failed);
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
}

#[tokio::test]
async fn an_event_in_pieces_in_the_middle_of_a_letter_is_one_event() {
    let text = event("{\"choices\":[{\"delta\":{\"content\":\"süß\"}}]}");
    let middle = text.iter().position(|byte| *byte > 127).unwrap() + 1;
    let (left, right) = text.split_at(middle);
    let pieces = vec![left.to_vec(), right.to_vec(), event(STOP), event(USAGE)];
    let listener = server(pieces, Then::End);
    let (errors, call, _) = read(&listener).await;
    assert_eq!(
        (errors, call.outcome, call.chunks),
        (0, Outcome::Ok, Some(3))
    );
    let (_, call, _) = read_whole(&listener).await;
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
}

#[tokio::test]
async fn without_done_the_end_is_the_end() {
    let listener = server(vec![event(WORD), event(STOP), event(USAGE)], Then::End);
    let (errors, call, _) = read(&listener).await;
    assert_eq!((errors, call.outcome), (0, Outcome::Ok));
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
    assert!(call.cost().usd().is_some());
    let (_, call, _) = read_whole(&listener).await;
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
}

#[tokio::test]
async fn of_two_usages_the_later_counts() {
    let first = r#"{"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":3}}"#;
    let pieces = vec![
        event(WORD),
        event(first),
        event(STOP),
        event(USAGE),
        event("[DONE]"),
    ];
    let listener = server(pieces, Then::End);
    let (_, call, metrics) = read(&listener).await;
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
    assert!(metrics.contains("type=\"input\"} 19\n") && metrics.contains("type=\"output\"} 10\n"));
    let (_, call, metrics) = read_whole(&listener).await;
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
    assert!(metrics.contains("type=\"input\"} 19\n") && metrics.contains("type=\"output\"} 10\n"));
}

#[tokio::test]
async fn a_usage_that_cannot_be_is_missing_and_not_0() {
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":-5,"completion_tokens":1e30}}"#;
    let listener = server(vec![event(WORD), event(STOP), event(usage)], Then::End);
    for (call, metrics) in [
        {
            let (_, call, metrics) = read(&listener).await;
            (call, metrics)
        },
        {
            let (_, call, metrics) = read_whole(&listener).await;
            (call, metrics)
        },
    ] {
        assert_eq!((call.outcome, call.usage()), (Outcome::Ok, None));
        assert_eq!(call.cost().usd(), None);
        assert!(
            has(&metrics, "llm_observe_usage_missing_total"),
            "{metrics}"
        );
        assert!(!metrics.contains("llm_observe_tokens_total{"), "{metrics}");
        assert!(
            !metrics.contains("llm_observe_cost_usd_total{"),
            "{metrics}"
        );
    }
}

#[tokio::test]
async fn an_error_event_after_200_is_an_error_of_its_class() {
    let refusal = r#"{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}"#;
    let listener = server(vec![event(WORD), event(refusal)], Then::End);
    let (errors, call, metrics) = read(&listener).await;
    assert_eq!((errors, call.outcome), (1, Outcome::Error));
    assert_eq!(class(&call), Some(ErrorClass::RateLimit));
    // A failed call misses no tokens.
    assert!(!has(&metrics, "llm_observe_usage_missing_total"));
    assert!(metrics.contains("gen_ai_response_model=\"gpt-4o-2024-08-06\""));

    let overloaded = b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let listener = server(vec![event(WORD), overloaded.to_vec()], Then::End);
    let (errors, call, _) = read(&listener).await;
    assert_eq!((errors, call.outcome), (1, Outcome::Error));
    assert_eq!(class(&call), Some(ErrorClass::Unavailable));
}

#[tokio::test]
async fn a_stall_is_a_timeout_with_what_was_used() {
    let used = r#"{"choices":[{"delta":{"content":"so"}}],"usage":{"prompt_tokens":19,"completion_tokens":1}}"#;
    let listener = server(vec![event(used), event(used)], Then::Wait);
    let (errors, call, metrics) = read(&listener).await;
    assert_eq!((errors, call.outcome), (1, Outcome::Timeout));
    assert_eq!(call.usage(), Some(Usage::new(19, 1)));
    assert!(has(
        &metrics,
        "gen_ai_client_operation_time_to_first_chunk_seconds_count"
    ));
    assert!(metrics.contains("error_type=\"timeout\""), "{metrics}");
}

#[tokio::test]
async fn a_connection_that_is_cut_is_an_error_with_what_was_used() {
    let used = r#"{"choices":[{"delta":{"content":"so"}}],"usage":{"prompt_tokens":19,"completion_tokens":1}}"#;
    let listener = server(vec![event(used)], Then::Cut);
    let (errors, call, _) = read(&listener).await;
    assert_eq!((errors, call.outcome), (1, Outcome::Error));
    assert_eq!(call.usage(), Some(Usage::new(19, 1)));
    let (failed, call, metrics) = read_whole(&listener).await;
    assert!(failed);
    assert_eq!(call.outcome, Outcome::Error);
    assert!(
        !has(&metrics, "llm_observe_usage_missing_total"),
        "{metrics}"
    );
}

#[tokio::test]
async fn what_is_no_answer_at_all_is_an_error() {
    for reply in [
        Reply::Close,
        Reply::Garbage,
        Reply::CutOff,
        Reply::status(503, "down"),
    ] {
        let listener = Listener::start(reply.clone());
        let (_, call, metrics) = read(&listener).await;
        assert_eq!(call.outcome, Outcome::Error, "{reply:?}");
        assert_eq!(call.usage(), None);
        assert!(
            !has(&metrics, "llm_observe_usage_missing_total"),
            "{metrics}"
        );
        let (_, call, _) = read_whole(&listener).await;
        assert_eq!(call.usage(), None, "{reply:?}");
    }
}

#[tokio::test]
async fn names_of_any_length_and_events_without_an_end_are_bounded() {
    let name = "m".repeat(10_000);
    let named = format!(
        r#"{{"id":"{name}","model":"{name}","choices":[{{"delta":{{}},"finish_reason":"{name}"}}]}}"#
    );
    let endless = vec![b'x'; 1 << 20];
    let pieces = vec![event(named), event(USAGE), b"data: ".to_vec(), endless];
    let listener = server(pieces, Then::End);
    let (errors, call, metrics) = read(&listener).await;
    assert_eq!((errors, call.outcome), (0, Outcome::Ok));
    assert_eq!(call.usage(), Some(Usage::new(19, 10)));
    assert!(metrics.lines().all(|line| line.len() < 1_000));
    let (_, call, metrics) = read_whole(&listener).await;
    assert_eq!(call.outcome, Outcome::Ok);
    assert!(metrics.lines().all(|line| line.len() < 1_000));
    assert!(
        call.fields
            .iter()
            .all(|(_, value)| value.to_string().len() < 1_000)
    );
}
