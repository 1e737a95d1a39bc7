//! Streams of chunks: times, usage, and how they end.

use std::{io, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use llm_observe::{Outcome, genai::Usage, observe, testing};

use crate::{Answer, gpt_4o, is_there, value};

fn chunk(model: &str) -> Answer {
    Answer {
        model: Some(model.to_owned()),
        ..Answer::default()
    }
}

fn end(reason: &'static str) -> Answer {
    Answer {
        reason: Some(reason),
        ..Answer::default()
    }
}

fn tokens(input: impl Into<Option<u64>>, output: impl Into<Option<u64>>) -> Answer {
    Answer {
        usage: Some(Usage::new(input, output)),
        ..Answer::default()
    }
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o", stream)]
fn chat(chunks: Vec<Answer>) -> impl Stream<Item = Answer> {
    stream::iter(chunks)
}

#[tokio::test]
async fn a_stream_is_measured_by_its_chunks() {
    let seen = testing::observe();
    let chunks = vec![
        tokens(25, 1),
        chunk("gpt-4o-2024-08-06"),
        chunk("another"),
        end("stop"),
        tokens(None, 15),
    ];
    assert_eq!(chat(chunks).count().await, 5);
    let call = &seen.calls()[0];
    assert_eq!((call.outcome, call.chunks), (Outcome::Ok, Some(5)));
    // Counts of a stream are totals so far: the last of each counts.
    assert_eq!(call.usage(), Some(Usage::new(25, 15)));
    assert!(call.cost().usd().is_some());
    let model = call.attribute("gen_ai.response.model").unwrap().to_string();
    assert_eq!(model, "gpt-4o-2024-08-06");
    let stream = call.attribute("gen_ai.request.stream").unwrap().to_string();
    assert_eq!(stream, "true");
    assert!(
        call.attribute("gen_ai.response.time_to_first_chunk")
            .is_some()
    );
    let metrics = seen.metrics();
    let labels = [
        ("gen_ai_operation_name", "chat"),
        ("gen_ai_request_model", "gpt-4o"),
    ];
    let count = |name: &str| value(&metrics, &format!("{name}_count"), &labels);
    assert_eq!(
        count("gen_ai_client_operation_time_to_first_chunk_seconds"),
        1.0
    );
    assert_eq!(
        count("gen_ai_client_operation_time_per_output_chunk_seconds"),
        4.0
    );
    assert_eq!(count("gen_ai_client_operation_duration_seconds"), 1.0);
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_ok_after_a_finish_reason() {
    let seen = testing::observe();
    let mut stream = Box::pin(chat(vec![tokens(5, 1), end("stop"), end("stop")]));
    stream.next().await;
    stream.next().await;
    drop(stream);
    assert_eq!(seen.calls()[0].outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_stream_that_is_dropped_before_is_cancelled_with_its_usage_so_far() {
    let seen = testing::observe();
    let mut stream = Box::pin(chat(vec![tokens(5, 1), tokens(None, 2), end("stop")]));
    stream.next().await;
    stream.next().await;
    drop(stream);
    let call = &seen.calls()[0];
    assert_eq!(call.outcome, Outcome::Cancelled);
    assert_eq!(call.usage(), Some(Usage::new(5, 2)));
    let metrics = seen.metrics();
    let labels = [("event", "chat"), ("type", "output")];
    assert_eq!(value(&metrics, "llm_observe_tokens_total", &labels), 2.0);
    let cancelled = [("error_type", "cancelled")];
    let duration = "gen_ai_client_operation_duration_seconds_count";
    assert_eq!(value(&metrics, duration, &cancelled), 1.0);
}

#[tokio::test]
async fn a_stream_that_is_never_polled_is_cancelled_and_misses_nothing() {
    let seen = testing::observe();
    drop(chat(vec![gpt_4o(1, 1)]));
    assert_eq!(seen.calls()[0].outcome, Outcome::Cancelled);
    let metrics = seen.metrics();
    assert!(!is_there(&metrics, "llm_observe_usage_missing_total"));
    assert!(!is_there(
        &metrics,
        "gen_ai_client_operation_time_to_first_chunk_seconds"
    ));
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o", stream,
          timeout(idle = "20ms", total = "1m"))]
async fn fallible(
    chunks: Vec<Result<Answer, io::Error>>,
    then_hang: bool,
) -> Result<impl Stream<Item = Result<Answer, io::Error>>, io::Error> {
    if chunks.is_empty() {
        return Err(io::Error::other("refused"));
    }
    let rest = match then_hang {
        true => stream::pending().left_stream(),
        false => stream::empty().right_stream(),
    };
    Ok(stream::iter(chunks).chain(rest))
}

#[tokio::test]
async fn an_error_in_the_middle_is_the_calls_and_usage_before_it_counts() {
    let seen = testing::observe();
    let chunks = vec![
        Ok(tokens(9, 3)),
        Err(io::Error::other("cut")),
        Ok(end("stop")),
    ];
    let all: Vec<_> = fallible(chunks, false).await.unwrap().collect().await;
    assert_eq!(all.len(), 3);
    let call = &seen.calls()[0];
    assert_eq!(call.outcome, Outcome::Error);
    assert_eq!(call.error.as_ref().unwrap().message, "cut");
    assert_eq!(call.usage(), Some(Usage::new(9, 3)));
}

#[tokio::test]
async fn a_limit_ends_it_with_its_usage_so_far() {
    let seen = testing::observe();
    let stream = fallible(vec![Ok(tokens(9, 3))], true).await.unwrap();
    let all: Vec<_> = stream.collect().await;
    assert!(all.last().unwrap().is_err());
    let call = &seen.calls()[0];
    assert_eq!(call.outcome, Outcome::Timeout);
    assert_eq!(call.usage(), Some(Usage::new(9, 3)));
    assert!(Duration::from_millis(20) <= call.duration);
}

#[tokio::test]
async fn a_call_that_gets_no_stream_is_a_failed_operation() {
    let seen = testing::observe();
    assert!(fallible(Vec::new(), false).await.is_err());
    let call = &seen.calls()[0];
    assert_eq!((call.outcome, call.usage()), (Outcome::Error, None));
    let operation = call.attribute("gen_ai.operation.name").unwrap().to_string();
    assert_eq!(operation, "chat");
}

#[observe(operation = chat, stream, usage = |line| Some(Usage::new(None, line.len() as u64)))]
fn lines(all: Vec<&'static str>) -> impl Stream<Item = &'static str> {
    stream::iter(all)
}

#[tokio::test]
async fn a_closure_states_the_tokens_of_chunks_of_any_type() {
    let seen = testing::observe();
    lines(vec!["a", "bcd"]).for_each(|_| async {}).await;
    assert_eq!(seen.calls()[0].usage(), Some(Usage::new(None, 3)));
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
async fn inner() -> Answer {
    gpt_4o(50, 5)
}

#[observe(operation = invoke_agent, agent = "a", stream, usage = |n| Usage::new(*n, None))]
fn steps() -> impl Stream<Item = u64> {
    stream::iter(1..=2).then(|n| async move {
        inner().await;
        n * 50
    })
}

#[tokio::test]
async fn what_runs_inside_a_stream_belongs_to_its_operation() {
    let seen = testing::observe();
    let all: Vec<_> = steps().collect().await;
    assert_eq!(all, [50, 100]);
    let agent = &seen.calls_of("steps")[0];
    assert!(
        seen.calls_of("inner")
            .iter()
            .all(|call| call.parent_id == agent.span_id)
    );
    let metrics = seen.metrics();
    let of = |event| {
        value(
            &metrics,
            "llm_observe_tokens_total",
            &[("event", event), ("type", "input")],
        )
    };
    assert_eq!((of("inner"), of("steps")), (100.0, 0.0));
}

#[tokio::test]
async fn a_stream_that_moves_to_another_task_stays_the_operation() {
    let seen = testing::observe();
    let stream = chat(vec![chunk("m"), gpt_4o(3, 4)]);
    let count = tokio::spawn(stream.count()).await.unwrap();
    assert_eq!(count, 2);
    assert_eq!(seen.calls()[0].usage(), Some(Usage::new(3, 4)));
}
