//! Streams: `async-openai` reads them in a task of its own, up to `[DONE]`.

use std::time::Duration;

use async_openai::types::{
    chat::{ChatCompletionResponseStream, ChatCompletionStreamOptions},
    responses::{CreateResponse, InputParam, ResponseStream},
};
use futures_util::{Stream, StreamExt};
use llm_observe::{
    ErrorClass, Outcome, observe,
    testing::{self, TestObserver},
};
use llm_observe_tests::listener::{Listener, Reply, Then};

use super::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, OpenAIError, OpenAi, RESPONSE,
    builder, client_of, config, openai, requests_of, sample, tokens,
};

const HEAD: &str = r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-mini","choices":[{"index":0,"delta":{"role":"assistant","content":"42"},"finish_reason":null}],"usage":null}

"#;
const STOP: &str = r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

"#;
const USAGE: &str = r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-mini","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}

"#;
const DONE: &str = "data: [DONE]\n\n";

/// Returns a stream of these events, each in a piece of its own.
fn events(events: &[&str], then: Then) -> Reply {
    let headers = vec![("Content-Type", "text/event-stream".to_owned())];
    let pieces = events.iter().map(|event| event.as_bytes().to_vec());
    Reply::Pieces(headers, pieces.collect(), then)
}

#[observe(event = "answer")]
async fn stream(client: &OpenAi) -> Result<ChatCompletionResponseStream, OpenAIError> {
    let request = CreateChatCompletionRequest {
        model: "gpt-4.1-mini".to_owned(),
        messages: vec![ChatCompletionRequestUserMessage::from("why?").into()],
        stream_options: Some(ChatCompletionStreamOptions {
            include_usage: Some(true),
            include_obfuscation: None,
        }),
        ..CreateChatCompletionRequest::default()
    };
    client.chat().create_stream(request).await
}

#[observe(event = "respond")]
async fn stream_response(client: &OpenAi) -> Result<ResponseStream, OpenAIError> {
    let request = CreateResponse {
        model: Some("gpt-4.1-mini".to_owned()),
        input: InputParam::Text("why?".to_owned()),
        ..CreateResponse::default()
    };
    client.responses().create_stream(request).await
}

/// Waits until the sent request has ended: the reader is a task of the library.
async fn ended(seen: &TestObserver) {
    let ended = async {
        while seen.calls_of("http_call").is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, ended).await.expect("ends");
}

/// Reads a stream to its end, and returns how many events it had.
async fn read<T>(stream: impl Stream<Item = Result<T, OpenAIError>>) -> usize {
    let results: Vec<_> = stream.collect().await;
    let count = results.len();
    assert!(results.into_iter().all(|result| result.is_ok()));
    count
}

#[tokio::test]
async fn a_stream_ends_with_its_last_event() {
    for then in [Then::End, Then::Wait] {
        let seen = testing::observe();
        let listener = Listener::start(events(&[HEAD, STOP, USAGE, DONE], then));
        let stream = stream(&client_of(&listener)).await.unwrap();
        assert_eq!(seen.calls_of("answer").len(), 1, "the function has ended");
        assert_eq!(read(stream).await, 3);
        ended(&seen).await;
        let call = requests_of(&seen, "answer").remove(0);
        assert_eq!(call.outcome, Outcome::Ok);
        assert_eq!(tokens(&call), [Some(9), Some(12)]);
        let first = call.fields.get("gen_ai.response.time_to_first_chunk");
        assert!(first.is_some(), "{:?}", call.fields);
        let metrics = seen.metrics();
        llm_observe_tests::metrics::assert_documented(&metrics);
        let sum = sample(&metrics, "gen_ai_client_token_usage_sum", "\"output\"");
        assert_eq!(sum, Some(12.0));
    }
}

#[tokio::test]
async fn a_stream_without_tokens_is_counted() {
    let seen = testing::observe();
    let listener = Listener::start(events(&[HEAD, STOP, DONE], Then::Wait));
    let stream = stream(&client_of(&listener)).await.unwrap();
    assert_eq!(read(stream).await, 2);
    ended(&seen).await;
    assert_eq!(requests_of(&seen, "answer")[0].outcome, Outcome::Ok);
    let missing = sample(&seen.metrics(), "llm_observe_usage_missing_total", "absent");
    assert_eq!(missing, Some(1.0));
}

#[tokio::test]
async fn a_stream_of_a_response_has_its_tokens() {
    let seen = testing::observe();
    let completed = format!(
        "event: response.completed\ndata: {{\"type\":\"response.completed\",\"sequence_number\":1,\"response\":{RESPONSE}}}\n\n"
    );
    let listener = Listener::start(events(&[&completed], Then::End));
    let stream = stream_response(&client_of(&listener)).await.unwrap();
    assert_eq!(read(stream).await, 1);
    ended(&seen).await;
    let call = requests_of(&seen, "respond").remove(0);
    assert_eq!(call.outcome, Outcome::Ok);
    assert_eq!(tokens(&call), [Some(7), Some(5)]);
}

#[tokio::test]
async fn a_dropped_stream_is_cancelled() {
    let seen = testing::observe();
    let listener = Listener::start(events(&[HEAD], Then::Wait));
    let mut stream = stream(&client_of(&listener)).await.unwrap();
    stream.next().await.unwrap().unwrap();
    assert!(seen.calls_of("http_call").is_empty());
    drop(stream);
    ended(&seen).await;
    let call = requests_of(&seen, "answer").remove(0);
    assert_eq!(call.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let (seen, listener) = (testing::observe(), Listener::start(Reply::CutOff));
    let mut stream = stream(&client_of(&listener)).await.unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, OpenAIError::StreamError(_)), "{error:?}");
    ended(&seen).await;
    let call = requests_of(&seen, "answer").remove(0);
    assert_eq!(call.outcome, Outcome::Error);
    assert_eq!(seen.calls_of("answer")[0].outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_stream_that_stalls_is_a_timeout() {
    let seen = testing::observe();
    let listener = Listener::start(events(&[HEAD], Then::Wait));
    let http = builder().timeout(Duration::from_secs(1));
    let client = openai(http.build().unwrap(), config(&listener));
    let stream = stream(&client).await.unwrap();
    let results: Vec<_> = stream.collect().await;
    assert!(results.last().unwrap().is_err());
    ended(&seen).await;
    let call = requests_of(&seen, "answer").remove(0);
    assert_eq!(call.outcome, Outcome::Timeout);
    assert_eq!(call.error.unwrap().class, ErrorClass::Timeout);
}
