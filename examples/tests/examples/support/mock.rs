//! Mock servers on loopback for the example.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

/// The requests that a mock received: `Authorization` and body of each.
pub(crate) type Received = Arc<Mutex<Vec<(String, Value)>>>;

/// Serves `router` on a free port of loopback until the test's runtime ends.
pub(crate) async fn served(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// An OpenAI-compatible server: the vector of a text is the count of each of its letters.
pub(crate) async fn openai(received: Received) -> String {
    let router = Router::new()
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/chat/completions", post(chat))
        .with_state(received);
    served(router).await + "/v1"
}

async fn embeddings(
    State(received): State<Received>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Json<Value> {
    let texts = body["input"].as_array().cloned().unwrap_or_default();
    let vector = |text: &Value| -> Vec<usize> {
        let text = text.as_str().unwrap_or_default().to_lowercase();
        ('a'..='z')
            .map(|letter| text.matches(letter).count())
            .collect()
    };
    // in reverse: the API guarantees the index, not the order
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .rev()
        .map(|(at, text)| json!({"object": "embedding", "index": at, "embedding": vector(text)}))
        .collect();
    let usage = json!({"prompt_tokens": 1, "total_tokens": 1});
    let answer = json!({"object": "list", "model": body["model"], "data": data, "usage": usage});
    record(&received, &headers, body);
    Json(answer)
}

async fn chat(
    State(received): State<Received>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let response = match body["stream"] == true {
        true => streamed(&body).into_response(),
        false => whole(&body).into_response(),
    };
    record(&received, &headers, body);
    response
}

fn whole(body: &Value) -> Json<Value> {
    let message = json!({"role": "assistant", "content": "Said by the model."});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    Json(json!({
        "id": "1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [choice],
    }))
}

/// A word at a time, then why it ends, then the tokens, as OpenAI does with `include_usage`. The words come
/// at a pace at which a reader can leave in between.
fn streamed(body: &Value) -> impl IntoResponse + use<> {
    let chunk = |choices: Value, usage: Value| {
        json!({
            "id": "1", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
            "choices": choices, "usage": usage,
        })
    };
    let words = "Said by the model, and then said again by the same model.".split_inclusive(' ');
    let words = words.map(|word| json!([{"index": 0, "delta": {"content": word}}]));
    let end = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    let usage = json!({"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29});
    let chunks = words
        .chain([end])
        .map(|choices| chunk(choices, Value::Null));
    let chunks = chunks.chain([chunk(json!([]), usage)]);
    let events = chunks.map(|chunk| format!("data: {chunk}\n\n"));
    let events: Vec<String> = events.chain(["data: [DONE]\n\n".to_owned()]).collect();
    let paced = stream::iter(events).then(async |event| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok::<_, Infallible>(event)
    });
    let kind = [("content-type", "text/event-stream")];
    (kind, Body::from_stream(paced))
}

fn record(received: &Received, headers: &HeaderMap, body: Value) {
    let key = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    received
        .lock()
        .expect("no panic holds it")
        .push((key.unwrap_or_default().to_owned(), body));
}
