//! Redirects between hosts of `[http] propagate` and others.

use llm_observe::{Outcome, testing};
use llm_observe_tests::listener::{Listener, Reply};
use reqwest::redirect::Policy;
use reqwest_middleware::ClientBuilder;

use super::{CHAT, builder, model, only, propagating};

const CONFIG: &str = "[http]\npropagate = [\"127.0.0.1\"]\n";

fn redirect(status: u16, to: String) -> Listener {
    Listener::start(Reply::Status(status, vec![("Location", to)], String::new()))
}

/// Returns the URL of a listener under a host that `[http] propagate` does not list.
fn other_host(listener: &Listener) -> String {
    format!("http://localhost:{}/redirected", listener.address().port())
}

#[tokio::test]
async fn a_redirect_to_another_host_drops_the_trace() {
    for (status, method) in [
        (301, "GET"),
        (302, "GET"),
        (303, "GET"),
        (307, "POST"),
        (308, "POST"),
    ] {
        let seen = testing::observe_with(CONFIG).unwrap();
        let target = model();
        let source = redirect(status, other_host(&target));
        let request = propagating().post(source.url("/")).body("the body");
        let request = request
            .header("Authorization", "Bearer x")
            .header("X-Own", "1");
        let response = request.send().await.unwrap();
        assert_eq!(response.url().as_str(), other_host(&target));
        assert_eq!(response.text().await.unwrap(), CHAT, "{status}");

        let (first, second) = (&source.requests()[0], &target.requests()[0]);
        assert!(first.header("traceparent").is_some());
        assert_eq!(second.header("traceparent"), None, "{status}");
        assert_eq!(second.header("authorization"), None);
        assert_eq!(second.header("x-own"), Some("1"));
        assert_eq!(second.line, format!("{method} /redirected HTTP/1.1"));
        let body = if method == "POST" { "the body" } else { "" };
        assert_eq!(second.text(), body);
        assert_eq!(only(&seen).outcome, Outcome::Ok);
    }
}

#[tokio::test]
async fn a_redirect_within_the_configured_hosts_keeps_the_trace() {
    let seen = testing::observe_with(CONFIG).unwrap();
    let target = model();
    let source = redirect(302, target.url("/redirected"));
    let response = propagating().get(source.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), CHAT);
    let second = &target.requests()[0];
    assert_eq!(
        second.header("traceparent"),
        source.requests()[0].header("traceparent")
    );
    assert!(second.header("traceparent").is_some());
    only(&seen);
}

#[tokio::test]
async fn redirects_that_begin_at_another_host_get_no_trace() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let target = model();
    let middle = redirect(302, other_host(&target));
    let first = redirect(302, middle.url("/"));
    let response = propagating().get(other_host(&first)).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), CHAT);
    for listener in [&first, &middle, &target] {
        assert_eq!(listener.requests()[0].header("traceparent"), None);
    }
}

#[tokio::test]
async fn the_last_of_several_redirects_drops_the_trace() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let target = model();
    let middle = redirect(307, other_host(&target));
    let first = redirect(307, middle.url("/"));
    let response = propagating().get(first.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), CHAT);
    assert!(middle.requests()[0].header("traceparent").is_some());
    assert_eq!(target.requests()[0].header("traceparent"), None);
    // After a redirect it is unknown whether this request is still a POST.
    let response = propagating().post(first.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(target.requests().len(), 1);
}

#[tokio::test]
async fn circular_redirects_end() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let circle = Listener::start(Reply::Close);
    let to = vec![("Location", circle.url("/again"))];
    circle.usually(Reply::Status(302, to, String::new()));
    let error = propagating().get(circle.url("/")).send().await.unwrap_err();
    assert!(error.is_redirect());
    assert_eq!(circle.requests().len(), 11);
}

/// The reason for the redirect policy: `reqwest` alone sends the header to the other host.
#[tokio::test]
async fn reqwest_alone_would_keep_the_trace() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let target = model();
    let source = redirect(302, other_host(&target));
    let client = builder().build().unwrap();
    let middleware = llm_observe::http::client::middleware().propagate();
    let client = ClientBuilder::new(client).with(middleware).build();
    client.get(source.url("/")).send().await.unwrap();
    assert!(target.requests()[0].header("traceparent").is_some());
}

#[tokio::test]
async fn a_client_that_follows_no_redirects_is_not_redirected() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let target = model();
    let source = redirect(302, other_host(&target));
    let client = builder().redirect(Policy::none()).build().unwrap();
    let middleware = llm_observe::http::client::middleware().propagate();
    let client = ClientBuilder::new(client).with(middleware).build();
    let response = client.get(source.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_builder_keeps_its_policy() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let target = model();
    let source = redirect(302, other_host(&target));
    let from_builder = llm_observe::http::client::from_builder;
    let stays = from_builder(builder().redirect(Policy::none())).unwrap();
    let response = stays.get(source.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert!(target.requests().is_empty());

    let follows = from_builder(builder()).unwrap();
    let response = follows.get(source.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), CHAT);
    // Which redirects its policy follows is not known.
    let requests = [source.requests(), target.requests()].concat();
    assert!(
        requests
            .iter()
            .all(|request| request.header("traceparent").is_none())
    );
}

#[tokio::test]
async fn a_policy_of_its_own_asks_ours() {
    let _seen = testing::observe_with(CONFIG).unwrap();
    let target = model();
    let source = redirect(302, other_host(&target));
    let policy = |path: &'static str| {
        Policy::custom(move |attempt| match attempt.url().path() == path {
            true => llm_observe::http::client::redirects().redirect(attempt),
            false => attempt.stop(),
        })
    };
    let client = |path| {
        let client = builder().redirect(policy(path)).build().unwrap();
        let middleware = llm_observe::http::client::middleware().propagate();
        ClientBuilder::new(client).with(middleware).build()
    };
    let stopped = client("/other").get(source.url("/")).send().await.unwrap();
    assert_eq!(stopped.status(), 302);
    let followed = client("/redirected")
        .get(source.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(followed.text().await.unwrap(), CHAT);
    assert_eq!(target.requests()[0].header("traceparent"), None);
    assert!(source.requests()[1].header("traceparent").is_some());
}
