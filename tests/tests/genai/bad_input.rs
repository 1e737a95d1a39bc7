//! Hostile names and numbers: nothing panics, no series explodes, nothing unknown counts as 0.

use llm_observe::{Outcome, genai::Usage, observe, testing};

use crate::{Answer, is_there, value};

#[observe(operation = chat, provider = &provider, model = &model)]
fn chat(provider: String, model: String, answer: Answer) -> Answer {
    answer
}

fn answered(model: &str, usage: Usage) -> Answer {
    Answer {
        model: Some(model.to_owned()),
        usage: Some(usage),
        ..Answer::default()
    }
}

#[test]
fn a_name_of_10_kilobytes_is_cut_in_lines_and_one_label_value_in_metrics() {
    let seen = testing::observe();
    for letter in ["x", "y", "ä"] {
        let long = letter.repeat(10_000);
        chat(
            long.clone(),
            long.clone(),
            answered(&long, Usage::new(1, 1)),
        );
    }
    for call in seen.calls() {
        for name in [
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.response.model",
        ] {
            let text = call.attribute(name).unwrap().to_string();
            assert!(text.len() <= 256, "{name}");
        }
    }
    let metrics = seen.metrics();
    assert!(!metrics.contains("xxxxx") && !metrics.contains("yyyyy"));
    let labels = [
        ("provider", "_other"),
        ("model", "_other"),
        ("type", "input"),
    ];
    assert_eq!(value(&metrics, "llm_observe_tokens_total", &labels), 3.0);
}

#[test]
fn the_number_of_models_is_bounded() {
    let seen = testing::observe_with("[metrics]\nmax_label_values = 3\n").unwrap();
    for n in 0..10 {
        chat("openai".into(), format!("m{n}"), Answer::default());
    }
    let metrics = seen.metrics();
    let missing = "llm_observe_usage_missing_total";
    let series = metrics
        .lines()
        .filter(|line| line.starts_with(missing))
        .count();
    assert_eq!(series, 4);
    assert_eq!(value(&metrics, missing, &[]), 10.0);
}

#[test]
fn numbers_that_cannot_be_are_not_known() {
    let seen = testing::observe();
    for usage in [
        Usage::new(u64::MAX, u64::MAX),
        Usage::new(None, None),
        Usage::default().with_cache_read(u64::MAX - 1),
    ] {
        chat("openai".into(), "gpt-4o".into(), answered("gpt-4o", usage));
    }
    assert!(seen.calls().iter().all(|call| call.usage().is_none()));
    let metrics = seen.metrics();
    assert!(!is_there(&metrics, "llm_observe_tokens_total"));
    assert!(!is_there(&metrics, "llm_observe_cost_usd_total"));
    assert_eq!(value(&metrics, "llm_observe_usage_missing_total", &[]), 3.0);
}

#[test]
fn counts_that_contradict_each_other_have_no_price() {
    let seen = testing::observe();
    let usage = Usage::new(10, 5).with_cache_read(11);
    chat("openai".into(), "gpt-4o".into(), answered("gpt-4o", usage));
    let call = &seen.calls()[0];
    assert_eq!(call.usage(), Some(usage));
    assert_eq!(call.cost().usd(), None);
    assert_eq!(
        value(&seen.metrics(), "llm_observe_unpriced_calls_total", &[]),
        1.0
    );
}

#[test]
fn a_cost_that_is_none_is_not_taken() {
    let seen = testing::observe();
    for usd in [f64::NAN, f64::INFINITY, -1.0] {
        let usd = Some(usd);
        let answer = Answer {
            usd,
            ..Answer::default()
        };
        chat("p".into(), "m".into(), answer);
    }
    let calls = seen.calls();
    assert!(calls.iter().all(|call| call.cost().usd().is_none()));
    assert!(!is_there(&seen.metrics(), "llm_observe_cost_usd_total"));
}

#[observe(operation = chat, usage = |_| -> Usage { panic!("in the closure") })]
fn broken() -> Answer {
    Answer::default()
}

#[test]
fn a_closure_that_panics_ends_its_recording_alone() {
    let seen = testing::observe();
    broken();
    let call = &seen.calls()[0];
    assert_eq!((call.outcome, call.usage()), (Outcome::Ok, None));
}

#[test]
fn secrets_in_names_do_not_leave() {
    let seen = testing::observe();
    let key = format!("sk-proj-{}", "aB3dE5".repeat(6));
    chat(key.clone(), key.clone(), answered(&key, Usage::new(1, 1)));
    let shown = format!("{:?}{}", seen.calls()[0].attributes, seen.metrics());
    assert!(!shown.contains(&key), "{shown}");
}
