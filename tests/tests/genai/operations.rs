//! Each operation of the conventions: attributes, span, metrics.

use llm_observe::{
    Outcome,
    genai::{Cost, Usage},
    observe,
    testing::{self, Call},
};

use crate::{Answer, gpt_4o, is_there, value};

struct Request {
    model: String,
}

fn request() -> Request {
    Request {
        model: "gpt-4o".into(),
    }
}

#[observe(operation = chat, provider = "openai", model = &request.model)]
async fn answer(request: Request) -> Result<Answer, String> {
    match request.model.as_str() {
        "" => Err("no model".into()),
        _ => Ok(gpt_4o(812, 203)),
    }
}

#[observe(operation = embeddings, provider = "openai", model = "text-embedding-3-small",
          usage = |vectors| Usage::new(vectors.len() as u64, None))]
fn embed(texts: &[&str]) -> Vec<f32> {
    texts.iter().map(|_| 0.5).collect()
}

#[observe(operation = execute_tool, tool = name)]
fn call_tool(name: &str) -> Result<String, String> {
    Ok(name.to_uppercase())
}

#[observe(operation = execute_tool)]
fn weather() -> u8 {
    21
}

#[observe(operation = retrieval, data_source = "handbook", items = |found| found.len())]
fn search(query: &str) -> Vec<String> {
    vec![query.to_owned()]
}

#[observe(operation = invoke_agent, agent = "planner")]
async fn plan() -> usize {
    search("x").len()
}

#[observe(operation = create_agent, provider = "openai", agent = %42)]
fn create() {}

#[observe(operation = invoke_workflow)]
fn workflow() {}

fn text(call: &Call, name: &str) -> String {
    call.attribute(name)
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[tokio::test]
async fn a_chat_says_what_it_asked_and_what_it_got() {
    let seen = testing::observe();
    answer(request()).await.unwrap();
    let call = &seen.calls()[0];
    for (name, wanted) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.response.model", "gpt-4o-2024-08-06"),
        ("gen_ai.response.id", "chatcmpl-1"),
        ("gen_ai.response.finish_reasons", "stop"),
        ("gen_ai.usage.input_tokens", "812"),
        ("gen_ai.usage.output_tokens", "203"),
        ("llm_observe.cost_source", "table"),
    ] {
        assert_eq!(text(call, name), wanted, "{name}");
    }
    assert_eq!(call.attribute("gen_ai.usage.reasoning.output_tokens"), None);
    assert_eq!(call.attribute("gen_ai.request.stream"), None);
    assert_eq!(call.usage(), Some(Usage::new(812, 203)));
    // $2.50 and $10 per million tokens.
    assert!((call.cost().usd().unwrap() - 0.004_06).abs() < 1e-12);
    assert_eq!(call.site.kind().as_str(), "client");
}

#[tokio::test]
async fn a_chat_is_counted_by_the_conventions_and_by_event() {
    let seen = testing::observe();
    for _ in 0..2 {
        answer(request()).await.unwrap();
    }
    let model = String::new();
    answer(Request { model }).await.unwrap_err();
    let metrics = seen.metrics();
    let ours = [
        ("event", "answer"),
        ("provider", "openai"),
        ("model", "gpt-4o-2024-08-06"),
    ];
    let tokens = |kind| {
        let labels = [&ours[..], &[("type", kind)]].concat();
        value(&metrics, "llm_observe_tokens_total", &labels)
    };
    assert_eq!((tokens("input"), tokens("output")), (1624.0, 406.0));
    assert!((value(&metrics, "llm_observe_cost_usd_total", &ours) - 0.008_12).abs() < 1e-12);
    let conventions = [
        ("gen_ai_operation_name", "chat"),
        ("gen_ai_provider_name", "openai"),
        ("gen_ai_request_model", "gpt-4o"),
        ("gen_ai_response_model", "gpt-4o-2024-08-06"),
    ];
    let counted = |name: &str, more: &[(&str, &str)]| {
        value(&metrics, name, &[&conventions[..], more].concat())
    };
    let duration = "gen_ai_client_operation_duration_seconds_count";
    assert_eq!(counted(duration, &[]), 2.0);
    let input = [("gen_ai_token_type", "input")];
    assert_eq!(counted("gen_ai_client_token_usage_count", &input), 2.0);
    assert_eq!(counted("gen_ai_client_token_usage_sum", &input), 1624.0);
    let failed = [("gen_ai_operation_name", "chat"), ("error_type", "other")];
    assert_eq!(value(&metrics, duration, &failed), 1.0, "{metrics}");
    // A failed call is not one whose tokens are missing, and no call here is unpriced.
    assert!(!is_there(&metrics, "llm_observe_usage_missing_total"));
    assert!(!is_there(&metrics, "llm_observe_unpriced_calls_total"));
    // They are counted as calls too.
    let calls = [("event", "answer"), ("outcome", "ok")];
    assert_eq!(value(&metrics, "llm_observe_calls_total", &calls), 2.0);
}

#[test]
fn a_closure_states_the_tokens_of_any_value() {
    let seen = testing::observe();
    assert_eq!(embed(&["a", "b", "c"]).len(), 3);
    let call = &seen.calls()[0];
    assert_eq!(call.usage(), Some(Usage::new(3, None)));
    assert_eq!(text(call, "gen_ai.operation.name"), "embeddings");
    assert!(call.cost().usd().is_some());
}

#[tokio::test]
async fn tools_agents_and_searches_have_their_names() {
    let seen = testing::observe();
    call_tool("lookup").unwrap();
    weather();
    plan().await;
    create();
    workflow();
    let calls = seen.calls();
    let names: Vec<_> = calls
        .iter()
        .map(|call| {
            let subjects = [
                "gen_ai.tool.name",
                "gen_ai.data_source.id",
                "gen_ai.agent.name",
            ];
            let subject: String = subjects.iter().map(|name| text(call, name)).collect();
            let kind = call.site.kind().as_str();
            (text(call, "gen_ai.operation.name"), subject, kind)
        })
        .collect();
    let wanted = [
        ("execute_tool", "lookup", "internal"),
        ("execute_tool", "weather", "internal"),
        ("retrieval", "handbook", "client"),
        ("invoke_agent", "planner", "internal"),
        ("create_agent", "42", "client"),
        ("invoke_workflow", "", "internal"),
    ];
    for (name, (operation, subject, kind)) in names.iter().zip(wanted) {
        assert_eq!(
            (name.0.as_str(), name.1.as_str(), name.2),
            (operation, subject, kind)
        );
    }
    assert_eq!(names.len(), wanted.len());
    // None of them takes tokens, so none are missing.
    let metrics = seen.metrics();
    assert!(!is_there(&metrics, "llm_observe_usage_missing_total"));
    assert!(!is_there(&metrics, "llm_observe_tokens_total"));
    assert!(calls.iter().all(|call| call.cost() == Cost::Unpriced));
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
fn silent() -> String {
    "an answer without usage".into()
}

#[test]
fn tokens_that_are_not_known_are_counted_as_missing() {
    let seen = testing::observe();
    silent();
    let call = &seen.calls()[0];
    assert_eq!((call.usage(), call.cost()), (None, Cost::Unpriced));
    assert_eq!(call.attribute("gen_ai.usage.input_tokens"), None);
    assert_eq!(call.attribute("gen_ai.usage.cost"), None);
    let metrics = seen.metrics();
    let labels = [
        ("event", "silent"),
        ("provider", "openai"),
        ("model", "gpt-4o"),
    ];
    assert_eq!(
        value(&metrics, "llm_observe_usage_missing_total", &labels),
        1.0
    );
    assert!(!is_there(&metrics, "gen_ai_client_token_usage"));
}

#[observe(operation = chat, model = "in-house")]
fn in_house(usd: Option<f64>) -> Option<Box<Answer>> {
    let usage = Some(Usage::new(10, 5));
    Some(Box::new(Answer {
        usage,
        usd,
        ..Answer::default()
    }))
}

#[test]
fn a_cost_is_reported_computed_or_unknown_and_never_0_for_unknown() {
    let seen = testing::observe();
    in_house(None);
    in_house(Some(0.25));
    let calls = seen.calls();
    assert_eq!(calls[0].cost(), Cost::Unpriced);
    assert_eq!(calls[1].cost(), Cost::Reported(0.25));
    let metrics = seen.metrics();
    // The provider is not known.
    let labels = [
        ("event", "in_house"),
        ("provider", "_other"),
        ("model", "in-house"),
    ];
    assert_eq!(
        value(&metrics, "llm_observe_unpriced_calls_total", &labels),
        1.0
    );
    assert_eq!(value(&metrics, "llm_observe_cost_usd_total", &labels), 0.25);
}

#[test]
fn prices_of_the_configuration_go_first() {
    let config = "[prices.in-house]\ninput = 1000000\noutput = 2000000\n";
    let seen = testing::observe_with(config).unwrap();
    in_house(None);
    let call = &seen.calls()[0];
    assert_eq!(call.cost().usd(), Some(20.0));
    assert_eq!(text(call, "llm_observe.cost_source"), "override");
}

#[observe(operation = chat, provider = broken(), model = "gpt-4o")]
fn half() -> Answer {
    gpt_4o(1, 1)
}

fn broken() -> &'static str {
    panic!("in the attribute")
}

#[test]
fn a_panic_in_a_key_ends_its_recording_alone() {
    let seen = testing::observe();
    half();
    let call = &seen.calls()[0];
    assert_eq!(call.outcome, Outcome::Ok);
    assert_eq!(call.attribute("gen_ai.provider.name"), None);
    assert_eq!(text(call, "gen_ai.operation.name"), "chat");
    assert_eq!(call.usage(), Some(Usage::new(1, 1)));
}

#[test]
fn without_an_observer_nothing_is_evaluated() {
    half();
}

#[observe(operation = chat)]
mod assistant {
    use crate::{Answer, gpt_4o};

    #[observe(provider = "openai")]
    pub(crate) fn ask() -> Answer {
        gpt_4o(1, 2)
    }

    #[observe(operation = execute_tool, tool = "clock")]
    pub(crate) fn clock() -> u8 {
        12
    }
}

#[test]
fn a_block_gives_its_operation_to_each_function() {
    let seen = testing::observe();
    assistant::ask();
    assistant::clock();
    let calls = seen.calls();
    assert_eq!(text(&calls[0], "gen_ai.operation.name"), "chat");
    assert_eq!(text(&calls[0], "gen_ai.provider.name"), "openai");
    assert_eq!(text(&calls[1], "gen_ai.operation.name"), "execute_tool");
}

#[test]
fn the_latest_conventions_are_a_key_away() {
    #[observe(operation = chat)]
    fn cached() -> Answer {
        let usage = Usage::new(10, 1).with_cache_creation(4).with_cache_read(2);
        Answer {
            usage: Some(usage),
            ..Answer::default()
        }
    }
    let seen = testing::observe();
    cached();
    let call = &seen.calls()[0];
    assert_eq!(text(call, "gen_ai.usage.cache_creation.input_tokens"), "4");
    assert_eq!(text(call, "gen_ai.usage.cache_read.input_tokens"), "2");
    drop(seen);
    let seen = testing::observe_with("[genai]\nconventions = \"latest\"\n").unwrap();
    cached();
    let call = &seen.calls()[0];
    assert_eq!(text(call, "gen_ai.usage.cache_write.input_tokens"), "4");
    assert_eq!(text(call, "gen_ai.usage.cache_creation.input_tokens"), "");
}
