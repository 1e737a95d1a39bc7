//! Scores, evaluators and searches: what they record, and that a caller never pays for them.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use llm_observe::{
    CurrentCallExt as _, Outcome, Score,
    genai::Retrieved,
    observe, score,
    testing::{self, Event, TestObserver},
};

use crate::{is_there, value};

const LONG: Duration = Duration::from_secs(30);

fn text(event: &Event, field: &str) -> Option<String> {
    event.field(field).map(ToString::to_string)
}

/// Returns the sum of scores and their number, of one name.
fn scores(seen: &TestObserver, name: &str) -> (f64, f64) {
    let (metrics, labels) = (seen.metrics(), [("name", name)]);
    let of = |part| {
        value(
            &metrics,
            &format!("llm_observe_evaluation_score_{part}"),
            &labels,
        )
    };
    (of("sum"), of("count"))
}

mod scored {
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
}

mod evaluated {
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
}

mod searched {
    use super::*;

    fn of(seen: &TestObserver, name: &str, event: &str) -> f64 {
        let name = format!("llm_observe_retrieval_{name}");
        value(&seen.metrics(), &name, &[("event", event)])
    }

    #[observe(event = "search", operation = retrieval, data_source = "handbook")]
    fn search(hits: &[f32]) -> Result<Vec<(&'static str, f32)>, String> {
        match hits {
            [h] if h.is_infinite() => Err("no index".to_owned()),
            hits => Ok(hits.iter().map(|hit| ("a document", *hit)).collect()),
        }
    }

    #[test]
    fn documents_with_scores_are_known_by_their_type() {
        let seen = testing::observe();
        search(&[0.25, 0.75]).unwrap();
        assert_eq!(of(&seen, "empty_total", "search"), 0.0);
        assert!(is_there(
            &seen.metrics(),
            "llm_observe_retrieval_empty_total"
        ));
        search(&[]).unwrap();
        search(&[f32::INFINITY]).unwrap_err();
        assert_eq!(
            of(&seen, "empty_total", "search"),
            1.0,
            "a failure is not empty"
        );
        assert_eq!(of(&seen, "top_score_sum", "search"), 0.75);
        assert_eq!(of(&seen, "top_score_count", "search"), 1.0);
        let items: Vec<_> = seen.calls().iter().map(|call| call.items).collect();
        assert_eq!(items, [Some(2), Some(0), None]);
    }

    #[test]
    fn a_type_of_the_programs_says_it_itself() {
        struct Found(f64);
        impl Retrieved for Found {
            fn documents(&self) -> usize {
                1
            }

            fn top_score(&self) -> Option<f64> {
                Some(self.0)
            }
        }
        #[observe(event = "own", operation = retrieval)]
        async fn own(score: f64) -> Option<Box<Found>> {
            (score >= 0.0).then(|| Box::new(Found(score)))
        }
        #[tokio::main(flavor = "current_thread")]
        async fn searches() {
            for score in [2.5, f64::NAN, f64::INFINITY, 1e308, -1.0] {
                own(score).await;
            }
        }
        let seen = testing::observe();
        searches();
        assert_eq!(
            of(&seen, "top_score_count", "own"),
            1.0,
            "no number spoils the sum"
        );
        assert_eq!(of(&seen, "top_score_sum", "own"), 2.5);
        // A score that is no number is below 0, and so is -1.
        assert_eq!(of(&seen, "empty_total", "own"), 2.0);
    }

    #[test]
    fn other_types_have_items_and_quality() {
        #[observe(event = "keys", operation = retrieval,
                  items = |hits| hits.len(), quality = |hits| hits.first().copied())]
        fn keys(hits: Vec<f64>) -> Vec<f64> {
            hits
        }
        #[observe(event = "no_retrieval", items = |hits| hits.len())]
        fn no_retrieval() -> Vec<(u8, f64)> {
            Vec::new()
        }
        let seen = testing::observe();
        keys(vec![0.5, 0.25]);
        keys(Vec::new());
        no_retrieval();
        assert_eq!(of(&seen, "empty_total", "keys"), 1.0);
        assert_eq!(of(&seen, "top_score_sum", "keys"), 0.5);
        assert_eq!(of(&seen, "top_score_count", "keys"), 1.0);
        assert_eq!(of(&seen, "empty_total", "no_retrieval"), 0.0);
    }
}
