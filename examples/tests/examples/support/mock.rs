//! Mock servers on loopback for the example.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
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
) -> Json<Value> {
    let message = json!({"role": "assistant", "content": "Said by the model."});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    let answer = json!({
        "id": "1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [choice],
    });
    record(&received, &headers, body);
    Json(answer)
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
