//! Tokens and costs are counted once: by the innermost operation that knows them.

use llm_observe::{CurrentCallExt as _, genai::Usage, observe, testing};

use crate::{Answer, gpt_4o, is_there, value};

#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
async fn chat() -> Answer {
    tokio::task::yield_now().await;
    gpt_4o(100, 10)
}

#[observe(operation = invoke_agent, agent = "planner", provider = "openai", usage = |used| *used)]
async fn agent(chats: u64) -> Usage {
    for _ in 0..chats {
        chat().await;
    }
    Usage::new(100 * chats, 10 * chats)
}

fn tokens(metrics: &str, event: &str) -> f64 {
    let labels = [("event", event), ("type", "input")];
    value(metrics, "llm_observe_tokens_total", &labels)
}

#[tokio::test]
async fn an_agent_over_its_chats_counts_nothing_twice() {
    let seen = testing::observe();
    agent(3).await;
    let metrics = seen.metrics();
    assert_eq!(tokens(&metrics, "chat"), 300.0);
    assert_eq!(tokens(&metrics, "agent"), 0.0);
    let all = value(&metrics, "gen_ai_client_token_usage_count", &[]);
    assert_eq!(all, 6.0);
    // It shows its own all the same.
    let agent = &seen.calls_of("agent")[0];
    assert_eq!(agent.usage(), Some(Usage::new(300, 30)));
    let chats = seen.calls_of("chat");
    assert!(chats.iter().all(|chat| chat.parent_id == agent.span_id));
}

#[tokio::test]
async fn an_agent_counts_what_nothing_below_it_has_counted() {
    let seen = testing::observe();
    #[observe(operation = invoke_agent, usage = |used| *used)]
    fn remote() -> Usage {
        Usage::new(7, 1)
    }
    remote();
    assert_eq!(tokens(&seen.metrics(), "remote"), 7.0);
}

#[tokio::test]
async fn agents_after_each_other_do_not_know_each_other() {
    let seen = testing::observe();
    agent(1).await;
    agent(0).await;
    agent(2).await;
    let metrics = seen.metrics();
    assert_eq!(tokens(&metrics, "chat"), 300.0);
    assert_eq!(tokens(&metrics, "agent"), 0.0);
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
async fn with_retries(attempts: u32) -> Result<Answer, String> {
    let mut last = Err("not tried".to_owned());
    for n in 1..=attempts {
        last = attempt(n == attempts).await;
    }
    last
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
async fn attempt(good: bool) -> Result<Answer, String> {
    good.then(|| gpt_4o(100, 10))
        .ok_or_else(|| "busy".to_owned())
}

#[tokio::test]
async fn a_retry_over_attempts_counts_once() {
    let seen = testing::observe();
    with_retries(3).await.unwrap();
    let metrics = seen.metrics();
    assert_eq!(tokens(&metrics, "attempt"), 100.0);
    assert_eq!(tokens(&metrics, "with_retries"), 0.0);
    assert!(!is_there(&metrics, "llm_observe_usage_missing_total"));
}

#[observe(operation = chat)]
async fn outer() -> u8 {
    inner()
}

#[observe(operation = chat)]
fn inner() -> u8 {
    1
}

#[tokio::test]
async fn missing_tokens_are_counted_once() {
    let seen = testing::observe();
    outer().await;
    let metrics = seen.metrics();
    assert_eq!(value(&metrics, "llm_observe_usage_missing_total", &[]), 1.0);
    let inner = [("event", "inner")];
    assert_eq!(
        value(&metrics, "llm_observe_usage_missing_total", &inner),
        1.0
    );
}

#[observe(operation = invoke_agent, usage = |used| *used)]
async fn fan_out() -> Usage {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        tasks.spawn(chat().in_current_call());
    }
    tasks.join_all().await;
    Usage::new(400, 40)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_was_taken_along_counts_for_its_operation() {
    let seen = testing::observe();
    let handle = seen.handle();
    handle.scope(fan_out()).await;
    let metrics = seen.metrics();
    assert_eq!(tokens(&metrics, "chat"), 400.0);
    assert_eq!(tokens(&metrics, "fan_out"), 0.0);
}

#[observe]
async fn plain() -> Answer {
    chat().await
}

#[observe(operation = invoke_agent, usage = |answer| answer.usage)]
async fn over_plain() -> Answer {
    plain().await
}

#[tokio::test]
async fn a_plain_function_between_two_operations_changes_nothing() {
    let seen = testing::observe();
    over_plain().await;
    let metrics = seen.metrics();
    assert_eq!(
        (tokens(&metrics, "chat"), tokens(&metrics, "over_plain")),
        (100.0, 0.0)
    );
    assert!(seen.calls_of("plain")[0].attributes.is_empty());
}

#[tokio::test]
async fn operations_that_are_polled_in_turn_keep_apart() {
    let seen = testing::observe();
    tokio::join!(agent(2), agent(1), plain());
    let metrics = seen.metrics();
    assert_eq!(
        (tokens(&metrics, "chat"), tokens(&metrics, "agent")),
        (400.0, 0.0)
    );
}
