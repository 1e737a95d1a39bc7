//! What reports and alerts contain about the HTTP request that a failed call served.

use std::time::Duration;

use axum::{Router, body::Body, http::StatusCode, routing::post};
use http::Request;
use llm_observe::{Observer, config::Config, http::layer, observe, testing};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
};
use serde_json::Value;
use tower::ServiceExt;

const LINK: &str = "https://app.logrocket.com/acme/shop/s/6-01/0";

#[observe(event = "embedding")]
fn embed(text: &str) -> Result<usize, std::io::Error> {
    tracing::info!("embedding for key sk-proj-{}", "a".repeat(40));
    Err(std::io::Error::other(format!(
        "nothing to embed in {text:?}"
    )))
}

fn router() -> Router {
    let fails = post(async || embed("abc").map_or(StatusCode::BAD_GATEWAY, |_| StatusCode::OK));
    Router::new().route("/ask/{id}", fails).layer(layer())
}

/// Sends one request through the router. Returns what each tracker received about its failure.
async fn reported(session: &str) -> [Value; 3] {
    let listeners = [(); 3].map(|()| Listener::start(Reply::status(200, r#"{"id":"1"}"#)));
    let [sentry, rollbar, airbrake] = &listeners;
    let folder = Folder::new();
    let dsn = folder.write("dsn", &format!("http://public@{}/42", sentry.address()));
    let token = folder.write("token", "token");
    let config = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n\
         [trackers.logrocket]\napp = \"acme/shop\"\n\
         [trackers.sentry]\ndsn = \"file:{}\"\n\
         [trackers.rollbar]\naccess_token = \"file:{token}\"\nurl = \"{}\"\n\
         [trackers.airbrake]\nproject_id = 42\nproject_key = \"file:{token}\"\nurl = \"{}\"\n",
        folder.path(),
        dsn.display(),
        rollbar.url(""),
        airbrake.url(""),
        token = token.display(),
    );
    let config = Config::parse(&config, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    let request = Request::post("/ask/7?api_key=topsecret&q=what+is+it")
        .header("x-request-id", "req-7")
        .header("x-logrocket-url", session)
        .body(Body::empty());
    let response = router().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    drop(response);
    let flushed = observer.flush(Duration::from_secs(20));
    assert_eq!(flushed.kept, 0, "{flushed:?}");
    let last = |listener: &Listener| {
        let requests = listener.requests();
        let of_call = requests.iter().map(|request| request.text());
        let mut of_call = of_call.filter(|text| text.contains("nothing to embed"));
        of_call.next().unwrap()
    };
    let event = last(sentry).lines().nth(2).unwrap().to_owned();
    [event, last(rollbar), last(airbrake)].map(|text| {
        assert!(
            !text.contains("topsecret") && !text.contains("sk-proj-aaaa"),
            "{text}"
        );
        assert!(!text.contains("what+is+it"), "no query: {text}");
        serde_json::from_str(&text).unwrap()
    })
}

#[tokio::test]
async fn every_tracker_gets_the_request_and_its_session() {
    let [sentry, rollbar, airbrake] = reported(&format!("{LINK}?t=5&token=x")).await;
    let link = format!("{LINK}?t=5");
    assert_eq!(sentry["extra"]["sessionURL"], link, "{sentry:#}");
    assert_eq!(sentry["tags"]["request_id"], "req-7");
    assert_eq!(sentry["tags"]["http.route"], "/ask/{id}");
    assert_eq!(sentry["tags"]["http.method"], "POST");
    assert_eq!(sentry["request"]["method"], "POST");
    let breadcrumbs = sentry["breadcrumbs"]["values"].to_string();
    assert!(breadcrumbs.contains("embedding for key"), "{breadcrumbs}");

    let data = &rollbar["data"];
    assert_eq!(data["custom"]["sessionURL"], link, "{rollbar:#}");
    assert_eq!(data["custom"]["request_id"], "req-7");
    assert_eq!(data["request"]["method"], "POST");
    assert_eq!(data["request"]["url"], "/ask/{id}");

    assert_eq!(airbrake["params"]["sessionURL"], link, "{airbrake:#}");
    assert_eq!(airbrake["params"]["request_id"], "req-7");
    assert_eq!(airbrake["context"]["httpMethod"], "POST");
    assert_eq!(airbrake["context"]["route"], "/ask/{id}");
}

#[observe(event = "search", alert_on_error)]
fn search() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("nobody searches"))
}

#[tokio::test]
async fn an_alert_links_to_its_session() {
    let seen = testing::observe_with("[trackers.logrocket]\napp = \"acme/shop\"").unwrap();
    let fails = post(async || search().map_or(StatusCode::BAD_GATEWAY, |()| StatusCode::OK));
    let router = Router::new().route("/search", fails).layer(layer());
    for session in ["https://evil.example/acme/shop/s/1", LINK] {
        let request = Request::post("/search").header("x-logrocket-url", session);
        let request = request.body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap();
    }
    let alerts = seen.alerts();
    let [(_, alert)] = &alerts[..] else {
        panic!("{alerts:?}");
    };
    assert_eq!(alert.count, 2);
    assert_eq!(alert.session_url.as_deref(), Some(LINK));
}
