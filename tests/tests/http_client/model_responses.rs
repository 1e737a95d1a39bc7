//! Responses of models: what is read of them as they pass.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use futures_util::StreamExt;
use llm_observe::{ErrorClass, Outcome, observe, testing};
use llm_observe_tests::listener::{Listener, Reply, Then};
use tracing::Level;

use super::{CHAT, COMPLETIONS, json, model, number, observed, only, plain, sample, text};

const STREAM: &str = "data: {\"id\":\"c1\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\r\n\r\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\r\n\r\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12}}\r\n\r\ndata: [DONE]\r\n\r\n";

fn events(pieces: Vec<Vec<u8>>, then: Then) -> Reply {
    let headers = vec![("Content-Type", "text/event-stream".to_owned())];
    Reply::Pieces(headers, pieces, then)
}

/// Cuts a text into pieces of `length` bytes.
fn pieces(text: &str, length: usize) -> Vec<Vec<u8>> {
    text.as_bytes().chunks(length).map(<[u8]>::to_vec).collect()
}

#[tokio::test]
async fn a_response_is_read_and_not_changed() {
    let (seen, listener) = (testing::observe(), model());
    let request = observed().post(listener.url(COMPLETIONS)).body("{}");
    let response = request.send().await.unwrap();
    assert_eq!(response.url().as_str(), listener.url(COMPLETIONS));
    assert_eq!(response.remote_addr(), Some(listener.address()));
    assert_eq!(response.content_length(), Some(CHAT.len() as u64));
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(seen.calls().is_empty(), "the call ends with the last byte");
    assert_eq!(response.text().await.unwrap(), CHAT);

    let call = only(&seen);
    assert_eq!(call.function(), format!("POST {}", listener.address()));
    assert_eq!((call.outcome, call.level), (Outcome::Ok, Level::INFO));
    assert_eq!(text(&call, "gen_ai.operation.name"), Some("chat"));
    assert_eq!(text(&call, "gen_ai.provider.name"), Some("openai"));
    assert_eq!(
        text(&call, "gen_ai.response.model"),
        Some("gpt-4o-2024-08-06")
    );
    assert_eq!(text(&call, "gen_ai.response.id"), Some("chatcmpl-1"));
    assert_eq!(text(&call, "gen_ai.response.finish_reasons"), Some("stop"));
    assert_eq!(number(&call, "gen_ai.usage.input_tokens"), Some(19));
    assert_eq!(number(&call, "gen_ai.usage.output_tokens"), Some(10));
    assert_eq!(
        number(&call, "gen_ai.usage.cache_read.input_tokens"),
        Some(4)
    );
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
    assert_eq!(exchange.target, listener.url(COMPLETIONS));
    assert_eq!(
        (exchange.status, exchange.request_bytes),
        (Some(200), Some(2))
    );
    assert_eq!(exchange.response_bytes, Some(CHAT.len() as u64));
    assert_eq!(exchange.peer, Some(listener.address()));
}

#[tokio::test]
async fn a_client_that_exists_is_observed() {
    let (seen, listener) = (testing::observe(), model());
    let client = llm_observe::http::client::reqwest(plain());
    let response = client.post(listener.url(COMPLETIONS)).send().await;
    assert_eq!(response.unwrap().text().await.unwrap(), CHAT);
    assert_eq!(number(&only(&seen), "gen_ai.usage.input_tokens"), Some(19));
}

#[tokio::test]
async fn metrics_follow_the_conventions() {
    let (seen, listener) = (testing::observe(), model());
    let port = format!("server_port=\"{}\"", listener.address().port());
    for _ in 0..3 {
        let response = observed().post(listener.url(COMPLETIONS)).send().await;
        response.unwrap().bytes().await.unwrap();
    }
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    let labels = [
        "gen_ai_operation_name=\"chat\"",
        "gen_ai_provider_name=\"openai\"",
        "gen_ai_response_model=\"gpt-4o-2024-08-06\"",
        "server_address=\"127.0.0.1\"",
        port.as_str(),
    ];
    let tokens = |kind: &str| {
        let labels = [&labels[..], &[kind]].concat();
        sample(&metrics, "gen_ai_client_token_usage_sum", &labels)
    };
    assert_eq!(tokens("gen_ai_token_type=\"input\""), Some(57.0));
    assert_eq!(tokens("gen_ai_token_type=\"output\""), Some(30.0));
    let count = "gen_ai_client_operation_duration_seconds_count";
    assert_eq!(sample(&metrics, count, &labels), Some(3.0));
    let labels = [
        "http_request_method=\"POST\"",
        "http_response_status_code=\"200\"",
        "server_address=\"127.0.0.1\"",
        "url_scheme=\"http\"",
        port.as_str(),
    ];
    let count = "http_client_request_duration_seconds_count";
    assert_eq!(sample(&metrics, count, &labels), Some(3.0));
    assert!(!metrics.contains("error_type"), "{metrics}");
    assert!(!metrics.contains("time_to_first_chunk_seconds_count"));
}

#[observe(event = "answer")]
async fn answer(url: String) -> reqwest_middleware::Result<String> {
    let response = observed().post(url).send().await?;
    Ok(response.text().await?)
}

#[tokio::test]
async fn a_request_in_an_annotated_function_logs_at_debug() {
    let (seen, listener) = (testing::observe(), model());
    answer(listener.url(COMPLETIONS)).await.unwrap();
    let (call, answer) = (only(&seen), seen.calls_of("answer").remove(0));
    assert_eq!(call.level, Level::DEBUG, "the function has a line already");
    assert_eq!(
        (call.trace_id, call.parent_id),
        (answer.trace_id, answer.span_id)
    );
}

#[tokio::test]
async fn other_requests_log_at_debug_unless_configured() {
    let listener = Listener::start(json("{\"usage\":{\"prompt_tokens\":1}}"));
    for (config, level) in [
        ("", Level::DEBUG),
        ("[events.http_call]\nlevel = \"info\"\n", Level::INFO),
        ("[events.http_call]\nslow = \"1ns\"\n", Level::WARN),
    ] {
        let seen = testing::observe_with(config).unwrap();
        let response = observed().get(listener.url("/v1/models")).send().await;
        response.unwrap().bytes().await.unwrap();
        let call = only(&seen);
        assert_eq!(call.level, level);
        assert!(
            call.fields.is_empty(),
            "not a request to a model: {:?}",
            call.fields
        );
        assert!(!seen.metrics().contains("gen_ai_client_token_usage_sum"));
    }
}

#[tokio::test]
async fn a_stream_in_any_chunks_is_read_as_a_whole() {
    for length in [1, 3, 7, 1000] {
        let seen = testing::observe();
        let listener = Listener::start(events(pieces(STREAM, length), Then::End));
        let response = observed().post(listener.url(COMPLETIONS)).send().await;
        assert_eq!(response.unwrap().text().await.unwrap(), STREAM);
        let call = only(&seen);
        assert_eq!(call.outcome, Outcome::Ok);
        assert_eq!(number(&call, "gen_ai.usage.input_tokens"), Some(9));
        assert_eq!(number(&call, "gen_ai.usage.output_tokens"), Some(12));
        let first = call.fields.get("gen_ai.response.time_to_first_chunk");
        assert!(first.is_some(), "{:?}", call.fields);
        let count = "gen_ai_client_operation_time_to_first_chunk_seconds_count";
        assert_eq!(sample(&seen.metrics(), count, &[]), Some(1.0));
    }
}

/// Reads a stream up to `last`, and drops it.
async fn read_to(listener: &Listener, last: &str) {
    let response = observed().post(listener.url(COMPLETIONS)).send().await;
    let mut stream = response.unwrap().bytes_stream();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(last) {
        read.extend(stream.next().await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn a_dropped_stream_is_cancelled_unless_it_has_finished() {
    for (last, outcome) in [("hi", Outcome::Cancelled), ("\"stop\"", Outcome::Ok)] {
        let seen = testing::observe();
        let end = STREAM.find("data: {\"choices\":[],").unwrap();
        let half = &STREAM[..end];
        let listener = Listener::start(events(pieces(half, 20), Then::Wait));
        read_to(&listener, last).await;
        let call = only(&seen);
        assert_eq!(call.outcome, outcome, "{last}");
        assert!(call.error.is_none());
    }
}

#[tokio::test]
async fn an_error_in_a_stream_is_recorded() {
    let seen = testing::observe();
    let body = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"secret\"}}\n\n";
    let listener = Listener::start(events(pieces(body, 5), Then::End));
    let response = observed().post(listener.url("/v1/messages")).send().await;
    assert_eq!(response.unwrap().text().await.unwrap(), body);
    let call = only(&seen);
    let error = call.error.unwrap();
    assert_eq!(
        (call.outcome, error.class),
        (Outcome::Error, ErrorClass::Unavailable)
    );
    assert_eq!(
        error.message, "overloaded_error",
        "the code, never text of the body"
    );
    let labels = [
        "http_response_status_code=\"200\"",
        "error_type=\"unavailable\"",
    ];
    let count = "http_client_request_duration_seconds_count";
    assert_eq!(sample(&seen.metrics(), count, &labels), Some(1.0));
}

#[tokio::test]
async fn a_response_without_tokens_is_counted_with_a_reason() {
    let seen = testing::observe();
    let gzip = |body: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body.as_bytes()).unwrap();
        let headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("Content-Encoding", "gzip".to_owned()),
        ];
        Reply::Pieces(headers, vec![encoder.finish().unwrap()], Then::End)
    };
    let absent = "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let listener = Listener::start(json("{}")).script([
        events(pieces(absent, 9), Then::End),
        Reply::status(200, "hello"),
        gzip(CHAT),
        gzip(CHAT),
    ]);
    let send = async |client: reqwest_middleware::ClientWithMiddleware| {
        let response = client.post(listener.url(COMPLETIONS)).send().await;
        response.unwrap().bytes().await.unwrap();
    };
    send(observed()).await;
    send(observed()).await;
    // `reqwest` decompresses before any middleware sees the body ...
    send(observed()).await;
    assert_eq!(
        number(&seen.calls()[2], "gen_ai.usage.input_tokens"),
        Some(19)
    );
    // ... unless it is built not to.
    let raw = llm_observe::http::client::from_builder(super::builder().no_gzip()).unwrap();
    send(raw).await;
    let metrics = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&metrics);
    for reason in ["absent", "content_type", "encoded"] {
        let labels = [format!("reason=\"{reason}\"")];
        let labels = labels.each_ref().map(String::as_str);
        let count = sample(&metrics, "llm_observe_usage_missing_total", &labels);
        assert_eq!(count, Some(1.0), "{reason}\n{metrics}");
    }
}

#[tokio::test]
async fn nothing_changes_without_an_observer() {
    let listener = model();
    for observed in [true, false] {
        let url = listener.url(COMPLETIONS);
        let text = match observed {
            true => {
                self::observed()
                    .post(url)
                    .send()
                    .await
                    .unwrap()
                    .text()
                    .await
            }
            false => plain().post(url).send().await.unwrap().text().await,
        };
        assert_eq!(text.unwrap(), CHAT);
    }
    let [first, second] = &listener.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(first.headers, second.headers);
}
