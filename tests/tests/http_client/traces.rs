//! Which hosts are told of a trace.

use llm_observe::{http::client, observe, testing};
use llm_observe_tests::listener::{Listener, Request};
use reqwest_middleware::ClientBuilder;

use super::{model, observed, only, plain};

const CONFIG: &str = "[http]\npropagate = [\"127.0.0.1\"]\n";

#[observe(event = "asking")]
async fn ask(url: String) {
    let response = observed().get(url).send().await.unwrap();
    response.bytes().await.unwrap();
}

fn last(listener: &Listener) -> Request {
    listener.requests().pop().unwrap()
}

#[tokio::test]
async fn a_configured_host_is_told_and_no_other() {
    let (seen, listener) = (testing::observe_with(CONFIG).unwrap(), model());
    ask(listener.url("/")).await;
    let (call, above) = (only(&seen), seen.calls_of("asking").remove(0));
    let wanted = format!("00-{}-{}-01", above.trace_id, call.span_id);
    assert_eq!(last(&listener).header("traceparent"), Some(&*wanted));
    assert_eq!(call.parent_id, above.span_id);

    let port = listener.address().port();
    ask(format!("http://localhost:{port}/")).await;
    assert_eq!(last(&listener).header("traceparent"), None);
}

#[tokio::test]
async fn nobody_is_told_by_default() {
    let (_seen, listener) = (testing::observe(), model());
    ask(listener.url("/")).await;
    assert_eq!(last(&listener).header("traceparent"), None);
}

#[tokio::test]
async fn a_client_of_ones_own_tells_when_it_says_that_it_may() {
    let (_seen, listener) = (testing::observe_with(CONFIG).unwrap(), model());
    for (middleware, told) in [
        (client::middleware(), false),
        (client::middleware().propagate(), true),
    ] {
        let client = ClientBuilder::new(plain()).with(middleware).build();
        client.get(listener.url("/")).send().await.unwrap();
        assert_eq!(last(&listener).header("traceparent").is_some(), told);
    }
}

#[tokio::test]
async fn what_somebody_else_said_stays() {
    let (_seen, listener) = (testing::observe_with(CONFIG).unwrap(), model());
    let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let request = observed().get(listener.url("/"));
    request.header("traceparent", theirs).send().await.unwrap();
    assert_eq!(last(&listener).header("traceparent"), Some(theirs));
}
