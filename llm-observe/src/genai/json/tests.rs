use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    MAX_TEXT,
    cases::{CASES, named},
};
use crate::genai::{FinishReasons, Response, Usage};

#[test]
fn every_shape_says_what_its_provider_documents() {
    for case in CASES {
        let body: Value = serde_json::from_str(case.body).unwrap();
        let name = case.name;
        assert_eq!(body.model(), case.model, "{name}");
        assert_eq!(body.id(), case.id, "{name}");
        assert_eq!(body.usage(), case.usage, "{name}");
        assert_eq!(body.cost_usd(), case.cost, "{name}");
        let reasons = body.finish_reasons();
        assert!(
            reasons.iter().eq(case.reasons.iter().copied()),
            "{name}: {reasons:?}"
        );
    }
}

#[test]
fn a_stream_of_anthropic_adds_up() {
    let usage = |name| named(name).usage.unwrap();
    let start = usage("Anthropic message_start");
    let wanted = Usage::new(30, 15).with_cache_read(5).with_cache_creation(0);
    for end in [
        "Anthropic message_delta",
        "Anthropic message_delta, cumulative",
    ] {
        assert_eq!(start.updated(usage(end)), wanted, "{end}");
    }
}

#[test]
fn what_is_no_answer_says_nothing() {
    for value in [
        json!(null),
        json!("usage"),
        json!([]),
        json!({}),
        json!({"id": "1", "model": "T", "status": "completed", "type": "car", "object": "car"}),
        json!({"usage": {"cpu": 3, "memory": 5}, "id": "1"}),
        json!([{"usage": {"prompt_tokens": 1}}]),
        json!({"type": "response.created", "response": null}),
        json!({"type": "message_start"}),
    ] {
        assert_eq!(value.model(), None, "{value}");
        assert_eq!(value.id(), None, "{value}");
        assert_eq!(value.usage(), None, "{value}");
        assert_eq!(value.cost_usd(), None, "{value}");
        assert!(value.finish_reasons().is_empty(), "{value}");
    }
}

#[test]
fn what_is_unknown_is_absent() {
    let chat = |usage: Value| json!({"choices": [], "usage": usage});
    for (usage, wanted) in [
        (json!({}), None),
        (json!(7), None),
        (json!({"prompt_tokens": -5, "completion_tokens": "9"}), None),
        (
            json!({"prompt_tokens": 1.5, "completion_tokens": 2}),
            Some(Usage::new(None, 2)),
        ),
        (
            json!({"prompt_tokens": u64::MAX, "completion_tokens": 2}),
            Some(Usage::new(None, 2)),
        ),
        (
            json!({"prompt_tokens": null, "completion_tokens": 0}),
            Some(Usage::new(None, 0)),
        ),
        // A contradiction stays as it was reported.
        (
            json!({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}),
            Some(Usage::new(5, None).with_cache_read(9)),
        ),
        // The cached part of an unknown input is no input.
        (
            json!({"cache_read_input_tokens": 9}),
            Some(Usage::default().with_cache_read(9)),
        ),
    ] {
        assert_eq!(chat(usage.clone()).usage(), wanted, "{usage}");
    }
}

#[test]
fn a_cost_is_plausible_or_absent() {
    let cost = |cost: Value| json!({"choices": [], "usage": {"cost": cost}}).cost_usd();
    assert_eq!(cost(json!(0)), Some(0.0));
    assert_eq!(cost(json!(0.25)), Some(0.25));
    for bad in [
        json!(-0.5),
        json!(1e9),
        json!("0.5"),
        json!(null),
        json!({}),
    ] {
        assert_eq!(cost(bad.clone()), None, "{bad}");
    }
}

#[test]
fn long_texts_and_many_choices_are_bounded() {
    let long = "x".repeat(MAX_TEXT + 1);
    let choices = vec![json!({"finish_reason": "stop"}); 100];
    let body = json!({"id": long, "model": long, "choices": choices});
    assert_eq!((body.id(), body.model()), (None, None));
    assert_eq!(body.finish_reasons().len(), FinishReasons::MAX);
    let body = json!({"choices": [{"finish_reason": long}, {"finish_reason": ""}, 3]});
    assert!(body.finish_reasons().is_empty());
}

/// Any JSON, with the keys that matter among its keys.
fn any_value() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        "(usage|choices|type|object|response|message|delta|meta|metadata|model|id|status|stopReason)",
        "(prompt_tokens|completion_tokens|total_tokens|input_tokens|output_tokens|inputTokens)",
        "(usageMetadata|promptTokenCount|thoughtsTokenCount|prompt_eval_count|done|created_at)",
        "(billed_units|tokens|cost|cost_in_usd_ticks|reasoning_tokens|citation_tokens|x_groq)",
        "(input_tokens_details|completion_tokens_details|cache_read_input_tokens|finish_reason)",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0..50_u64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(response\\.x|message_start|message_delta|message|response|stop|[a-zä]{0,4})"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((keys.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_safe(value in any_value()) {
        let reasons = value.finish_reasons();
        prop_assert!(reasons.len() <= FinishReasons::MAX);
        for text in reasons.iter().chain(value.model()).chain(value.id()) {
            prop_assert!(!text.is_empty() && text.len() <= MAX_TEXT);
        }
        prop_assert!(value.cost_usd().is_none_or(|cost| cost.is_finite() && cost >= 0.0));
        // A sum of counts stays one: it neither wraps nor saturates.
        let usage = value.usage().unwrap_or_default();
        let all = [usage.input, usage.output, usage.cache_read, usage.cache_creation, usage.reasoning];
        prop_assert!(all.into_iter().flatten().all(|count| count < 1 << 43));
    }
}
