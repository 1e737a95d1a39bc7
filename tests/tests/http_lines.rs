//! The log lines of received requests: all attributes, and nothing that a client can forge. A process
//! has one observer, so this file has one test.

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::StatusCode, routing::any};
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use llm_observe::{Observer, config::Config, http::layer, observe};
use llm_observe_tests::folder::Folder;
use serde_json::Value;
use tower::{ServiceBuilder, ServiceExt, service_fn};

#[observe(event = "embedding")]
fn embed(text: &str) -> Result<usize, std::io::Error> {
    tracing::info!(batch = 1, "embedding a batch");
    log::warn!("an old library says hello");
    match text {
        "" => Err(std::io::Error::other("nothing to embed")),
        text => Ok(text.len()),
    }
}

fn router() -> Router {
    Router::new()
        .route(
            "/ask/{id}",
            any(async || embed("abc").map(|n| n.to_string()).unwrap()),
        )
        .route(
            "/fails",
            any(async || embed("").map_or(StatusCode::BAD_GATEWAY, |_| StatusCode::OK)),
        )
        .route("/fine", any(async || "fine"))
        .route("/panics", any(async || -> &'static str { panic!("gone") }))
        .layer(layer())
}

async fn send(request: Request<Body>) -> Response<Body> {
    let response = router().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, Body::from(bytes))
}

fn config(folder: &Folder) -> String {
    format!(
        r#"
        [log]
        dir = {:?}
        console = "never"
        [loggers.everything_as_json]
        file = "all.json"
        format = "json"
        [loggers.access]
        file = "access.log"
        events = ["http_request"]
        [server]
        listen = "off"
        [http]
        sample = 0.0
        ignore = ["/healthz"]
        headers = ["X-Tenant", "authorization", "cookie", "x-api-key"]
        [trackers.logrocket]
        app = "acme/shop"
        [redact]
        keys = ["question"]
        "#,
        folder.path()
    )
}

const EVIL: &str = "x\n2026-11-23 07:17:09.123 - INFO - forged trace_id=1\u{1b}[31m\" a=\"1\r\n";

/// Only successful requests are sampled. Most requests here fail.
#[tokio::test]
async fn lines_have_all_attributes_and_nothing_forged() {
    let folder = Folder::new();
    let config = Config::parse(&config(&folder), "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();

    with_everything().await;
    let id = failing().await;
    forged().await;
    secret().await;
    for _ in 0..20 {
        send(Request::get("/fine").body(Body::empty()).unwrap()).await;
    }
    let panicked = send(Request::get("/panics").body(Body::empty()).unwrap()).await;
    assert_eq!(panicked.status(), 500);
    assert!(observer.flush(Duration::from_secs(20)).is_complete());

    let text = folder.read("app.log");
    let access = folder.read("access.log");
    let json: Vec<Value> = folder
        .read("all.json")
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    lines_of_the_failing(&text, &json, &id);
    lines_of_the_forged(&text, &json);
    for secret in SECRETS {
        for log in [&text, &access, &folder.read("all.json")] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
    assert!(text.contains("/fails?api_key=REDACTED&k=5 502"), "{text}");
    let hidden = " cookie=[redacted] x-api-key=[redacted]";
    assert!(text.contains(hidden), "{text}");
    assert!(!text.contains("/fine"), "sampled away: {text}");
    assert!(
        access.lines().all(|line| line.contains(" request_id=")),
        "{access}"
    );
    assert!(!access.contains("embedding"), "{access}");
    let panicked = access
        .lines()
        .find(|line| line.contains("GET /panics 500 panic in "))
        .unwrap();
    assert!(
        panicked.contains(" - ERROR - ") && panicked.contains(" error=gone "),
        "{panicked}"
    );
    let metrics = observer.metrics().unwrap();
    llm_observe_tests::metrics::assert_documented(&metrics);
    assert!(
        metrics.contains("http_route=\"/fine\",http_response_status_code=\"200\"} 20\n"),
        "{metrics}"
    );
}

/// A successful request. Its own line is not sampled, but the lines during it are written.
async fn with_everything() {
    let request = Request::post("/ask/42").header("x-request-id", "good-1");
    let answer = send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers()["x-request-id"], "good-1");
}

async fn failing() -> String {
    let request = Request::post("/fails?api_key=abc&k=5")
        .header("x-request-id", "bad \"id")
        .header(header::USER_AGENT, "curl/8.5 (test)")
        .header(header::CONTENT_LENGTH, "17")
        .header("x-tenant", "acme")
        .header("x-tenant", "shop")
        .header("x-other", "not asked for")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .header(
            "x-logrocket-url",
            "https://app.logrocket.com/acme/shop/s/6-01/0",
        );
    let mut request = request.body(Body::from("a question of 17!")).unwrap();
    let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 4711));
    request.extensions_mut().insert(ConnectInfo(peer));
    let answer = send(request).await;
    answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned()
}

fn lines_of_the_failing(text: &str, json: &[Value], id: &str) {
    let line = text
        .lines()
        .find(|line| line.contains("POST /fails"))
        .unwrap();
    let (_, message) = line.split_once(" - ERROR - ").unwrap();
    let session = "https://app.logrocket.com/acme/shop/s/6-01/0";
    let start = "POST /fails?api_key=REDACTED&k=5 502 in ";
    assert!(message.starts_with(start), "{message}");
    for part in [
        &*format!(" request_id={id} session={session} route=/fails peer=192.0.2.1:4711"),
        " user_agent=\"curl/8.5 (test)\" bytes_in=17 bytes_out=0",
        " x-tenant=\"acme, shop\"",
        " error=\"502 Bad Gateway\" error.type=status error.class=unavailable",
        " caused_by=\"nothing to embed\"",
        " passed_on=true",
    ] {
        assert!(message.contains(part), "no {part:?} in {message}");
    }
    assert!(
        message.ends_with(" trace_id=0af7651916cd43dd8448eb211c80319c"),
        "{message}"
    );
    assert!(
        !message.contains("not asked for") && !message.contains("a question"),
        "{message}"
    );

    let of_request = |line: &&Value| line["request_id"] == id;
    let lines: Vec<&Value> = json.iter().filter(of_request).collect();
    let messages: Vec<_> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages.len(), 4, "{messages:?}");
    assert_eq!(
        messages[..2],
        ["embedding a batch", "an old library says hello"]
    );
    assert!(
        messages[2].starts_with("embedding error in "),
        "{messages:?}"
    );
    for line in &lines {
        assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(line["session"], session);
    }
    let line = lines[3];
    assert_eq!(line["event"], "http_request");
    assert_eq!(line["function"], "POST /fails");
    assert_eq!(line["outcome"], "error");
    let fields = &line["fields"];
    for (name, value) in [
        ("http.request.method", Value::from("POST")),
        ("url.path", "/fails".into()),
        ("url.query", "api_key=REDACTED&k=5".into()),
        ("http.route", "/fails".into()),
        ("http.response.status_code", 502.into()),
        ("client.address", "192.0.2.1".into()),
        ("client.port", 4711.into()),
        ("user_agent.original", "curl/8.5 (test)".into()),
        ("http.request.body.size", 17.into()),
        ("http.response.body.size", 0.into()),
        ("http.request.header.x-tenant", "acme, shop".into()),
    ] {
        assert_eq!(fields[name], value, "{name} of {line}");
    }
}

/// `hyper` refuses these headers, but another server may accept them.
async fn forged() {
    let service = service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(
            Response::builder().status(500).body(Body::empty()).unwrap(),
        ))
    });
    let evil_route = layer().route(|_| Some(EVIL.into()));
    let service = ServiceBuilder::new().layer(evil_route).service(service);
    let mut request = Request::new(());
    *request.method_mut() = "EVIL".parse().unwrap();
    // A `HeaderValue` can have tabs, quotes and bytes beyond ASCII, but no newline.
    let worst = HeaderValue::from_bytes(b"x\t- INFO - \"forged\"= \xff\xc3 trace_id=1").unwrap();
    for name in [
        "x-request-id",
        "user-agent",
        "traceparent",
        "x-tenant",
        "tracestate",
        "x-logrocket-url",
    ] {
        assert!(HeaderValue::from_str(EVIL).is_err());
        request.headers_mut().insert(name, worst.clone());
    }
    *request.uri_mut() = "/a%0a2026-11-23%20-%20INFO%20-%20forged?q=%22x%22%0d%0a"
        .parse()
        .unwrap();
    service.oneshot(request).await.unwrap();
}

fn lines_of_the_forged(text: &str, json: &[Value]) {
    let stamped = |line: &str| line.starts_with("20") && line.as_bytes()[23..26] == *b" - ";
    assert!(text.lines().all(stamped), "{text}");
    assert!(!text.contains(['\u{1b}', '\r', '\t']), "{text}");
    let forged: Vec<_> = text
        .lines()
        .filter(|line| line.contains("forged"))
        .collect();
    assert_eq!(forged.len(), 1, "{forged:?}");
    assert!(
        forged[0].contains(" - ERROR - _OTHER /a%0a2026"),
        "{forged:?}"
    );
    assert!(forged[0].contains(" method=EVIL "), "{forged:?}");
    let agent = r#" user_agent="x\t- INFO - \"forged\"= "#;
    assert!(forged[0].contains(agent), "{forged:?}");
    let json: Vec<_> = json
        .iter()
        .filter(|line| line.to_string().contains("forged"))
        .collect();
    assert_eq!(json.len(), 1, "{json:?}");
    let id = json[0]["request_id"].as_str().unwrap();
    assert_eq!(id.len(), 36, "a new one: {id}");
}

const SECRETS: [&str; 8] = [
    "is+it+contagious",
    "hunter2",
    "deadbeefcafe",
    "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "dXNlcjpodW50ZXIyaHVudGVyMg",
];

async fn secret() {
    for query in [
        "password=hunter2",
        "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE&X-Amz-Signature=deadbeefcafe",
        "sig=deadbeefcafe&se=2026",
        "X-Goog-Signature=deadbeefcafe",
        "key=sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
        "access_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "q=ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "next=https://user:hunter2@host/",
        "next=%2Fx%3Ftoken%3Dhunter2",
        "user%5Bpassword%5D=hunter2",
        "password=my,hunter2",
        "question=is+it+contagious",
    ] {
        let request = Request::get(format!("/fails?{query}"))
            .header(
                header::USER_AGENT,
                "agent ghp_0123456789abcdefghijABCDEFGHIJ012345",
            )
            .header(header::AUTHORIZATION, "Basic dXNlcjpodW50ZXIyaHVudGVyMg==")
            .header("x-request-id", "ghp_0123456789abcdefghijABCDEFGHIJ012345")
            .header("x-tenant", "password=hunter2")
            .header("x-api-key", "my, hunter2")
            .header(header::COOKIE, "session=deadbeefcafe");
        send(request.body(Body::empty()).unwrap()).await;
    }
    let path = "/fails/sk-ant-api03-abcdefghijklmnopqrstuvwxyz";
    send(Request::get(path).body(Body::empty()).unwrap()).await;
}
