//! Evaluators in the background.

use super::*;

async fn brevity(answer: String) -> f64 {
    1.0 / answer.len() as f64
}

#[observe(event = "answer", evaluate(name = "brevity", with = brevity, share = 1.0))]
async fn answer(text: &str) -> Result<String, String> {
    match text {
        "" => Err("nothing".to_owned()),
        text => Ok(text.to_owned()),
    }
}

#[tokio::test]
async fn a_result_is_scored_in_the_background_and_a_failure_is_not() {
    let seen = testing::observe();
    answer("four").await.unwrap();
    answer("").await.unwrap_err();
    assert!(seen.wait_for_evaluations(LONG));
    let (calls, events) = (seen.calls(), seen.events());
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].trace_id, events[0].span_id),
        (calls[0].trace_id, calls[0].span_id)
    );
    let labels = [("event", "answer"), ("name", "brevity")];
    assert_eq!(
        value(&seen.metrics(), "llm_observe_evaluation_score_sum", &labels),
        0.25
    );
}

#[test]
fn no_runtime_of_the_programs_is_needed_and_tokio_is_there() {
    async fn slow(n: u8) -> f64 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let blocking = tokio::task::spawn_blocking(move || f64::from(n) / 100.0);
        blocking.await.unwrap()
    }
    #[observe(evaluate(name = "slow", with = slow, share = 1.0))]
    fn plain() -> u8 {
        50
    }
    let seen = testing::observe();
    plain();
    assert!(seen.wait_for_evaluations(LONG));
    assert_eq!(scores(&seen, "slow"), (0.5, 1.0));
}

#[test]
fn calls_of_the_evaluator_are_in_the_same_trace_and_count_for_themselves() {
    use crate::gpt_4o;
    #[observe(operation = chat, provider = "openai", model = "gpt-4o")]
    async fn judge(_: String) -> crate::Answer {
        gpt_4o(10, 1)
    }
    async fn evaluator(text: String) -> Option<f64> {
        judge(text).await.usage?.output.map(|tokens| tokens as f64)
    }
    #[observe(operation = invoke_agent, agent = "a",
              usage = |_| llm_observe::genai::Usage::new(100, 50))]
    fn agent() -> u8 {
        answer();
        1
    }
    #[observe(evaluate(name = "judged", with = evaluator, share = 1.0))]
    fn answer() -> String {
        "an answer".to_owned()
    }
    let seen = testing::observe();
    agent();
    assert!(seen.wait_for_evaluations(LONG));
    let (judge, answer) = (&seen.calls_of("judge")[0], &seen.calls_of("answer")[0]);
    assert_eq!(
        (judge.trace_id, judge.parent_id),
        (answer.trace_id, answer.span_id)
    );
    let tokens = |event| {
        let labels = [("event", event), ("type", "input")];
        value(&seen.metrics(), "llm_observe_tokens_total", &labels)
    };
    assert_eq!((tokens("judge"), tokens("agent")), (10.0, 100.0));
    assert_eq!(scores(&seen, "judged"), (1.0, 1.0));
}

#[tokio::test]
async fn the_attribute_says_what_the_evaluator_gets() {
    struct NotClone(&'static str);
    async fn relevance((question, answer): (String, String)) -> Score {
        let score = f64::from(u8::from(answer.contains(&question)));
        Score::new("relevance", score)
            .label("relevant")
            .explanation(answer)
    }
    #[observe(evaluate(name = "relevance", with = relevance, share = 1.0,
                       of = |answer| (question.to_owned(), answer.0.to_owned())))]
    async fn answer(question: &str) -> Result<NotClone, String> {
        match question {
            "" => Err("no question".to_owned()),
            _ => Ok(NotClone("a long answer")),
        }
    }
    let seen = testing::observe();
    for question in ["", "long", "short"] {
        let _ = answer(question).await;
    }
    assert!(seen.wait_for_evaluations(LONG));
    let events = seen.events();
    let of = |field| {
        events
            .iter()
            .filter_map(move |event| text(event, field))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("gen_ai.evaluation.score.value"), ["1", "0"]);
    assert_eq!(of("gen_ai.evaluation.explanation"), ["a long answer"; 2]);
}

#[test]
fn a_low_score_alerts_after_the_end() {
    async fn judge(_: u8) -> f64 {
        0.25
    }
    #[observe(min_quality = 0.5, alert(on(low_quality)),
              evaluate(name = "groundedness", with = judge, share = 1.0))]
    fn answer() -> u8 {
        1
    }
    let seen = testing::observe();
    answer();
    assert!(seen.wait_for_evaluations(LONG));
    assert_eq!(seen.calls()[0].level, tracing::Level::INFO);
    assert_eq!(seen.events()[0].level, tracing::Level::WARN);
    let alerts = seen.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        alerts[0].1.errors[0].message,
        "groundedness 0.25 is under 0.50"
    );
}

#[test]
fn errors_and_panics_of_evaluators_are_counted_and_never_the_callers() {
    async fn panics(_: u8) -> f64 {
        panic!("an evaluator")
    }
    fn panics_at_once(_: u8) -> future::Ready<f64> {
        panic!("an evaluator")
    }
    async fn fails(_: u8) -> Result<f64, String> {
        Err("no judge".to_owned())
    }
    #[observe(event = "answer",
              evaluate(name = "panics", with = panics, share = 1.0),
              evaluate(name = "at once", with = panics_at_once, share = 1.0),
              evaluate(name = "fails", with = fails, share = 1.0),
              evaluate(name = "of", with = fails, share = 1.0, of = |_| panic!("a closure")))]
    fn answer() -> u8 {
        1
    }
    let seen = testing::observe();
    assert_eq!(answer(), 1);
    assert!(seen.wait_for_evaluations(LONG));
    assert_eq!(seen.calls()[0].outcome, Outcome::Ok);
    let metrics = seen.metrics();
    for (name, reason) in [
        ("panics", "panic"),
        ("at once", "panic"),
        ("fails", "error"),
    ] {
        let labels = [("event", "answer"), ("name", name), ("reason", reason)];
        assert_eq!(
            value(&metrics, "llm_observe_evaluations_lost_total", &labels),
            1.0,
            "{name}"
        );
    }
    assert!(!is_there(&metrics, "llm_observe_evaluation_score_count"));
    let kinds = |event: &Event| text(event, "error.type");
    let mut kinds: Vec<_> = seen.events().iter().filter_map(kinds).collect();
    kinds.sort();
    assert_eq!(kinds, ["alloc::string::String", "panic", "panic"]);
}

#[test]
fn a_flood_and_evaluators_that_stall_hold_nobody_up() {
    static CLONES: AtomicUsize = AtomicUsize::new(0);
    #[derive(Debug)]
    struct Counted(Arc<()>);
    impl Clone for Counted {
        fn clone(&self) -> Counted {
            CLONES.fetch_add(1, Ordering::Relaxed);
            Counted(self.0.clone())
        }
    }
    async fn stalls(_: Counted) -> f64 {
        future::pending().await
    }
    #[observe(evaluate(name = "stalls", with = stalls, share = 1.0))]
    fn answer(value: &Arc<()>) -> Counted {
        Counted(value.clone())
    }
    let seen = testing::observe();
    let held = Arc::new(());
    for _ in 0..1_000 {
        answer(&held);
    }
    assert_eq!(seen.calls().len(), 1_000);
    let labels = [("name", "stalls"), ("reason", "queue_full")];
    let lost = value(
        &seen.metrics(),
        "llm_observe_evaluations_lost_total",
        &labels,
    );
    // 64 wait and 4 run; how many of these had started by the end is a matter of time.
    assert!((1_000.0 - 68.0..=1_000.0 - 64.0).contains(&lost), "{lost}");
    let clones = CLONES.load(Ordering::Relaxed);
    assert!(clones <= 68, "{clones}: what does not fit is not cloned");
    assert!(!seen.wait_for_evaluations(Duration::ZERO));
}

#[test]
fn an_evaluator_s_own_calls_are_not_evaluated() {
    async fn half(n: f64) -> f64 {
        n / 2.0
    }
    #[observe(evaluate(name = "judge of the judge", with = half, share = 1.0))]
    async fn judge(n: f64) -> f64 {
        n
    }
    async fn evaluator(n: f64) -> f64 {
        judge(n).await
    }
    #[observe(evaluate(name = "once", with = evaluator, share = 1.0))]
    fn answer() -> f64 {
        1.0
    }
    let seen = testing::observe();
    answer();
    assert!(seen.wait_for_evaluations(LONG));
    assert_eq!(seen.calls().len(), 2);
    assert_eq!(seen.events().len(), 1);
}

#[test]
fn the_share_is_kept() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    async fn counts(_: u16) -> f64 {
        RUNS.fetch_add(1, Ordering::Relaxed);
        1.0
    }
    #[observe(evaluate(name = "counts", with = counts, share = 0.1))]
    fn answer(n: u16) -> u16 {
        n
    }
    #[observe(evaluate(name = "never", with = counts, share = 0))]
    fn never() -> u16 {
        1
    }
    let seen = testing::observe();
    for n in 0..4_000 {
        answer(n);
        never();
        if n % 50 == 0 {
            assert!(seen.wait_for_evaluations(LONG));
        }
    }
    assert!(seen.wait_for_evaluations(LONG));
    // Ten standard deviations around 400.
    let runs = RUNS.load(Ordering::Relaxed);
    assert!((210..=590).contains(&runs), "{runs}");
    assert!(!is_there(
        &seen.metrics(),
        "llm_observe_evaluations_lost_total"
    ));
}
