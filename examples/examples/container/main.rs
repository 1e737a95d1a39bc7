//! A service as it runs in a container: one port for everything, JSON lines on standard output, probes,
//! and an end at SIGTERM that loses nothing.
//!
//! ```console
//! $ export LLM_OBSERVE_CONFIG=examples/examples/container/llm-observe.toml
//! $ cargo run --example container
//! $ curl -N -d 'what is lost without a volume?' http://127.0.0.1:8080/answer
//! ```
//!
//! `Dockerfile` and `kubernetes.yaml` beside this file run it as a container; `docs/containers.md` explains them.
//! The answers are local code, so that it needs no account and no network: it quotes the note that has the most
//! words of the question.

mod notes;

use std::{convert::Infallible, env, error::Error, io, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{Stream, stream};
use llm_observe::{http, observe};

/// How long the end may take, after the last response. `terminationGracePeriodSeconds` has to be longer than this and
/// the longest response.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let observer = llm_observe::init!()?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, router())
        .with_graceful_shutdown(llm_observe::shutdown_signal())
        .await?;
    let report = observer.shutdown_async(SHUTDOWN_LIMIT).await;
    if !report.is_complete() {
        eprintln!("not all was delivered: {report:?}");
    }
    Ok(())
}

fn router() -> Router {
    let service = Router::new()
        .route("/answer", post(serve_answer))
        .layer(http::layer());
    // Not under the layer: neither scrapes nor probes are traffic.
    service
        .route("/metrics", get(http::metrics))
        .merge(http::probes()) // /healthz and /readyz
}

/// Answers the question in the body, word by word, as a model does.
async fn serve_answer(question: String) -> Response {
    match answer(&question).await {
        Ok(text) => (
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            Body::from_stream(words(text)),
        )
            .into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "no prompt\n").into_response(),
    }
}

#[observe(event = "answer")]
async fn answer(question: &str) -> io::Result<String> {
    let prompt = load_prompt().await?;
    Ok(format!("{} {}\n", prompt.trim(), nearest(question)))
}

/// Reads the start of each answer from `PROMPT_FILE`, where one is set: a mounted ConfigMap changes while the
/// service runs.
#[observe(event = "prompt", alert_on_error)]
async fn load_prompt() -> io::Result<String> {
    match env::var_os("PROMPT_FILE") {
        Some(path) => tokio::fs::read_to_string(path).await,
        None => Ok("A note says:".to_owned()),
    }
}

#[observe(event = "retrieval")]
fn nearest(question: &str) -> &'static str {
    notes::nearest(question)
}

/// Streams the words of `text`, a few of them a second.
fn words(text: String) -> impl Stream<Item = Result<String, Infallible>> {
    let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    stream::unfold(words.into_iter(), async |mut words| {
        let word = words.next()?;
        tokio::time::sleep(Duration::from_millis(30)).await;
        Some((Ok(word), words))
    })
}
