//! Every way a call can end, seen through the public API.

use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use llm_observe::{ErrorClass, Outcome, Value, observe, testing};

#[observe(event = "embedding", items = texts.len(), fields(model = "m"))]
fn embed(texts: &[&str]) -> Result<usize, std::io::Error> {
    if texts.is_empty() {
        return Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
    }
    Ok(texts.len())
}

#[observe(event = "query", quality = |answer| answer.1, min_quality = 0.5)]
async fn query(question: &str) -> Result<(String, f64), std::io::Error> {
    embed(&[question])?;
    tokio::task::yield_now().await;
    Ok((question.to_uppercase(), 0.25))
}

#[observe]
async fn passes_on() -> Result<usize, Box<dyn std::error::Error>> {
    Ok(embed(&[])?)
}

#[observe]
async fn hangs() {
    pending::<()>().await;
}

#[observe]
fn panics() {
    panic!("the model is gone");
}

#[observe]
async fn panics_later() {
    tokio::task::yield_now().await;
    panic!("the model is gone");
}

#[test]
fn ok_with_items_and_fields() {
    let seen = testing::observe();
    embed(&["a", "b"]).unwrap();
    let [call] = &seen.calls()[..] else {
        panic!("one call")
    };
    assert_eq!(
        (call.event(), call.outcome, call.items),
        ("embedding", Outcome::Ok, Some(2))
    );
    assert_eq!(call.fields.get("model"), Some(&Value::Str("m".to_owned())));
    assert_eq!(call.function(), "outcomes::embed");
}

#[test]
fn an_error_has_type_message_and_class() {
    let seen = testing::observe();
    embed(&[]).unwrap_err();
    let call = &seen.calls()[0];
    let error = call.error.as_ref().unwrap();
    assert_eq!(call.outcome, Outcome::Error);
    assert_eq!(
        (error.class, error.message.as_str()),
        (ErrorClass::Connection, "connection refused")
    );
    assert!(call.reported && error.type_name.ends_with("Error"));
}

#[tokio::test]
async fn nested_calls_share_a_trace_and_know_their_parent() {
    let seen = testing::observe();
    query("hi").await.unwrap();
    let calls = seen.calls();
    let [inner, outer] = &calls[..] else {
        panic!("two calls: {calls:?}")
    };
    assert_eq!(inner.trace_id, outer.trace_id);
    assert_eq!(inner.parent_id, outer.span_id);
    assert!(outer.parent_id.is_none());
    assert_eq!(outer.quality, Some(0.25));
    assert_eq!(
        outer.level,
        tracing::Level::WARN,
        "low quality is worth a warning"
    );
}

#[tokio::test]
async fn one_error_is_reported_once() {
    let seen = testing::observe();
    passes_on().await.unwrap_err();
    let calls = seen.calls();
    let [inner, outer] = &calls[..] else {
        panic!("two calls: {calls:?}")
    };
    assert!(inner.reported && !inner.passed_on);
    assert!(!outer.reported && outer.passed_on);
    assert_eq!(outer.outcome, Outcome::Error);
}

#[derive(Debug)]
struct TooLong;

impl From<llm_observe::Elapsed> for TooLong {
    fn from(_: llm_observe::Elapsed) -> TooLong {
        TooLong
    }
}

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("gave up")
    }
}

#[observe(timeout = "1ms")]
async fn never() -> Result<(), TooLong> {
    pending().await
}

#[observe]
async fn waits() -> Result<(), TooLong> {
    never().await
}

/// An error of the program's own says nothing of the limit that it stands for.
#[tokio::test]
async fn a_class_is_kept_on_the_way_up() {
    let seen = testing::observe();
    waits().await.unwrap_err();
    let calls = seen.calls();
    let classes = calls.iter().map(|call| call.error.as_ref().unwrap().class);
    assert_eq!(classes.collect::<Vec<_>>(), [ErrorClass::Timeout; 2]);
    assert_eq!(calls[1].outcome, Outcome::Error);
    assert!(calls[1].passed_on);
}

#[tokio::test]
async fn a_dropped_future_is_cancelled_once() {
    let seen = testing::observe();
    tokio::time::timeout(Duration::from_millis(1), hangs())
        .await
        .unwrap_err();
    let calls = seen.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].outcome, Outcome::Cancelled);
    assert!(!calls[0].reported);
    assert!(
        seen.metrics().contains(
            "llm_observe_calls_in_flight{event=\"hangs\",function=\"outcomes::hangs\"} 0"
        )
    );
}

#[tokio::test]
async fn a_future_that_is_never_polled_is_no_call() {
    let seen = testing::observe();
    drop(hangs());
    assert!(seen.calls().is_empty());
}

#[test]
fn a_panic_is_recorded_with_its_message_and_place() {
    let seen = testing::observe();
    catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    let call = &seen.calls()[0];
    let error = call.error.as_ref().unwrap();
    assert_eq!(
        (call.outcome, error.message.as_str()),
        (Outcome::Panic, "the model is gone")
    );
    assert!(error.location.as_ref().unwrap().contains("outcomes.rs"));
}

#[tokio::test]
async fn a_panic_in_a_future_is_recorded() {
    let seen = testing::observe();
    let handle = seen.handle();
    let calls = std::thread::spawn(move || {
        handle.in_scope(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            catch_unwind(AssertUnwindSafe(|| runtime.block_on(panics_later()))).unwrap_err();
        });
    })
    .join();
    calls.unwrap();
    assert_eq!(seen.calls()[0].outcome, Outcome::Panic);
}

#[test]
fn not_observed_it_is_the_function_alone() {
    assert_eq!(embed(&["a"]).unwrap(), 1);
}

#[observe(event = "embedding", alert_on_error)]
fn alerts(number: usize) -> Result<(), std::io::Error> {
    Err(std::io::Error::other(format!("refused {number}")))
}

#[test]
fn a_burst_is_one_alert() {
    let seen = testing::observe();
    (0..50).for_each(|n| drop(alerts(n)));
    let messages = seen.alerts();
    let [(channel, alert)] = &messages[..] else {
        panic!("one alert: {messages:?}")
    };
    assert_eq!(
        (channel.as_str(), alert.event.as_str(), alert.count),
        ("any", "embedding", 50)
    );
}

#[test]
fn the_running_call_takes_what_the_program_records_on_it() {
    #[observe(event = "answer", fields(tokens))]
    fn answer() -> u64 {
        let current = llm_observe::current();
        current.record("tokens", 7);
        current.record("model", "gpt".to_owned());
        assert!(current.trace_id().is_some());
        inner(current);
        7
    }
    // Another call's: nothing is recorded on a call that is not the running one.
    #[observe]
    fn inner(above: llm_observe::CurrentCall) {
        above.record("tokens", 8);
    }
    let observer = testing::observe();
    answer();
    let call = &observer.calls_of("answer")[0];
    assert_eq!(call.fields.get("tokens"), Some(&Value::I64(7)));
    assert_eq!(
        call.fields.get("model"),
        Some(&Value::Str("gpt".to_owned()))
    );
    assert!(observer.calls_of("inner")[0].fields.is_empty());
    assert!(llm_observe::current().trace_id().is_none());
}

#[test]
fn a_test_observer_sees_work_that_moves_between_threads() {
    #[observe]
    async fn embed(n: u8) -> u8 {
        tokio::task::yield_now().await;
        n
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let observer = testing::observe();
    runtime.block_on(observer.scope(async {
        let spawned = (0..8).map(|n| tokio::spawn(llm_observe::in_current_call(embed(n))));
        for task in spawned.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        // Nobody took the observer along.
        tokio::spawn(embed(9)).await.unwrap();
    }));
    runtime.block_on(observer.handle().scope(embed(10)));
    assert_eq!(observer.calls_of("embed").len(), 9);
}

#[test]
fn a_test_observer_that_is_gone_leaves_nothing_behind() {
    #[observe]
    fn call() {}
    let observer = testing::observe_with("[redact]\npatterns = [\"x\"]\n").unwrap();
    call();
    let handle = observer.handle();
    drop(observer);
    assert_eq!(handle.references(), 1, "the handle's own");
}
