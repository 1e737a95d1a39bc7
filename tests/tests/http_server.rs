//! Requests through the layer, in process: how they end, what is known of them, and to what the
//! calls below them belong.

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
    Kind, Outcome, http as observed,
    http::{in_current_call, layer},
    observe, testing,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

type Answer = Response<observed::ObservedBody<Body>>;

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

/// Three chunks, each when it is asked for.
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

/// Asks for `path` and reads the whole answer.
async fn read(path: &str) -> (u16, String) {
    let response = ask(get_of(path)).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

#[tokio::test]
async fn a_request_is_one_call_with_its_route_and_its_figures() {
    let seen = testing::observe();
    assert_eq!(read("/ask/42?k=5").await, (200, "an answer".to_owned()));
    let calls = seen.calls();
    let [call] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (call.event(), call.function()),
        ("http_request", "GET /ask/{id}")
    );
    assert_eq!(
        (call.outcome, call.site.kind()),
        (Outcome::Ok, Kind::Server)
    );
    let exchange = call.exchange.as_ref().unwrap();
    assert_eq!(exchange.status, Some(200));
    assert_eq!(exchange.target, "/ask/42?k=5");
    assert_eq!(exchange.response_bytes, Some(9));
    assert!(exchange.first_byte.unwrap() <= call.duration);
    let metrics = seen.metrics();
    let labels = r#"{http_request_method="GET",url_scheme="http",http_route="/ask/{id}",http_response_status_code="200"}"#;
    let count = format!("http_server_request_duration_seconds_count{labels} 1\n");
    assert!(metrics.contains(&count), "{metrics}");
    assert!(metrics.contains(
        "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0\n"
    ));
    assert!(!metrics.contains("llm_observe_calls_total"), "{metrics}");
}

#[tokio::test]
async fn a_status_is_an_outcome() {
    let seen = testing::observe();
    for (status, outcome, class) in [
        (200, Outcome::Ok, None),
        (404, Outcome::Ok, None),
        (429, Outcome::Ok, None),
        (500, Outcome::Error, Some("internal")),
        (503, Outcome::Error, Some("unavailable")),
        (504, Outcome::Timeout, Some("timeout")),
    ] {
        let (got, _) = read(&format!("/status/{status}")).await;
        assert_eq!(got, status);
        let call = seen.calls().pop().unwrap();
        let error = call.error.as_ref().map(|error| error.class.as_str());
        assert_eq!((call.outcome, error), (outcome, class), "{status}");
        assert_eq!(call.reported, class.is_some());
    }
    let metrics = seen.metrics();
    assert!(
        metrics.contains(r#"status_code="503",error_type="503""#),
        "{metrics}"
    );
    assert!(!metrics.contains(r#"status_code="404",error_type"#));
}

#[tokio::test]
async fn calls_below_belong_to_the_request() {
    let seen = testing::observe();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = Request::post("/embed")
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
        .header("x-request-id", "req-7")
        .body(Body::empty())
        .unwrap();
    let response = ask(request).await;
    assert_eq!(response.headers()["x-request-id"], "req-7");
    response.into_body().collect().await.unwrap();
    let calls = seen.calls();
    let [embedding, request] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(request.trace_id.to_string(), trace);
    assert_eq!(request.parent_id.to_string(), "b7ad6b7169203331");
    assert_eq!(embedding.trace_id, request.trace_id);
    assert_eq!(embedding.parent_id, request.span_id);
    for call in [embedding, request] {
        let of = call.request.as_ref().unwrap();
        assert_eq!((of.id.as_str(), of.route), ("req-7", Some("/embed")));
    }
}

#[tokio::test]
async fn bad_ids_from_outside_start_anew() {
    let seen = testing::observe();
    let long = "x".repeat(129);
    for (trace, id) in [
        ("", ""),
        ("00-0-0-01", "has a space"),
        (
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            &*long,
        ),
        (
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
        ),
    ] {
        let request = Request::get("/id")
            .header("traceparent", trace)
            .header("x-request-id", id);
        let response = ask(request.body(Body::empty()).unwrap()).await;
        let echoed = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(echoed.len(), 36, "a new one: {echoed}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, echoed.as_bytes(), "the handler sees the same");
        let call = seen.calls().pop().unwrap();
        assert!(call.parent_id.is_none() && !call.trace_id.is_none());
        assert_eq!(call.request.unwrap().id.as_str(), echoed);
    }
}

#[tokio::test]
async fn the_helper_takes_call_and_request_along() {
    let seen = testing::observe();
    let handle = seen.handle();
    let router = Router::new()
        .route(
            "/spawns",
            get(async move || {
                let own = in_current_call(async move { embed("abc").await });
                let own = std::thread::spawn(move || {
                    handle.in_scope(|| {
                        let mut runtime = tokio::runtime::Builder::new_current_thread();
                        runtime.build().unwrap().block_on(own)
                    })
                });
                let lost = tokio::spawn(embed("without it"));
                let _ = lost.await.unwrap();
                own.join().unwrap().unwrap().to_string()
            }),
        )
        .layer(layer());
    let response = router.oneshot(get_of("/spawns")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let request = seen.calls_of("http_request").pop().unwrap();
    let found = seen.calls_of("embedding");
    assert_eq!(found.len(), 2);
    let (own, lost): (Vec<_>, Vec<_>) = found.into_iter().partition(|c| c.request.is_some());
    assert_eq!((own.len(), lost.len()), (1, 1));
    assert_eq!(own[0].trace_id, request.trace_id);
    assert_eq!(own[0].parent_id, request.span_id);
    assert_eq!(
        own[0].request.as_ref().unwrap().id,
        request.request.unwrap().id
    );
    assert_ne!(lost[0].trace_id, request.trace_id);
}

#[tokio::test]
async fn a_panic_is_a_500_a_report_and_an_outcome() {
    let seen = testing::observe();
    let response = ask(get_of("/panics")).await;
    assert_eq!(response.status(), 500);
    assert!(response.headers().contains_key("x-request-id"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.is_empty(), "the client is told nothing");
    let call = seen.calls().pop().unwrap();
    assert_eq!((call.outcome, call.reported), (Outcome::Panic, true));
    let error = call.error.unwrap();
    assert_eq!(error.message, "the model is gone");
    assert!(error.location.unwrap().contains("http_server.rs"));
    assert_eq!(call.exchange.unwrap().status, Some(500));
    let metrics = seen.metrics();
    assert!(
        metrics.contains(r#"status_code="500",error_type="panic""#),
        "{metrics}"
    );
    assert_eq!(read("/").await.0, 200, "the thread is fine");
    assert_eq!(seen.calls().pop().unwrap().outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_service_that_panics_before_its_future_is_a_500_too() {
    let seen = testing::observe();
    let service = service_fn(|_: Request<()>| {
        if true {
            panic!("at once");
        }
        std::future::ready(Ok::<Response<Body>, Infallible>(Response::default()))
    });
    let service = ServiceBuilder::new().layer(layer()).service(service);
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), 500);
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.outcome, Outcome::Panic);
    assert_eq!(call.function(), "GET", "no router, no route");
}

#[tokio::test]
async fn a_failure_below_is_reported_once_and_is_the_cause() {
    let seen = testing::observe();
    assert_eq!(read("/failing").await.0, 502);
    let calls = seen.calls();
    let [embedding, request] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert!(embedding.reported && !request.reported && request.passed_on);
    let error = request.error.as_ref().unwrap();
    assert_eq!(error.message, "502 Bad Gateway");
    assert_eq!(error.chain, ["nothing to embed"]);
    read("/status/500").await;
    let alone = seen.calls().pop().unwrap();
    assert!(alone.reported && !alone.passed_on);
}

const ALERTS: &str = "
[http]
alert_on = [\"5xx\", \"429\"]
";

#[tokio::test]
async fn a_failure_that_was_dealt_with_is_not_the_cause_of_another() {
    let panics = get(async || -> &'static str {
        let _ = embed("").await;
        panic!("the model is gone")
    });
    let breaks = get(async || {
        let _ = embed("").await;
        chunks(Some(std::io::Error::other("the provider hung up")))
    });
    let fails = get(async || {
        let _ = looked_up().await;
        StatusCode::BAD_GATEWAY
    });
    let router = Router::new()
        .route("/panics", panics)
        .route("/breaks", breaks)
        .route("/fails", fails)
        .layer(layer());
    for path in ["/panics", "/breaks", "/fails"] {
        let seen = testing::observe();
        let answer = router.clone().oneshot(get_of(path)).await.unwrap();
        let _ = answer.into_body().collect().await;
        let call = &seen.calls_of("http_request")[0];
        assert!(call.outcome.is_failure() && !call.passed_on, "{call:?}");
    }
}

#[tokio::test]
async fn one_failure_is_one_alert_wherever_it_is_asked_for() {
    let of = |event: &str, path: &'static str| {
        let event = event.to_owned();
        async move {
            let seen = testing::observe_with(ALERTS).unwrap();
            read(path).await;
            let told: Vec<_> = seen.alerts().into_iter().map(|(_, n)| n.event).collect();
            assert_eq!(told, [event], "{path}");
        }
    };
    of("asked", "/failing-aloud").await;
    // Nobody asked for alerts of `embed`, but of requests that fail.
    of("http_request", "/failing").await;
    of("http_request", "/panics").await;
    of("http_request", "/status/429").await;
    of("http_request", "/status/504").await;
    let seen = testing::observe_with(ALERTS).unwrap();
    read("/status/404").await;
    read("/").await;
    assert_eq!(seen.alerts().len(), 0);
}

#[tokio::test]
async fn only_the_statuses_that_are_named_alert() {
    let seen = testing::observe_with("[http]\nalert_on = [\"503\"]").unwrap();
    read("/status/500").await;
    read("/panics").await;
    assert_eq!(seen.alerts().len(), 0);
    read("/status/503").await;
    assert_eq!(seen.alerts().len(), 1);
}

#[tokio::test]
async fn slow_ones_are_warned_of_and_the_ignored_are_not_seen() {
    let config = "[http]\nslow = \"1ns\"\nignore = [\"/\", \"/status/*\"]";
    let seen = testing::observe_with(config).unwrap();
    let (status, _) = read("/").await;
    assert_eq!(status, 200);
    read("/status/500").await;
    let response = ask(get_of("/")).await;
    assert!(
        !response.headers().contains_key("x-request-id"),
        "not touched at all"
    );
    assert_eq!(seen.calls().len(), 0);
    assert!(
        !seen
            .metrics()
            .contains("http_server_request_duration_seconds_count")
    );
    read("/ask/1").await;
    let call = seen.calls().pop().unwrap();
    assert!(call.slow);
    assert_eq!(call.level, tracing::Level::WARN);
}

#[tokio::test]
async fn a_stream_lasts_to_its_last_byte() {
    let seen = testing::observe();
    let response = ask(get_of("/stream")).await;
    let mut body = response.into_body();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        read += frame.unwrap().into_data().unwrap().len();
        if read < 27 {
            assert_eq!(seen.calls().len(), 0, "after {read} bytes");
            assert!(
                seen.metrics().contains(
                    "active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 1\n"
                )
            );
        }
    }
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.outcome, Outcome::Ok);
    assert_eq!(call.exchange.unwrap().response_bytes, Some(27));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let seen = testing::observe();
    let response = ask(get_of("/broken")).await;
    assert!(response.into_body().collect().await.is_err());
    let call = seen.calls().pop().unwrap();
    assert_eq!((call.outcome, call.reported), (Outcome::Error, true));
    assert!(call.error.unwrap().message.contains("the provider hung up"));
    let exchange = call.exchange.unwrap();
    assert_eq!(
        (exchange.status, exchange.response_bytes),
        (Some(200), Some(27))
    );
    let metrics = seen.metrics();
    assert!(
        metrics.contains(r#"status_code="200",error_type="internal""#),
        "{metrics}"
    );
}

#[tokio::test]
async fn who_leaves_early_cancels_what_is_below() {
    let seen = testing::observe();
    let mut waiting = Box::pin(ask(get_of("/waits")));
    assert!((&mut waiting).now_or_never().is_none());
    drop(waiting);
    let calls = seen.calls();
    let [below, request] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (below.event(), below.outcome),
        ("waiting", Outcome::Cancelled)
    );
    assert_eq!(
        (request.event(), request.outcome),
        ("http_request", Outcome::Cancelled)
    );
    assert_eq!(below.trace_id, request.trace_id);
    assert!(below.request.is_some(), "its line has the request's id");
    assert_eq!(request.exchange.as_ref().unwrap().status, None);

    let response = ask(get_of("/stream")).await;
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.outcome, Outcome::Cancelled);
    let exchange = call.exchange.unwrap();
    assert_eq!(
        (exchange.status, exchange.response_bytes),
        (Some(200), Some(9))
    );
    assert!(
        seen.metrics()
            .contains(r#"status_code="200",error_type="cancelled""#)
    );
    assert!(
        seen.metrics()
            .contains("active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0\n")
    );
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_complete_where_there_is_none() {
    let seen = testing::observe();
    let head = Request::head("/ask/1").body(Body::empty()).unwrap();
    for request in [
        head,
        get_of("/status/204"),
        get_of("/status/304"),
        get_of("/status/200"),
    ] {
        let uri = request.uri().clone();
        drop(ask(request).await);
        let call = seen.calls().pop().unwrap();
        assert_eq!(call.outcome, Outcome::Ok, "{uri}");
    }
    // All that was promised has been read, though not the end of it.
    let mut body = ask(get_of("/")).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(seen.calls().pop().unwrap().outcome, Outcome::Ok);
    assert_eq!(seen.calls().len(), 5);
}

#[tokio::test]
async fn an_unknown_method_is_no_label() {
    let seen = testing::observe();
    for method in ["PROPFIND", "X-1", "X-2"] {
        let request = Request::builder().method(method).uri("/ask/1");
        ask(request.body(Body::empty()).unwrap()).await;
    }
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.function(), "_OTHER /ask/{id}");
    assert_eq!(call.exchange.unwrap().method.as_deref(), Some("X-2"));
    let metrics = seen.metrics();
    assert!(
        metrics.contains("http_request_method=\"_OTHER\""),
        "{metrics}"
    );
    assert!(!metrics.contains("X-2"), "{metrics}");
}

/// What a scanner does: a million paths that nobody serves.
#[tokio::test]
async fn a_million_random_paths_leave_a_constant_number_of_series() {
    let seen = testing::observe();
    let service = service_fn(|request: Request<()>| {
        let status = if request.uri().path().len().is_multiple_of(7) {
            405
        } else {
            404
        };
        let response = Response::builder().status(status).body(Body::empty());
        std::future::ready(Ok::<_, Infallible>(response.unwrap()))
    });
    let mut service = ServiceBuilder::new().layer(layer()).service(service);
    let mut series = Vec::new();
    for n in 0..1_000_000_u32 {
        let path = format!(
            "/{:x}/{}.php",
            n.wrapping_mul(2_654_435_761),
            "a".repeat(n as usize % 20)
        );
        let method = ["GET", "POST", "HEAD", "SCAN"][n as usize % 4];
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .unwrap();
        let answer = Service::call(&mut service, request).await.unwrap();
        assert!(answer.status().is_client_error());
        if n == 1_000 || n == 999_999 {
            let text = seen.metrics();
            series.push(
                text.lines()
                    .filter(|line| line.starts_with("http_server"))
                    .count(),
            );
        }
    }
    assert_eq!(series[0], series[1]);
    assert!(series[0] > 0);
}

#[tokio::test]
async fn routes_beyond_the_bound_are_other_and_counted() {
    let seen = testing::observe_with("[metrics]\nmax_label_values = 3").unwrap();
    let service = service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let by_path = layer().route(|parts| Some(parts.uri.path().to_owned().into()));
    let mut service = ServiceBuilder::new().layer(by_path).service(service);
    for n in 0..10 {
        let request = Request::get(format!("/{n}")).body(()).unwrap();
        Service::call(&mut service, request).await.unwrap();
    }
    let metrics = seen.metrics();
    let count = "http_route=\"_other\",http_response_status_code=\"200\"} 7\n";
    assert!(metrics.contains(count), "{metrics}");
    let over = "llm_observe_label_values_over_limit_total{label=\"http_route\"} 7\n";
    assert!(metrics.contains(over), "{metrics}");
}

#[tokio::test]
async fn a_route_that_is_too_long_is_other() {
    let seen = testing::observe();
    let layer = layer().route(|parts| Some(parts.uri.path().into()));
    let service =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let service = ServiceBuilder::new().layer(layer).service(service);
    let path = format!("/{}", "x".repeat(1_000));
    service.oneshot(get_of(&path)).await.unwrap();
    assert_eq!(seen.calls()[0].function(), "GET _other");
}

#[tokio::test]
async fn peers_routes_and_grpc_are_known_without_axum() {
    let seen = testing::observe();
    let service = service_fn(|_: Request<()>| async {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("13"));
        let frames = [
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"\0\0\0\0\0"))),
            Ok(Frame::trailers(trailers)),
        ];
        Ok::<_, Infallible>(Response::new(Body::new(StreamBody::new(stream::iter(
            frames,
        )))))
    });
    let layer = layer()
        .route(observed::grpc)
        .peer(|_| Some(([192, 0, 2, 7], 50_051).into()));
    let service = ServiceBuilder::new().layer(layer).service(service);
    let request =
        Request::post("/rag.v1.Rag/Ask").header(header::CONTENT_TYPE, "application/grpc+proto");
    let answer: Answer = service.oneshot(request.body(()).unwrap()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.function(), "POST /rag.v1.Rag/Ask");
    assert_eq!(call.outcome, Outcome::Error);
    assert_eq!(call.error.unwrap().message, "gRPC 13 INTERNAL");
    let exchange = call.exchange.unwrap();
    assert_eq!(exchange.peer, Some(([192, 0, 2, 7], 50_051).into()));
    assert_eq!(exchange.status, Some(200));
}

#[tokio::test]
async fn the_status_of_grpc_is_behind_a_body_of_known_length_too() {
    let seen = testing::observe();
    let service = service_fn(async |_: Request<Body>| {
        let trailers = http::HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            http::HeaderValue::from_static("13"),
        )]);
        let body = Full::new(Bytes::from("hello"));
        let body = Body::new(body.with_trailers(async { Some(Ok(trailers)) }));
        let response = Response::builder().header(header::CONTENT_LENGTH, 5);
        Ok::<_, Infallible>(response.body(body).unwrap())
    });
    let service = ServiceBuilder::new().layer(layer()).service(service);
    let request = Request::post("/rag.Ask/Ask").header(header::CONTENT_TYPE, "application/grpc");
    let answer = service.oneshot(request.body(Body::empty()).unwrap()).await;
    let trailers = answer.unwrap().into_body().collect().await.unwrap();
    assert!(trailers.trailers().is_some());
    assert_eq!(seen.calls()[0].outcome, Outcome::Error);
}

#[tokio::test]
async fn the_scheme_is_the_one_that_the_first_proxy_saw() {
    for (proxies, scheme) in [
        ("https", "https"),
        ("https, http", "https"),
        ("ftp", "http"),
    ] {
        let seen = testing::observe();
        let request = Request::get("/").header("x-forwarded-proto", proxies);
        let answer = ask(request.body(Body::empty()).unwrap()).await;
        drop(answer.into_body().collect().await.unwrap());
        let label = format!("url_scheme=\"{scheme}\"");
        assert!(seen.metrics().contains(&label), "{proxies}");
    }
}

#[tokio::test]
async fn a_services_own_error_passes_through_as_it_is() {
    #[derive(Debug, PartialEq)]
    struct Refused(u8);
    impl std::fmt::Display for Refused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "connection refused by {}", self.0)
        }
    }
    let seen = testing::observe();
    let service = service_fn(async |_: Request<()>| Err::<Response<Body>, _>(Refused(7)));
    let service = ServiceBuilder::new().layer(layer()).service(service);
    assert_eq!(
        service.oneshot(Request::new(())).await.err(),
        Some(Refused(7))
    );
    let call = seen.calls().pop().unwrap();
    let error = call.error.unwrap();
    assert_eq!(
        (call.outcome, &*error.message),
        (Outcome::Error, "connection refused by 7")
    );
    assert!(
        seen.metrics().contains(r#"error_type="connection""#),
        "{}",
        seen.metrics()
    );
}

#[tokio::test]
async fn the_peer_is_who_connected() {
    let seen = testing::observe();
    let mut request = get_of("/");
    let address = std::net::SocketAddr::from(([192, 0, 2, 1], 5));
    request.extensions_mut().insert(ConnectInfo(address));
    ask(request).await;
    assert_eq!(
        seen.calls().pop().unwrap().exchange.unwrap().peer,
        Some(address)
    );
}

#[tokio::test]
async fn a_session_is_linked_where_it_is_the_applications() {
    let config = "[trackers.logrocket]\napp = \"acme/shop\"";
    let link = "https://app.logrocket.com/acme/shop/s/6-0199a1b2/0";
    for (config, sent, linked) in [
        (config, link, Some(link)),
        (config, "https://evil.example/acme/shop/s/1", None),
        ("", link, None),
    ] {
        let seen = testing::observe_with(config).unwrap();
        let request = Request::post("/embed").header("x-logrocket-url", sent);
        ask(request.body(Body::empty()).unwrap()).await;
        for call in seen.calls() {
            assert_eq!(call.request.unwrap().session.as_deref(), linked);
        }
    }
}

#[tokio::test]
async fn without_an_observer_it_does_nothing() {
    let response = ask(get_of("/ask/1")).await;
    assert!(!response.headers().contains_key("x-request-id"));
    let limit = Duration::from_secs(10);
    let body = tokio::time::timeout(limit, response.into_body().collect()).await;
    assert_eq!(body.unwrap().unwrap().to_bytes(), "an answer");
    assert!("ok".into_response().status().is_success());
}
