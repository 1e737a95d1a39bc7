//! The number of series is bounded, however many hosts and models occur.

use std::convert::Infallible;

use ::tower::{ServiceBuilder, ServiceExt, service_fn};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use llm_observe::{http::client, testing};

use super::sample;

type ModelReply = Response<Full<&'static [u8]>>;

#[tokio::test]
async fn twenty_thousand_hosts_and_models_leave_a_constant_number_of_series() {
    let seen = testing::observe_with("[metrics]\nmax_label_values = 10\n").unwrap();
    let answer = async |request: Request<Full<&'static [u8]>>| {
        let host = request.uri().host().unwrap().to_owned();
        let body = format!("{{\"model\":\"{host}\",\"usage\":{{\"prompt_tokens\":1}}}}");
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("x-ratelimit-remaining-requests", "1");
        let body: &'static [u8] = body.into_bytes().leak();
        Ok::<ModelReply, Infallible>(response.body(Full::new(body)).unwrap())
    };
    let mut client = ServiceBuilder::new()
        .layer(client::layer())
        .service(service_fn(answer));
    let mut send = async |n: usize| {
        let request = Request::post(format!("https://h{n}.example.org/v1/embeddings"));
        let request = request.body(Full::new(&b""[..])).unwrap();
        let response = client.ready().await.unwrap();
        let response = ::tower::Service::call(response, request).await.unwrap();
        response.into_body().collect().await.unwrap();
    };
    for n in 0..100 {
        send(n).await;
    }
    let before = seen.metrics().lines().count();
    for n in 0..20_000 {
        send(n).await;
    }
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    assert_eq!(metrics.lines().count(), before, "{metrics}");
    let other = ["server_address=\"_other\""];
    let count = sample(
        &metrics,
        "http_client_request_duration_seconds_count",
        &other,
    );
    assert_eq!(count, Some(90.0 + 19_990.0));
    let gauges = metrics.lines();
    let gauges = gauges.filter(|line| line.starts_with("llm_observe_ratelimit_remaining{"));
    assert_eq!(gauges.count(), 10, "no gauge is shared by several hosts");
}
