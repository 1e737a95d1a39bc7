//! The layer over hyper's client.

use std::{convert::Infallible, io, panic::AssertUnwindSafe};

use ::tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use llm_observe::{
    ErrorClass, Outcome,
    http::client::{Attempts, layer},
    testing,
};
use llm_observe_tests::listener::{Listener, Reply};
use tracing::Level;

use super::{CHAT, COMPLETIONS, model, number, only, sample};

type Body = Full<Bytes>;

async fn send(
    request: Request<Body>,
) -> Result<Response<Bytes>, hyper_util::client::legacy::Error> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let client = ServiceBuilder::new().layer(layer()).service(client);
    let (head, body) = client.oneshot(request).await?.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Ok(Response::from_parts(head, body))
}

fn post(url: String, body: &'static str) -> Request<Body> {
    Request::post(url)
        .body(Body::new(Bytes::from_static(body.as_bytes())))
        .unwrap()
}

#[tokio::test]
async fn a_response_is_read_and_not_changed() {
    let config = "[http]\npropagate = [\"127.0.0.1\"]\n";
    let (seen, listener) = (testing::observe_with(config).unwrap(), model());
    let response = send(post(listener.url(COMPLETIONS), "{}")).await.unwrap();
    assert_eq!(response.body(), CHAT.as_bytes());
    let call = only(&seen);
    assert_eq!((call.outcome, call.level), (Outcome::Ok, Level::INFO));
    assert_eq!(call.function(), format!("POST {}", listener.address()));
    assert_eq!(number(&call, "gen_ai.usage.input_tokens"), Some(19));
    let request = &listener.requests()[0];
    let expected = format!("00-{}-{}-01", call.trace_id, call.span_id);
    assert_eq!(request.header("traceparent"), Some(&*expected));
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
    assert_eq!(exchange.peer, Some(listener.address()));
    assert_eq!(exchange.request_bytes, Some(2));
    assert_eq!(exchange.target, listener.url(COMPLETIONS));
}

#[tokio::test]
async fn hypers_errors_are_classified() {
    let seen = testing::observe();
    let unreachable = format!("http://{}/", Listener::nobody());
    send(post(unreachable, "")).await.unwrap_err();
    let call = only(&seen);
    let error = call.error.clone().unwrap();
    assert_eq!(
        (call.outcome, error.class),
        (Outcome::Error, ErrorClass::Connection)
    );
    assert!(!error.chain.is_empty(), "{error:?}");
}

#[tokio::test]
async fn errors_of_any_type_pass_unchanged() {
    let seen = testing::observe();
    let fails = service_fn(async |_: Request<Body>| {
        let error = io::Error::from(io::ErrorKind::TimedOut);
        Err::<Response<Body>, BoxError>(error.into())
    });
    let client = ServiceBuilder::new().layer(layer()).service(fails);
    let error = client
        .oneshot(post("http://a/".into(), ""))
        .await
        .unwrap_err();
    assert!(error.is::<io::Error>());
    assert_eq!(only(&seen).outcome, Outcome::Timeout);
}

#[tokio::test]
async fn a_stack_that_retries_shares_its_attempts() {
    let seen = testing::observe();
    let listener = model().script([Reply::status(503, "")]);
    let attempts = Attempts::default();
    for _ in 0..2 {
        let mut request = post(listener.url("/"), "");
        request.extensions_mut().insert(attempts.clone());
        send(request).await.unwrap();
    }
    let calls = seen.calls_of("http_call");
    assert_eq!(number(&calls[0], "http.request.resend_count"), None);
    assert_eq!(number(&calls[1], "http.request.resend_count"), Some(1));
    let reason = ["reason=\"503\""];
    let retries = "llm_observe_http_client_retries_total";
    assert_eq!(sample(&seen.metrics(), retries, &reason), Some(1.0));
}

#[tokio::test]
async fn the_host_is_taken_from_the_header_where_the_uri_has_none() {
    let seen = testing::observe();
    let responds = service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    for host in [Some("api.example.org:81"), Some("no host"), None] {
        let client = ServiceBuilder::new().layer(layer()).service(responds);
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = Uri::from_static("/a?token=secret1234");
        if let Some(host) = host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        client.oneshot(request).await.unwrap();
    }
    let calls = seen.calls_of("http_call");
    let names: Vec<_> = calls.iter().map(|call| call.function()).collect();
    assert_eq!(names, ["GET api.example.org:81", "GET", "GET"]);
    for call in calls {
        let exchange = call.operation::<llm_observe::http::Exchange>();
        let target = exchange.unwrap().target.clone();
        assert!(target.ends_with("/a?token=REDACTED"), "{target}");
    }
}

#[tokio::test]
async fn a_panic_in_the_client_is_recorded_and_resumed() {
    let seen = testing::observe();
    let panics = service_fn(
        async |_: Request<Body>| -> Result<Response<Body>, Infallible> {
            tokio::task::yield_now().await;
            panic!("the client is gone")
        },
    );
    let client = ServiceBuilder::new().layer(layer()).service(panics);
    let request = client.oneshot(post("http://a/".into(), ""));
    let panicked = AssertUnwindSafe(request).catch_unwind().await;
    assert!(panicked.is_err());
    assert_eq!(only(&seen).outcome, Outcome::Panic);
}
