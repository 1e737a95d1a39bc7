//! Requests that `async-openai` sends again: each attempt is a call below the same function.

use async_openai::middleware::retry::OpenAIRetryLayer;
use llm_observe::{ErrorClass, Outcome, http::client::async_openai, testing};
use llm_observe_tests::listener::{Listener, Reply};
use tower::Layer;

use super::{
    CHAT, Client, OpenAIError, answer, client_of, config, http, json, number, requests_of, sample,
    tokens,
};

const RESENDS: &str = "http.request.resend_count";
const RETRIES: &str = "llm_observe_http_client_retries_total";

/// Returns a 429 with this code in its body, and no wait.
fn refused(code: &str) -> Reply {
    let body = format!(r#"{{"error":{{"message":"no","type":"{code}","code":"{code}"}}}}"#);
    let Reply::Status(status, mut headers, body) = json(429, &body, 0) else {
        unreachable!("`json` returns a status")
    };
    headers.push(("Retry-After", "0".to_owned()));
    Reply::Status(status, headers, body)
}

#[tokio::test]
async fn each_attempt_is_a_call_below_the_function() {
    let seen = testing::observe();
    let listener = Listener::start(json(200, CHAT, 59))
        .script([refused("rate_limit_exceeded"), json(500, "", 0)]);
    assert_eq!(answer(&client_of(&listener), "why?").await.unwrap(), "42");

    let calls = requests_of(&seen, "answer");
    let outcomes: Vec<_> = calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Error, Outcome::Error, Outcome::Ok]);
    let resends: Vec<_> = calls.iter().map(|call| number(call, RESENDS)).collect();
    assert_eq!(resends, [None, Some(1), Some(2)]);
    let counted: Vec<_> = calls.iter().map(tokens).collect();
    let none = [None, None];
    assert_eq!(counted, [none, none, [Some(19), Some(10)]]);
    let error = calls[0].error.as_ref().unwrap();
    assert_eq!(error.class, ErrorClass::RateLimit);
    assert_eq!(seen.calls_of("answer")[0].outcome, Outcome::Ok);

    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    for reason in ["429", "500"] {
        let label = format!("reason=\"{reason}\"");
        assert_eq!(sample(&metrics, RETRIES, &label), Some(1.0), "{metrics}");
    }
    for (name, label, value) in [
        ("gen_ai_client_token_usage_sum", "\"input\"", 19.0),
        ("llm_observe_ratelimit_remaining", "\"requests\"", 59.0),
    ] {
        assert_eq!(sample(&metrics, name, label), Some(value), "{name}");
    }
}

#[tokio::test]
async fn an_exhausted_quota_is_not_asked_again() {
    let seen = testing::observe();
    let listener = Listener::start(refused("insufficient_quota"));
    answer(&client_of(&listener), "why?").await.unwrap_err();
    let calls = requests_of(&seen, "answer");
    assert_eq!(calls.len(), 1);
    let class = |error: &Option<llm_observe::ErrorInfo>| error.as_ref().unwrap().class;
    assert_eq!(class(&calls[0].error), ErrorClass::BudgetExceeded);
    let caller = seen.calls_of("answer").remove(0);
    assert_eq!(class(&caller.error), ErrorClass::BudgetExceeded);
}

#[tokio::test]
async fn a_failed_connection_is_tried_again() {
    let seen = testing::observe();
    let nobody = format!("http://{}/v1", Listener::nobody());
    let listener = Listener::start(Reply::Close);
    let client = Client::build(http(), config(&listener).with_api_base(nobody))
        .with_http_service(async_openai(http()).max_retries(1));
    let error = answer(&client, "why?").await.unwrap_err();
    assert!(matches!(error, OpenAIError::Reqwest(_)), "{error:?}");
    let calls = requests_of(&seen, "answer");
    let outcomes: Vec<_> = calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Error, Outcome::Error]);
    let reason = sample(&seen.metrics(), RETRIES, "reason=\"connect\"");
    assert_eq!(reason, Some(1.0));
}

#[tokio::test]
async fn retries_are_the_librarys_unless_set() {
    let sent = async |client: &Client<_>, listener: &Listener| {
        answer(client, "why?").await.unwrap_err();
        listener.requests().len()
    };
    let fails = || Listener::start(json(500, "", 0));
    let listener = fails();
    let own = Client::build(http(), config(&listener));
    let by_default = sent(&own, &listener).await;
    let listener = fails();
    assert_eq!(sent(&client_of(&listener), &listener).await, by_default);
    let listener = fails();
    let never = Client::build(http(), config(&listener))
        .with_http_service(async_openai(http()).max_retries(0));
    assert_eq!(sent(&never, &listener).await, 1);
}

#[tokio::test]
async fn a_retry_layer_of_the_program_is_above_the_service() {
    let seen = testing::observe();
    let listener = Listener::start(json(200, CHAT, 59)).script([refused("rate_limit_exceeded")]);
    let service = OpenAIRetryLayer::new(1).layer(async_openai(http()).max_retries(0));
    let client = Client::build(http(), config(&listener)).with_http_service(service);
    answer(&client, "why?").await.unwrap();
    let calls = requests_of(&seen, "answer");
    let outcomes: Vec<_> = calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Error, Outcome::Ok]);
    // The layer's requests are separate ones: the service does not see that they belong together.
    assert!(calls.iter().all(|call| number(call, RESENDS).is_none()));
}
