//! Handlers for a router of the program's own, so that one port is enough.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};

use crate::probes::{NoMetrics, OK, PROGRAM, PROMETHEUS};

/// Answers with the metrics in the Prometheus text format, as `/metrics` of the built-in server does.
///
/// 503 without a running observer; 404 without the feature `metrics`.
///
/// It asks for no token: whoever can reach the route can read the metrics. They have the names of events,
/// functions, routes and hosts. Keep the route off the public listener, or put your own check before it.
///
/// ```no_run
/// # use axum::{Router, routing::get};
/// # async fn answer() -> &'static str { "42" }
/// let router: Router = Router::new()
///     .route("/answer", get(answer))
///     .route("/metrics", get(llm_observe::http::metrics))
///     .merge(llm_observe::http::probes());
/// ```
pub async fn metrics() -> Response {
    match PROGRAM.metrics() {
        Ok(text) => typed(StatusCode::OK, PROMETHEUS, text),
        Err(NoMetrics::NoObserver) => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            NoMetrics::NoObserver.as_str(),
        ),
        Err(why) => plain(StatusCode::NOT_FOUND, why.as_str()),
    }
}

/// Answers 200 `ok` while the program runs.
pub async fn healthz() -> Response {
    plain(StatusCode::OK, OK)
}

/// Answers 200 `ok` while the program is ready for requests, else 503 with the reason: see
/// [`Observer::set_ready`](crate::Observer::set_ready) and
/// [`shutdown_signal`](crate::shutdown_signal()).
pub async fn readyz() -> Response {
    match PROGRAM.readiness() {
        Ok(()) => plain(StatusCode::OK, OK),
        Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, why.as_str()),
    }
}

/// Returns a router with `/healthz` and `/readyz`.
pub fn probes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    typed(status, "text/plain; charset=utf-8", text)
}

fn typed(status: StatusCode, media_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
