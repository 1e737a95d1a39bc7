//! Rate limits that responses state.

use llm_observe::testing;
use llm_observe_tests::listener::{Listener, Reply};

use super::{observed, sample};

async fn answered(status: u16, headers: &[(&'static str, &str)]) -> String {
    let seen = testing::observe();
    let headers = headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
    let listener = Listener::start(Reply::Status(status, headers, String::new()));
    observed().get(listener.url("/")).send().await.unwrap();
    seen.metrics()
}

fn gauge(metrics: &str, name: &str, kind: &str) -> Option<f64> {
    let kind = format!("kind=\"{kind}\"");
    let labels = [&*kind, "server_address=\"127.0.0.1\""];
    sample(metrics, &format!("llm_observe_ratelimit_{name}"), &labels)
}

#[tokio::test]
async fn openais_headers_become_gauges() {
    let metrics = answered(
        200,
        &[
            ("x-ratelimit-limit-requests", "5000"),
            ("x-ratelimit-remaining-requests", "4999"),
            ("x-ratelimit-reset-requests", "12ms"),
            ("x-ratelimit-limit-tokens", "160000"),
            ("X-RateLimit-Remaining-Tokens", "159976"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ],
    )
    .await;
    assert_eq!(gauge(&metrics, "limit", "requests"), Some(5000.0));
    assert_eq!(gauge(&metrics, "remaining", "requests"), Some(4999.0));
    assert_eq!(gauge(&metrics, "reset_seconds", "requests"), Some(1.0));
    assert_eq!(gauge(&metrics, "limit", "tokens"), Some(160_000.0));
    assert_eq!(gauge(&metrics, "remaining", "tokens"), Some(159_976.0));
    assert_eq!(gauge(&metrics, "reset_seconds", "tokens"), Some(360.0));
}

#[tokio::test]
async fn anthropics_headers_become_gauges() {
    let metrics = answered(
        429,
        &[
            ("anthropic-ratelimit-input-tokens-limit", "50000"),
            ("anthropic-ratelimit-input-tokens-remaining", "0"),
            ("anthropic-ratelimit-output-tokens-remaining", "8000"),
            ("anthropic-ratelimit-requests-reset", "2020-01-01T00:00:00Z"),
            ("retry-after", "20"),
        ],
    )
    .await;
    assert_eq!(gauge(&metrics, "limit", "input_tokens"), Some(50_000.0));
    assert_eq!(gauge(&metrics, "remaining", "input_tokens"), Some(0.0));
    assert_eq!(gauge(&metrics, "remaining", "output_tokens"), Some(8000.0));
    assert_eq!(gauge(&metrics, "reset_seconds", "requests"), Some(0.0));
    let wait = "llm_observe_ratelimit_retry_after_seconds";
    assert_eq!(sample(&metrics, wait, &[]), Some(20.0));
}

#[tokio::test]
async fn invalid_values_make_no_gauge() {
    let metrics = answered(
        200,
        &[
            ("x-ratelimit-remaining-requests", "plenty"),
            ("x-ratelimit-limit-tokens", "-3"),
            ("x-ratelimit-limit-dollars", "3"),
            ("retry-after", "later"),
        ],
    )
    .await;
    assert!(!metrics.contains("\nllm_observe_ratelimit_"), "{metrics}");
}
