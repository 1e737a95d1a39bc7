//! Scores that the program gives.

use super::*;

#[observe(event = "answer")]
fn answer(name: &str, value: f64) {
    score(name, value);
}

#[test]
fn a_score_of_the_running_call_is_an_event_of_it_and_in_the_histogram() {
    let seen = testing::observe();
    answer("groundedness", 0.75);
    let (call, event) = (&seen.calls()[0], &seen.events()[0]);
    assert_eq!(event.message, "gen_ai.evaluation.result");
    assert_eq!(
        (event.trace_id, event.span_id),
        (call.trace_id, call.span_id)
    );
    assert_eq!(
        text(event, "gen_ai.evaluation.name").unwrap(),
        "groundedness"
    );
    assert_eq!(
        text(event, "gen_ai.evaluation.score.value").unwrap(),
        "0.75"
    );
    assert_eq!(event.fields.len(), 2);
    assert_eq!(scores(&seen, "groundedness"), (0.75, 1.0));
    let labels = [("event", "answer"), ("name", "groundedness")];
    let of_event = value(
        &seen.metrics(),
        "llm_observe_evaluation_score_count",
        &labels,
    );
    assert_eq!(of_event, 1.0);
    assert_eq!(call.quality, None, "the quality of a call is its own");
}

#[test]
fn outside_of_all_calls_and_without_an_observer_nothing_is_recorded() {
    answer("groundedness", 0.5);
    let seen = testing::observe();
    score("groundedness", 0.5);
    assert!(seen.events().is_empty());
    assert_eq!(scores(&seen, "groundedness").1, 0.0);
}

#[test]
fn the_innermost_call_is_scored() {
    #[observe]
    fn outer() {
        answer("a", 1.0);
        score("b", 1.0);
    }
    let seen = testing::observe();
    outer();
    let (calls, events) = (seen.calls(), seen.events());
    let spans: Vec<_> = events.iter().map(|event| event.span_id).collect();
    assert_eq!(spans, [calls[0].span_id, calls[1].span_id]);
}

#[tokio::test]
async fn in_work_that_was_taken_along_it_is_the_same_call() {
    #[observe(event = "agent", operation = invoke_agent, min_quality = 0.5,
              alert(on(low_quality)))]
    async fn agent() {
        let work = async { score("steps", 0.25) }.in_current_call();
        tokio::spawn(work).await.unwrap();
    }
    let seen = testing::observe();
    seen.scope(agent()).await;
    let (call, event) = (&seen.calls()[0], &seen.events()[0]);
    assert_eq!(
        (event.trace_id, event.span_id),
        (call.trace_id, call.span_id)
    );
    assert_eq!(event.level, tracing::Level::WARN);
    let labels = [("event", "agent"), ("name", "steps")];
    let counted = value(
        &seen.metrics(),
        "llm_observe_evaluation_score_count",
        &labels,
    );
    assert_eq!(counted, 1.0);
    let alerts = seen.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].1.errors[0].message, "steps 0.25 is under 0.50");
}

#[test]
fn a_score_under_min_quality_makes_the_call_one_of_low_quality() {
    #[observe(operation = chat, min_quality = 0.5, alert(on(low_quality)))]
    fn chat(values: &[f64]) {
        values
            .iter()
            .for_each(|value| score("groundedness", *value));
    }
    let seen = testing::observe();
    chat(&[0.5, 0.75]);
    assert!(seen.alerts().is_empty());
    chat(&[0.25, 0.125, 0.5]);
    let calls = seen.calls();
    assert_eq!(calls[0].level, tracing::Level::INFO);
    assert_eq!(calls[1].level, tracing::Level::WARN);
    assert_eq!(calls[1].outcome, Outcome::Ok);
    let alerts = seen.alerts();
    assert_eq!(alerts.len(), 1, "once for the call, not for each score");
    assert_eq!(
        alerts[0].1.errors[0].message,
        "groundedness 0.12 is under 0.50"
    );
}

#[test]
fn a_call_that_has_ended_is_scored_by_its_trace() {
    let seen = testing::observe();
    answer("groundedness", 1.0);
    let call = &seen.calls()[0];
    Score::new("thumbs", 0.0)
        .trace(call.trace_id)
        .span(call.span_id)
        .event("answer")
        .label("down")
        .explanation("not what I asked")
        .record();
    let event = &seen.events()[1];
    assert_eq!(
        (event.trace_id, event.span_id),
        (call.trace_id, call.span_id)
    );
    assert_eq!(
        text(event, "gen_ai.evaluation.score.label").unwrap(),
        "down"
    );
    assert_eq!(
        text(event, "gen_ai.evaluation.explanation").unwrap(),
        "not what I asked"
    );
    let labels = [("event", "answer"), ("name", "thumbs")];
    assert_eq!(
        value(
            &seen.metrics(),
            "llm_observe_evaluation_score_count",
            &labels
        ),
        1.0
    );
    Score::new("thumbs", 1.0).trace(call.trace_id).record();
    let labels = [("event", "_other"), ("name", "thumbs")];
    assert_eq!(
        value(
            &seen.metrics(),
            "llm_observe_evaluation_score_count",
            &labels
        ),
        1.0
    );
}

#[test]
fn hostile_values_spoil_nothing() {
    let seen = testing::observe();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        answer("none", value);
    }
    assert!(seen.events().is_empty());
    for value in [1e308, -1e308, 1.000_001, -0.000_001, 7.0] {
        answer("other scale", value);
    }
    assert_eq!(seen.events().len(), 5, "they are on their lines");
    assert_eq!(
        scores(&seen, "other scale").1,
        0.0,
        "and not in the histogram"
    );
    answer("other scale", 1.0);
    assert_eq!(scores(&seen, "other scale"), (1.0, 1.0));
}

#[test]
fn names_are_bounded_in_length_and_number_and_redacted() {
    let seen = testing::observe_with("[metrics]\nmax_label_values = 16\n").unwrap();
    answer(&"ä".repeat(5_000), 1.0);
    for n in 0..100 {
        answer(&format!("name {n}"), 1.0);
    }
    let long = text(&seen.events()[0], "gen_ai.evaluation.name").unwrap();
    assert!(long.len() <= 256);
    let metrics = seen.metrics();
    let series = metrics.lines();
    let series = series.filter(|line| line.starts_with("llm_observe_evaluation_score_count"));
    assert_eq!(series.count(), 17);
    assert_eq!(scores(&seen, "_other").1, 85.0);

    let key = format!("sk-proj-{}", "aB3dE5".repeat(6));
    let seen = testing::observe();
    answer(&key, 1.0);
    Score::new("a", 1.0)
        .trace(seen.calls()[0].trace_id)
        .explanation(&key)
        .record();
    assert!(!format!("{:?}{}", seen.events(), seen.metrics()).contains(&key));
}
