//! The span of a request in a `tracing` subscriber of the program. A process has one observer, so this
//! file has one test.

use axum::{Router, body::Body, http::StatusCode, routing::get};
use http::Request;
use http_body_util::BodyExt;
use llm_observe::{Observer, config::Config, http::layer};
use llm_observe_tests::spans::Spans;
use tower::ServiceExt;

#[tokio::test]
async fn a_request_is_a_span_by_the_conventions() {
    let spans = Spans::new(|metadata| metadata.target() == "llm_observe::http");
    tracing::subscriber::set_global_default(spans.clone()).unwrap();
    let mut config = Config::default();
    config.server.listen = None;
    config.http.baggage = ["tenant", "shop"].map(String::from).to_vec();
    config.log.console = llm_observe::config::Console::Never;
    config.log.dir = std::env::temp_dir().join(format!("llm-observe-spans-{}", std::process::id()));
    let folder = config.log.dir.clone();
    let observer = Observer::builder().config(config).install().unwrap();
    let app = Router::new()
        .route("/ask/{id}", get(async || StatusCode::BAD_GATEWAY))
        .layer(layer());
    let request = Request::get("/ask/42?token=hunter2hunter2")
        .header("user-agent", "curl/8.5")
        .header("baggage", "tenant=acme,shop=7,other=1")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        );
    let answer = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    answer.into_body().collect().await.unwrap();
    let all = spans.all();
    drop(observer);
    let _ = std::fs::remove_dir_all(folder);
    let [(name, fields)] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(name, "GET /ask/{id}");
    for (field, value) in [
        ("event", "http_request"),
        ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ("outcome", "error"),
        ("error.message", "502 Bad Gateway"),
        ("http.request.method", "GET"),
        ("http.route", "/ask/{id}"),
        ("http.response.status_code", "502"),
        ("url.path", "/ask/42"),
        ("url.query", "token=REDACTED"),
        ("user_agent.original", "curl/8.5"),
        ("tenant", "acme"),
        ("shop", "7"),
    ] {
        assert_eq!(
            fields.get(field).map(String::as_str),
            Some(value),
            "{field} of {fields:?}"
        );
    }
}
