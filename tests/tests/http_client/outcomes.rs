//! The outcomes of sent requests.

use std::time::{Duration, Instant};

use llm_observe::{ErrorClass, Outcome, observe, testing};
use llm_observe_tests::listener::{Listener, Reply, Then};
use tracing::Level;

use super::{CHAT, COMPLETIONS, model, observed, only, sample};

#[tokio::test]
async fn each_status_has_an_outcome() {
    for (status, body, class) in [
        (404, "", ErrorClass::NotFound),
        (
            429,
            "{\"error\":{\"code\":\"insufficient_quota\"}}",
            ErrorClass::BudgetExceeded,
        ),
        (
            400,
            "{\"error\":{\"code\":\"context_length_exceeded\"}}",
            ErrorClass::ContextWindowExceeded,
        ),
        (503, "busy", ErrorClass::Unavailable),
    ] {
        let seen = testing::observe();
        let headers = vec![("Content-Type", "application/json".to_owned())];
        let listener = Listener::start(Reply::Status(status, headers, body.to_owned()));
        let response = observed().post(listener.url(COMPLETIONS)).send().await;
        assert_eq!(response.unwrap().text().await.unwrap(), body);
        let call = only(&seen);
        assert_eq!((call.outcome, call.level), (Outcome::Error, Level::WARN));
        let error = call.error.clone().unwrap();
        assert_eq!(error.class, class);
        assert!(
            error.message.starts_with(&status.to_string()),
            "{}",
            error.message
        );
        assert!(!call.reported);
        let label = format!("error_type=\"{status}\"");
        let metrics = seen.metrics();
        llm_observe_tests::metrics::assert_documented(&metrics);
        for name in ["http_client_request", "gen_ai_client_operation"] {
            let name = format!("{name}_duration_seconds_count");
            assert_eq!(sample(&metrics, &name, &[&label]), Some(1.0), "{metrics}");
        }
    }
}

#[tokio::test]
async fn a_response_whose_body_is_unread_is_ok() {
    let (seen, listener) = (testing::observe(), model());
    let response = observed()
        .post(listener.url(COMPLETIONS))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    drop(response);
    assert_eq!(only(&seen).outcome, Outcome::Ok);
}

/// A retry layer holds a failed response while it waits.
#[tokio::test]
async fn an_unread_response_ends_with_its_head() {
    let (seen, listener) = (
        testing::observe(),
        Listener::start(Reply::status(503, "busy")),
    );
    let client = observed();
    let begun = Instant::now();
    let request = client.post(listener.url(COMPLETIONS));
    let response = request.send().await.unwrap();
    let head = begun.elapsed();
    std::thread::sleep(Duration::from_millis(5));
    drop(response);
    let call = only(&seen);
    assert!(call.duration <= head, "{:?} of {head:?}", call.duration);
    let sum = "gen_ai_client_operation_duration_seconds_sum";
    let sum = sample(&seen.metrics(), sum, &[]).unwrap();
    assert!(sum <= head.as_secs_f64());
}

#[tokio::test]
async fn a_response_without_a_body_ends_with_its_head() {
    let listener = Listener::start(Reply::status(204, ""));
    for head in [true, false] {
        let seen = testing::observe();
        let (client, url) = (observed(), listener.url("/"));
        let request = if head {
            client.head(url)
        } else {
            client.get(url)
        };
        let response = request.send().await.unwrap();
        assert_eq!(
            only(&seen).outcome,
            Outcome::Ok,
            "before the response is dropped"
        );
        drop(response);
        assert_eq!(seen.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_failed_connection_is_an_error() {
    for (reply, class) in [
        (None, ErrorClass::Connection),
        (Some(Reply::Close), ErrorClass::Connection),
        (Some(Reply::Garbage), ErrorClass::Connection),
    ] {
        let seen = testing::observe();
        let listener = reply.map(Listener::start);
        let url = match &listener {
            Some(listener) => listener.url("/x?api_key=sk-very-secret"),
            None => format!("http://{}/x?api_key=sk-very-secret", Listener::nobody()),
        };
        let error = observed().get(url).send().await.unwrap_err();
        assert!(error.is_connect() || error.is_request());
        let call = only(&seen);
        assert_eq!((call.outcome, call.level), (Outcome::Error, Level::WARN));
        let error = call.error.clone().unwrap();
        assert_eq!(error.class, class, "{error:?}");
        assert_eq!(error.type_name, "reqwest::error::Error");
        let exchange = call.operation::<llm_observe::http::Exchange>();
        let target = exchange.unwrap().target.clone();
        assert!(target.ends_with("/x?api_key=REDACTED"), "{target}");
        let text = format!("{}{:?}", error.message, error.chain);
        assert!(!text.contains("very-secret"), "{text}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_after_a_successful_status() {
    let (seen, listener) = (testing::observe(), Listener::start(Reply::CutOff));
    let response = observed().get(listener.url("/")).send().await.unwrap();
    assert!(response.bytes().await.is_err());
    let call = only(&seen);
    assert_eq!(call.outcome, Outcome::Error);
    assert_eq!(
        call.operation::<llm_observe::http::Exchange>()
            .unwrap()
            .status,
        Some(200)
    );
    assert_eq!(call.error.unwrap().class, ErrorClass::Connection);
}

#[tokio::test]
async fn a_dropped_download_is_cancelled_and_counted_once() {
    const EACH: usize = 200;
    let seen = testing::observe();
    let half = vec![CHAT.as_bytes()[..40].to_vec()];
    let headers = vec![("Content-Type", "application/json".to_owned())];
    let listener = Listener::start(Reply::Pieces(headers, half, Then::Wait));
    let client = observed();
    for at in 0..EACH {
        let mut response = client.post(listener.url(COMPLETIONS)).send().await.unwrap();
        if at % 2 == 0 {
            assert_eq!(response.chunk().await.unwrap().unwrap().len(), 40);
        }
    }
    let calls = seen.calls_of("http_call");
    assert_eq!(calls.len(), EACH);
    for (at, call) in calls.into_iter().enumerate() {
        let (outcome, bytes) = match at % 2 {
            0 => (Outcome::Cancelled, Some(40)),
            _ => (Outcome::Ok, None),
        };
        assert_eq!(call.outcome, outcome);
        assert_eq!(
            call.operation::<llm_observe::http::Exchange>()
                .unwrap()
                .response_bytes,
            bytes
        );
    }
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    let cancelled = ["error_type=\"cancelled\""];
    let count = "http_client_request_duration_seconds_count";
    assert_eq!(sample(&metrics, count, &cancelled), Some(100.0));
    assert!(!metrics.contains("\nllm_observe_usage_missing_total{"));
}

#[tokio::test]
async fn a_timeout_of_the_client_is_a_timeout_and_one_around_it_cancels() {
    let listener = Listener::start(Reply::Stall);
    let soon = Duration::from_millis(100);
    let seen = testing::observe();
    let request = observed().get(listener.url("/")).timeout(soon);
    assert!(request.send().await.unwrap_err().is_timeout());
    let call = only(&seen);
    assert_eq!((call.outcome, call.level), (Outcome::Timeout, Level::WARN));

    let seen = testing::observe();
    let request = observed().get(listener.url("/")).send();
    assert!(tokio::time::timeout(soon, request).await.is_err());
    assert_eq!(only(&seen).outcome, Outcome::Cancelled);
}

#[observe(event = "passing", alert_on_error)]
async fn passing(url: String) -> reqwest_middleware::Result<String> {
    let response = observed().post(url).send().await?.error_for_status()?;
    Ok(response.text().await?)
}

#[tokio::test]
async fn the_calling_function_reports_the_failure() {
    let refused = format!("http://{}/", Listener::nobody());
    let listener = Listener::start(Reply::status(500, ""));
    for url in [refused, listener.url("/")] {
        let seen = testing::observe();
        passing(url).await.unwrap_err();
        assert!(!only(&seen).reported);
        let caller = seen.calls_of("passing").remove(0);
        assert!(caller.reported && !caller.passed_on, "{caller:#?}");
        assert_eq!(seen.alerts().len(), 1);
    }
}
