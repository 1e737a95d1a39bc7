//! One request through a router in process: the time that each layer adds.

use std::{hint::black_box, time::Duration};

use axum::{Router, body::Body, extract::Path, http::Request, routing::get};
use axum_prometheus::PrometheusMetricLayer;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use llm_observe_benches::{candidate, compare, to_json_files};
use tower::Service;
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt;

fn router() -> Router {
    Router::new().route("/ask/{id}", get(async |Path(id): Path<u64>| id.to_string()))
}

/// Returns a request with the usual headers of a browser.
fn request() -> Request<Body> {
    Request::get("/ask/42?k=5")
        .header("host", "rag.example.org")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .header("accept", "application/json")
        .body(Body::empty())
        .unwrap()
}

fn call(router: Router) -> impl FnMut() {
    // As a server does; otherwise every request would apply the layer again.
    let mut router: Router = router.with_state(());
    move || {
        let answered = async {
            let answer = router.call(black_box(request())).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes()
        };
        assert_eq!(answered.now_or_never().unwrap().len(), 2);
    }
}

fn main() {
    let dir = std::env::temp_dir().join(format!("llm-observe-bench-{}", std::process::id()));
    let observer = to_json_files(&dir.join("ours"));

    let (appender, _guard) =
        tracing_appender::non_blocking(tracing_appender::rolling::never(&dir, "tracing.log"));
    let json = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(appender);
    let subscriber = tracing::Dispatch::new(tracing_subscriber::registry().with(json));
    // One line for each request, as with our layer: the response's, with the request's span.
    let trace = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    // Its metrics go to the installed recorder, which is ours.
    let prometheus = PrometheusMetricLayer::new();

    let mut traced = call(router().layer(trace.clone()));
    let mut both = call(router().layer(prometheus.clone()).layer(trace));
    let (first, second) = (subscriber.clone(), subscriber);
    compare(
        "a request through a router: line, metrics, span",
        200,
        1_000,
        vec![
            candidate(
                "llm-observe http::layer()",
                call(router().layer(llm_observe::http::layer())),
            ),
            candidate("no layer", call(router())),
            candidate("TraceLayer + JSON + tracing-appender", move || {
                tracing::dispatcher::with_default(&first, &mut traced);
            }),
            candidate("axum-prometheus", call(router().layer(prometheus))),
            candidate("TraceLayer + JSON and axum-prometheus", move || {
                tracing::dispatcher::with_default(&second, &mut both);
            }),
        ],
    );
    let flushed = observer.flush(Duration::from_secs(20));
    println!(
        "llm-observe: bytes still to be written {}",
        flushed.pending_bytes
    );
    drop(observer);
    let _ = std::fs::remove_dir_all(dir);
}
