//! The handlers for a router of the program's own, in a program without an observer. With one:
//! `tests/tests/shutdown.rs`.

use super::*;

async fn answer(method: &str, path: &str) -> (StatusCode, http::HeaderMap, Bytes) {
    let router: Router = Router::new()
        .route("/metrics", get(observed::metrics))
        .merge(observed::probes());
    let request = Request::builder().method(method).uri(path);
    let response = router.oneshot(request.body(Body::empty()).unwrap());
    let (head, body) = response.await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, head.headers, body)
}

#[tokio::test]
async fn probes_answer_without_an_observer() {
    for path in ["/healthz", "/readyz"] {
        let (status, headers, body) = answer("GET", path).await;
        assert_eq!(
            (status, &body[..]),
            (StatusCode::OK, &b"ok\n"[..]),
            "{path}"
        );
        assert_eq!(headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        let (status, headers, body) = answer("HEAD", path).await;
        assert_eq!((status, &body[..]), (StatusCode::OK, &b""[..]), "{path}");
        assert_eq!(headers[header::CONTENT_LENGTH], "3");
        let (status, ..) = answer("POST", path).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn there_are_no_metrics_without_an_observer() {
    let (status, _, body) = answer("GET", "/metrics").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains("llm_observe::init!()"), "{text}");
}
