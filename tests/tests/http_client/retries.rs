//! Requests that are sent again, with the reason.

use std::time::Duration;

use llm_observe::{Outcome, http::client, testing};
use llm_observe_tests::listener::{Listener, Reply};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};

use super::{CHAT, COMPLETIONS, builder, model, number, plain, sample};

const RETRIES: &str = "llm_observe_http_client_retries_total";
const RESENDS: &str = "http.request.resend_count";

fn retrying(client: reqwest::Client) -> ClientWithMiddleware {
    let soon = Duration::from_millis(1);
    let policy = ExponentialBackoff::builder()
        .retry_bounds(soon, soon)
        .build_with_max_retries(3);
    ClientBuilder::new(client)
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .with(client::middleware())
        .build()
}

#[tokio::test]
async fn each_attempt_is_a_call_with_the_reason_for_its_retry() {
    let seen = testing::observe();
    let listener = model().script([Reply::retry_after("7"), Reply::status(500, "")]);
    let client = retrying(plain());
    let response = client
        .post(listener.url(COMPLETIONS))
        .body("{}")
        .send()
        .await;
    assert_eq!(response.unwrap().text().await.unwrap(), CHAT);

    let calls = seen.calls_of("http_call");
    let outcomes: Vec<_> = calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Error, Outcome::Error, Outcome::Ok]);
    let resends: Vec<_> = calls.iter().map(|call| number(call, RESENDS)).collect();
    assert_eq!(resends, [None, Some(1), Some(2)]);
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    for reason in ["429", "500"] {
        let labels = [
            &*format!("reason=\"{reason}\""),
            "server_address=\"127.0.0.1\"",
        ];
        assert_eq!(sample(&metrics, RETRIES, &labels), Some(1.0), "{metrics}");
    }
    // Only the successful attempt has tokens.
    let input = ["gen_ai_token_type=\"input\""];
    let tokens = sample(&metrics, "gen_ai_client_token_usage_sum", &input);
    assert_eq!(tokens, Some(19.0));
    // The latest response asks for no wait.
    let wait = sample(&metrics, "llm_observe_ratelimit_retry_after_seconds", &[]);
    assert_eq!(wait, Some(0.0));
}

#[tokio::test]
async fn failed_connections_and_timeouts_are_reasons() {
    let seen = testing::observe();
    let client = retrying(plain());
    let unreachable = format!("http://{}/", Listener::nobody());
    client.get(unreachable).send().await.unwrap_err();
    assert_eq!(seen.calls_of("http_call").len(), 4);
    let listener = Listener::start(Reply::Stall);
    let client = retrying(
        builder()
            .timeout(Duration::from_millis(50))
            .build()
            .unwrap(),
    );
    client.get(listener.url("/")).send().await.unwrap_err();
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    for reason in ["connect", "timeout"] {
        let label = format!("reason=\"{reason}\"");
        assert_eq!(sample(&metrics, RETRIES, &[&label]), Some(3.0), "{metrics}");
    }
}

#[tokio::test]
async fn a_first_attempt_is_not_a_retry() {
    let (seen, listener) = (testing::observe(), model());
    let client = retrying(plain());
    for _ in 0..2 {
        let response = client.get(listener.url("/")).send().await.unwrap();
        response.bytes().await.unwrap();
    }
    let calls = seen.calls_of("http_call");
    assert!(calls.iter().all(|call| call.fields.get(RESENDS).is_none()));
    assert_eq!(sample(&seen.metrics(), RETRIES, &[]), None);
}
