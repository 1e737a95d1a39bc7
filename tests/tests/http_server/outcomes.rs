//! The outcomes of received requests, and which are reported and alerted.

use super::*;

#[tokio::test]
async fn each_status_has_an_outcome() {
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
    llm_observe_tests::metrics::assert_documented(&metrics);
    assert!(
        metrics.contains(r#"status_code="503",error_type="503""#),
        "{metrics}"
    );
    assert!(!metrics.contains(r#"status_code="404",error_type"#));
}

#[tokio::test]
async fn a_panic_is_answered_with_500_and_reported() {
    let seen = testing::observe();
    let response = ask(get_of("/panics")).await;
    assert_eq!(response.status(), 500);
    assert!(response.headers().contains_key("x-request-id"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.is_empty(), "the client gets no details");
    let call = seen.calls().pop().unwrap();
    assert_eq!((call.outcome, call.reported), (Outcome::Panic, true));
    let error = call.error.clone().unwrap();
    assert_eq!(error.message, "the model is gone");
    assert!(error.location.unwrap().contains("http_server/main.rs"));
    assert_eq!(
        call.operation::<llm_observe::http::Exchange>()
            .unwrap()
            .status,
        Some(500)
    );
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    assert!(
        metrics.contains(r#"status_code="500",error_type="panic""#),
        "{metrics}"
    );
    assert_eq!(read("/").await.0, 200, "the thread is fine");
    assert_eq!(seen.calls().pop().unwrap().outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_panic_before_the_future_is_answered_with_500() {
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
async fn a_child_failure_is_reported_once_and_is_the_cause() {
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
async fn a_handled_failure_is_not_the_cause_of_another() {
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
async fn one_failure_sends_one_alert_whichever_rule_requests_it() {
    let of = |event: &str, path: &'static str| {
        let event = event.to_owned();
        async move {
            let seen = testing::observe_with(ALERTS).unwrap();
            read(path).await;
            let events: Vec<_> = seen.alerts().into_iter().map(|(_, n)| n.event).collect();
            assert_eq!(events, [event], "{path}");
        }
    };
    of("asked", "/failing-aloud").await;
    // `embed` has no alert rule, but failing requests have one.
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
async fn only_listed_statuses_alert() {
    let seen = testing::observe_with("[http]\nalert_on = [\"503\"]").unwrap();
    read("/status/500").await;
    read("/panics").await;
    assert_eq!(seen.alerts().len(), 0);
    read("/status/503").await;
    assert_eq!(seen.alerts().len(), 1);
}

#[tokio::test]
async fn a_stream_ends_with_its_last_byte() {
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
    assert_eq!(
        call.operation::<llm_observe::http::Exchange>()
            .unwrap()
            .response_bytes,
        Some(27)
    );
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let seen = testing::observe();
    let response = ask(get_of("/broken")).await;
    assert!(response.into_body().collect().await.is_err());
    let call = seen.calls().pop().unwrap();
    assert_eq!((call.outcome, call.reported), (Outcome::Error, true));
    assert!(
        call.error
            .clone()
            .unwrap()
            .message
            .contains("the provider hung up")
    );
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
    assert_eq!(
        (exchange.status, exchange.response_bytes),
        (Some(200), Some(27))
    );
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    assert!(
        metrics.contains(r#"status_code="200",error_type="internal""#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_client_that_disconnects_cancels_child_calls() {
    let seen = testing::observe();
    let mut waiting = Box::pin(ask(get_of("/waits")));
    assert!((&mut waiting).now_or_never().is_none());
    drop(waiting);
    let calls = seen.calls();
    let [child, request] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (child.event(), child.outcome),
        ("waiting", Outcome::Cancelled)
    );
    assert_eq!(
        (request.event(), request.outcome),
        ("http_request", Outcome::Cancelled)
    );
    assert_eq!(child.trace_id, request.trace_id);
    assert!(child.request.is_some(), "its line has the request's id");
    assert_eq!(
        request
            .operation::<llm_observe::http::Exchange>()
            .unwrap()
            .status,
        None
    );

    let response = ask(get_of("/stream")).await;
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let call = seen.calls().pop().unwrap();
    assert_eq!(call.outcome, Outcome::Cancelled);
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
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
async fn a_response_without_a_body_is_complete_unread() {
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
    // All announced bytes have been read, but not the end of the body.
    let mut body = ask(get_of("/")).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(seen.calls().pop().unwrap().outcome, Outcome::Ok);
    assert_eq!(seen.calls().len(), 5);
}

#[tokio::test]
async fn a_grpc_status_follows_a_body_of_known_length() {
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
async fn an_error_of_the_service_passes_through_unchanged() {
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
    let error = call.error.clone().unwrap();
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

/// What a service's own stream fails with.
#[derive(Debug)]
struct Interrupted(std::io::Error);

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer was interrupted")
    }
}

impl std::error::Error for Interrupted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn reset() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "peer 7 is gone")
}

#[tokio::test]
async fn an_error_of_a_body_is_recorded_with_its_causes() {
    type Item = Result<bytes::Bytes, Box<dyn std::error::Error + Send + Sync>>;
    let broken = async || {
        let first: Item = Ok(bytes::Bytes::from_static(b"first"));
        let items = [first, Err(Box::new(Interrupted(reset())) as _)];
        Body::from_stream(futures_util::stream::iter(items))
    };
    let refused = async || {
        let items = [Ok(bytes::Bytes::from_static(b"first")), Err(reset())];
        Body::from_stream(futures_util::stream::iter(items))
    };
    let router = Router::new()
        .route("/own", get(broken))
        .route("/io", get(refused))
        .layer(layer());
    for (path, name, message, chain) in [
        (
            "/own",
            "dyn core::error::Error",
            "the answer was interrupted",
            vec!["peer 7 is gone"],
        ),
        ("/io", "std::io::error::Error", "peer 7 is gone", vec![]),
    ] {
        let seen = testing::observe();
        let answer = router.clone().oneshot(get_of(path)).await.unwrap();
        answer.into_body().collect().await.unwrap_err();
        let error = seen.calls_of("http_request")[0].error.clone().unwrap();
        assert_eq!((error.type_name, &*error.message), (name, message));
        assert_eq!(
            (error.class, error.chain),
            (
                llm_observe::ErrorClass::Connection,
                chain.into_iter().map(String::from).collect()
            )
        );
    }
}

#[tokio::test]
async fn an_error_of_a_service_is_recorded_with_its_causes() {
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    let seen = testing::observe();
    let service = service_fn(async |_: Request<()>| {
        Err::<Response<Body>, Boxed>(Box::new(Interrupted(reset())))
    });
    let service = ServiceBuilder::new().layer(layer()).service(service);
    service.oneshot(Request::new(())).await.unwrap_err();
    let error = seen.calls()[0].error.clone().unwrap();
    assert_eq!(error.message, "the answer was interrupted");
    assert_eq!(
        (error.class, error.chain.len()),
        (llm_observe::ErrorClass::Connection, 1)
    );
}
