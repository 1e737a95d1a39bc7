//! Routes, methods and peers, the bounds on their number, and which requests are observed.

use super::*;

#[tokio::test]
async fn slow_requests_warn_and_ignored_ones_are_not_observed() {
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
async fn an_unknown_method_is_not_a_label() {
    let seen = testing::observe();
    for method in ["PROPFIND", "X-1", "X-2"] {
        let request = Request::builder().method(method).uri("/ask/1");
        ask(request.body(Body::empty()).unwrap()).await;
    }
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.function(), "_OTHER /ask/{id}");
    assert_eq!(
        call.operation::<llm_observe::http::Exchange>()
            .unwrap()
            .method
            .as_deref(),
        Some("X-2")
    );
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    assert!(
        metrics.contains("http_request_method=\"_OTHER\""),
        "{metrics}"
    );
    assert!(!metrics.contains("X-2"), "{metrics}");
}

/// As a scanner does: a million paths that do not exist.
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
    llm_observe_tests::metrics::assert_documented(&metrics);
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
    let answer: ObservedResponse = service.oneshot(request.body(()).unwrap()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.function(), "POST /rag.v1.Rag/Ask");
    assert_eq!(call.outcome, Outcome::Error);
    assert_eq!(call.error.clone().unwrap().message, "gRPC 13 INTERNAL");
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
    assert_eq!(exchange.peer, Some(([192, 0, 2, 7], 50_051).into()));
    assert_eq!(exchange.status, Some(200));
}

#[tokio::test]
async fn the_scheme_is_that_of_the_first_proxy() {
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
async fn without_an_observer_it_does_nothing() {
    let response = ask(get_of("/ask/1")).await;
    assert!(!response.headers().contains_key("x-request-id"));
    let limit = Duration::from_secs(10);
    let body = tokio::time::timeout(limit, response.into_body().collect()).await;
    assert_eq!(body.unwrap().unwrap().to_bytes(), "an answer");
    assert!("ok".into_response().status().is_success());
}
