//! Which hosts get `traceparent`.

use axum::{Router, body::Body, routing::get};
use llm_observe::{
    context,
    http::{client, layer},
    observe, testing,
};
use llm_observe_tests::listener::{Listener, Reply, Request};
use reqwest_middleware::ClientBuilder;
use tower::ServiceExt;

use super::{model, only, plain, propagating};

const CONFIG: &str = "[http]\npropagate = [\"127.0.0.1\"]\n";

#[observe(event = "asking")]
async fn ask(url: String) {
    let response = propagating().get(url).send().await.unwrap();
    response.bytes().await.unwrap();
}

fn last(listener: &Listener) -> Request {
    listener.requests().pop().unwrap()
}

#[tokio::test]
async fn only_configured_hosts_get_the_trace() {
    let (seen, listener) = (testing::observe_with(CONFIG).unwrap(), model());
    ask(listener.url("/")).await;
    let (call, caller) = (only(&seen), seen.calls_of("asking").remove(0));
    let expected = format!("00-{}-{}-01", caller.trace_id, call.span_id);
    assert_eq!(last(&listener).header("traceparent"), Some(&*expected));
    assert_eq!(call.parent_id, caller.span_id);

    let port = listener.address().port();
    ask(format!("http://localhost:{port}/")).await;
    assert_eq!(last(&listener).header("traceparent"), None);
}

#[tokio::test]
async fn no_host_gets_the_trace_by_default() {
    let (_seen, listener) = (testing::observe(), model());
    ask(listener.url("/")).await;
    assert_eq!(last(&listener).header("traceparent"), None);
}

#[tokio::test]
async fn the_middleware_adds_the_trace_only_when_asked_to() {
    let (_seen, listener) = (testing::observe_with(CONFIG).unwrap(), model());
    for (middleware, propagates) in [
        (client::middleware(), false),
        (client::middleware().propagate(), true),
    ] {
        let client = ClientBuilder::new(plain()).with(middleware).build();
        client.get(listener.url("/")).send().await.unwrap();
        assert_eq!(last(&listener).header("traceparent").is_some(), propagates);
    }
}

#[tokio::test]
async fn an_existing_traceparent_stays() {
    let (_seen, listener) = (testing::observe_with(CONFIG).unwrap(), model());
    let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let request = propagating().get(listener.url("/"));
    request.header("traceparent", theirs).send().await.unwrap();
    assert_eq!(last(&listener).header("traceparent"), Some(theirs));
}

#[tokio::test]
async fn baggage_goes_where_the_trace_goes() {
    let config = CONFIG.to_owned() + "baggage = [\"tenant\"]\n";
    let (_seen, listener) = (testing::observe_with(&config).unwrap(), model());
    let context = context().tenant("acme, ü").user("u-1");
    context.scope(ask(listener.url("/"))).await;
    let sent = last(&listener);
    assert_eq!(sent.header("baggage"), Some("tenant=acme%2C%20%C3%BC"));

    let other = format!("http://localhost:{}/", listener.address().port());
    context.scope(ask(other.clone())).await;
    assert_eq!(last(&listener).header("baggage"), None);

    let to = vec![("Location", other)];
    let source = Listener::start(Reply::Status(307, to, String::new()));
    context.scope(ask(source.url("/"))).await;
    assert!(last(&source).header("baggage").is_some());
    assert_eq!(last(&listener).header("baggage"), None);

    let own = propagating()
        .get(listener.url("/"))
        .header("baggage", "own=1");
    context.scope(own.send()).await.unwrap();
    assert_eq!(last(&listener).header("baggage"), Some("own=1"));
    assert!(last(&listener).header("traceparent").is_some());
}

/// Serves a request with `headers` by sending one to `listener`. Returns the `traceparent` and
/// `tracestate` that `listener` received.
async fn passed_on(listener: &Listener, headers: &[(&str, &str)]) -> [Option<String>; 2] {
    let url = listener.url("/");
    let router = Router::new()
        .route("/", get(async move || ask(url).await))
        .layer(layer());
    let mut request = http::Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    router.oneshot(request).await.unwrap();
    let last = last(listener);
    ["traceparent", "tracestate"].map(|name| last.header(name).map(str::to_owned))
}

#[tokio::test]
async fn flags_and_tracestate_are_passed_on_as_recommended() {
    let (_seen, listener) = (testing::observe_with(CONFIG).unwrap(), model());
    let parent = |last| ("traceparent", last);
    const ONE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff";
    const TWO: &str = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    let states = [
        parent(ONE),
        ("tracestate", "a=1"),
        ("tracestate", "b=2,c=3"),
    ];
    let [sent, state] = passed_on(&listener, &states).await;
    let sent = sent.unwrap();
    assert!(sent.contains(ID), "{sent}");
    assert!(sent.ends_with("-01"), "of the flags the known one: {sent}");
    assert_eq!(state.unwrap().replace(' ', ""), "a=1,b=2,c=3");

    // Of two `traceparent` headers none can be trusted.
    let both = [parent(ONE), parent(TWO), ("tracestate", "a=1")];
    let [sent, state] = passed_on(&listener, &both).await;
    let sent = sent.unwrap();
    assert!(!sent.contains("af7651916cd43dd8448eb211c80319c"), "{sent}");
    assert_eq!(state, None);
}

/// As a service that passes a model's stream on: the body is read in a task of its own.
#[tokio::test]
async fn a_body_that_another_task_reads_belongs_to_the_request() {
    let (seen, listener) = (testing::observe(), model());
    let url = listener.url("/");
    let handler = move || async move {
        let response = propagating().get(url).send().await.unwrap();
        let reader = tokio::spawn(async move { drop(response.bytes().await.unwrap()) });
        reader.await.unwrap();
        "read"
    };
    let router = Router::new().route("/", get(handler)).layer(layer());
    let request = http::Request::get("/").header("x-request-id", "r-1");
    let answer = router
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let call = only(&seen);
    let id = call.request.as_ref().map(|request| request.id.to_string());
    assert_eq!(id.as_deref(), Some("r-1"));
}

/// The same of a body that nobody reads to its end, and of a request that is given up.
#[tokio::test]
async fn what_another_task_drops_belongs_to_the_request() {
    let (seen, listener) = (testing::observe(), model());
    let url = listener.url("/");
    let handler = move || async move {
        let response = propagating().get(&url).send().await.unwrap();
        let mut asking = Box::pin(propagating().get(&url).send());
        let _ = futures_util::FutureExt::now_or_never(&mut asking);
        std::thread::spawn(move || drop((response, asking)))
            .join()
            .unwrap();
        "dropped"
    };
    let router = Router::new().route("/", get(handler)).layer(layer());
    let request = http::Request::get("/").header("x-request-id", "r-2");
    router
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let calls = seen.calls_of("http_call");
    assert_eq!(calls.len(), 2, "{calls:#?}");
    for call in calls {
        let id = call.request.as_ref().map(|request| request.id.to_string());
        assert_eq!(id.as_deref(), Some("r-2"), "{call:#?}");
    }
}
