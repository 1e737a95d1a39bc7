//! The context of a request: ids, trace, session and peer, and the calls that belong to it.

use super::*;

#[tokio::test]
async fn a_request_is_one_call_with_its_route_and_metrics() {
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
        (Outcome::Ok, llm_observe::operation::SpanKind::Server)
    );
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
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
async fn child_calls_belong_to_the_request() {
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
async fn invalid_ids_from_clients_are_replaced() {
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
async fn spawned_work_keeps_its_call_and_request() {
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
async fn the_peer_is_the_connected_client() {
    let seen = testing::observe();
    let mut request = get_of("/");
    let address = std::net::SocketAddr::from(([192, 0, 2, 1], 5));
    request.extensions_mut().insert(ConnectInfo(address));
    ask(request).await;
    assert_eq!(
        seen.calls()
            .pop()
            .unwrap()
            .operation::<llm_observe::http::Exchange>()
            .unwrap()
            .peer,
        Some(address)
    );
}

#[tokio::test]
async fn a_session_of_the_application_is_linked() {
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
            assert_eq!(call.request.unwrap().session_url.as_deref(), linked);
        }
    }
}
