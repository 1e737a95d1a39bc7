//! Received requests through the layer, in process.

mod ids;
mod outcomes;
mod probes;
mod routes;

use std::{convert::Infallible, future::pending, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Path},
    response::IntoResponse,
    routing::{any, get, post},
};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use llm_observe::{
    Outcome, http as observed,
    http::{in_current_call, layer},
    observe, testing,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

type ObservedResponse = Response<observed::ObservedBody<Body>>;

#[observe(event = "embedding")]
async fn embed(text: &str) -> Result<usize, std::io::Error> {
    tokio::task::yield_now().await;
    match text {
        "" => Err(std::io::Error::other("nothing to embed")),
        text => Ok(text.len()),
    }
}

#[observe(event = "asked", alert_on_error)]
async fn asked() -> Result<usize, std::io::Error> {
    Err(std::io::Error::other("no model"))
}

#[observe(event = "looked_up", expected(_))]
async fn looked_up() -> Result<usize, std::io::Error> {
    Err(std::io::Error::other("not there"))
}

#[observe(event = "waiting")]
async fn wait() {
    pending::<()>().await;
}

async fn failing() -> StatusCode {
    match embed("").await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

async fn failing_aloud() -> StatusCode {
    match asked().await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn panics() -> &'static str {
    panic!("the model is gone")
}

async fn status(Path(status): Path<u16>) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

/// Returns a body of three chunks.
fn chunks(last: Option<std::io::Error>) -> Body {
    let chunks = ["data: a\n\n", "data: b\n\n", "data: c\n\n"];
    let frames = chunks.map(|text| Ok(Frame::data(Bytes::from(text))));
    let frames = frames.into_iter().chain(last.map(Err));
    Body::new(StreamBody::new(stream::iter(frames)))
}

fn router() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/ask/{id}", any(async || "an answer"))
        .route(
            "/embed",
            post(async || embed("abc").await.unwrap().to_string()),
        )
        .route("/failing", get(failing))
        .route("/failing-aloud", get(failing_aloud))
        .route("/panics", get(panics))
        .route("/waits", get(async || wait().await))
        .route("/status/{status}", get(status))
        .route("/stream", get(async || chunks(None)))
        .route(
            "/broken",
            get(async || chunks(Some(std::io::Error::other("the provider hung up")))),
        )
        .route(
            "/id",
            get(async || observed::request_id().unwrap().to_string()),
        )
        .layer(layer())
}

async fn ask(request: Request<Body>) -> Response<Body> {
    router().oneshot(request).await.unwrap()
}

fn get_of(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// Sends a request to `path` and reads the whole response.
async fn read(path: &str) -> (u16, String) {
    let response = ask(get_of(path)).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}
