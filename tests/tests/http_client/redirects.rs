//! Redirects that lead from a host that knows of a trace to one that is not to.

use llm_observe::{Outcome, testing};
use llm_observe_tests::listener::{Listener, Reply};
use reqwest::redirect::Policy;
use reqwest_middleware::ClientBuilder;

use super::{CHAT, builder, model, observed, only};

const CONFIG: &str = "[http]\npropagate = [\"127.0.0.1\"]\n";

fn redirect(status: u16, to: String) -> Listener {
    Listener::start(Reply::Status(status, vec![("Location", to)], String::new()))
}

/// The same listener, by another name than the one that is configured.
fn elsewhere(listener: &Listener) -> String {
    format!("http://localhost:{}/there", listener.address().port())
}

#[tokio::test]
async fn the_trace_stays_behind() {
    for (status, method) in [
        (301, "GET"),
        (302, "GET"),
        (303, "GET"),
        (307, "POST"),
        (308, "POST"),
    ] {
        let seen = testing::observe_with(CONFIG).unwrap();
        let there = model();
        let here = redirect(status, elsewhere(&there));
        let request = observed().post(here.url("/")).body("the body");
        let request = request
            .header("Authorization", "Bearer x")
            .header("X-Own", "1");
        let response = request.send().await.unwrap();
        assert_eq!(response.url().as_str(), elsewhere(&there));
        assert_eq!(response.text().await.unwrap(), CHAT, "{status}");

        let (first, second) = (&here.requests()[0], &there.requests()[0]);
        assert!(first.header("traceparent").is_some());
        assert_eq!(second.header("traceparent"), None, "{status}");
        assert_eq!(second.header("authorization"), None);
        assert_eq!(second.header("x-own"), Some("1"));
        assert_eq!(second.line, format!("{method} /there HTTP/1.1"));
        let body = if method == "POST" { "the body" } else { "" };
        assert_eq!(second.text(), body);
        assert_eq!(only(&seen).outcome, Outcome::Ok);
    }
}

#[tokio::test]
async fn a_redirect_within_the_configured_hosts_takes_it_along() {
    let seen = testing::observe_with(CONFIG).unwrap();
    let there = model();
    let here = redirect(302, there.url("/there"));
    let response = observed().get(here.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), CHAT);
    let second = &there.requests()[0];
    assert_eq!(
        second.header("traceparent"),
        here.requests()[0].header("traceparent")
    );
    assert!(second.header("traceparent").is_some());
    only(&seen);
}

#[tokio::test]
async fn a_way_that_begins_elsewhere_is_told_nothing() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let there = model();
    let middle = redirect(302, elsewhere(&there));
    let first = redirect(302, middle.url("/"));
    let response = observed().get(elsewhere(&first)).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), CHAT);
    for listener in [&first, &middle, &there] {
        assert_eq!(listener.requests()[0].header("traceparent"), None);
    }
}

#[tokio::test]
async fn it_stays_behind_at_the_end_of_a_longer_way_too() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let there = model();
    let middle = redirect(307, elsewhere(&there));
    let first = redirect(307, middle.url("/"));
    let response = observed().get(first.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), CHAT);
    assert!(middle.requests()[0].header("traceparent").is_some());
    assert_eq!(there.requests()[0].header("traceparent"), None);
    // Whether this one is still a POST nobody says.
    let response = observed().post(first.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(there.requests().len(), 1);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let circle = Listener::start(Reply::Close);
    let to = vec![("Location", circle.url("/again"))];
    circle.usually(Reply::Status(302, to, String::new()));
    let error = observed().get(circle.url("/")).send().await.unwrap_err();
    assert!(error.is_redirect());
    assert_eq!(circle.requests().len(), 11);
}

/// What the guard is for: left to itself, `reqwest` takes the header along.
#[tokio::test]
async fn without_the_guard_the_trace_would_go_along() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let there = model();
    let here = redirect(302, elsewhere(&there));
    let client = builder().build().unwrap();
    let middleware = llm_observe::http::client::middleware().propagate();
    let client = ClientBuilder::new(client).with(middleware).build();
    client.get(here.url("/")).send().await.unwrap();
    assert!(there.requests()[0].header("traceparent").is_some());
}

#[tokio::test]
async fn a_client_that_follows_none_stays_where_it_is() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let there = model();
    let here = redirect(302, elsewhere(&there));
    let client = builder().redirect(Policy::none()).build().unwrap();
    let middleware = llm_observe::http::client::middleware().propagate();
    let client = ClientBuilder::new(client).with(middleware).build();
    let response = client.get(here.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert!(there.requests().is_empty());
}
