//! Every name is one of the conventions': OpenTelemetry semantic conventions 1.41.1, `docs/gen-ai/`:
//! `gen-ai-spans.md`, `gen-ai-agent-spans.md` and `gen-ai-metrics.md`.

use std::time::Duration;

use futures_util::StreamExt as _;
use llm_observe::{Score, genai::Usage, observe, testing};

use crate::Answer;

/// The attributes of inference, embeddings, retrieval, tools, agents and workflows.
const ATTRIBUTES: &[&str] = &[
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.conversation.id",
    "gen_ai.output.type",
    "gen_ai.request.choice.count",
    "gen_ai.request.model",
    "gen_ai.request.seed",
    "gen_ai.request.stream",
    "gen_ai.request.frequency_penalty",
    "gen_ai.request.max_tokens",
    "gen_ai.request.presence_penalty",
    "gen_ai.request.stop_sequences",
    "gen_ai.request.temperature",
    "gen_ai.request.top_k",
    "gen_ai.request.top_p",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.embeddings.dimension.count",
    "gen_ai.request.encoding_formats",
    "gen_ai.data_source.id",
    "gen_ai.tool.name",
    "gen_ai.tool.call.id",
    "gen_ai.tool.description",
    "gen_ai.tool.type",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.description",
    "gen_ai.agent.version",
    "gen_ai.workflow.name",
];

/// Renamed in the unreleased conventions (semantic-conventions-genai, #440).
const LATEST: &[&str] = &["gen_ai.usage.cache_write.input_tokens"];

/// Of which the conventions have none yet (semantic-conventions-genai, #287).
const OURS: &[&str] = &["gen_ai.usage.cost", "llm_observe.cost_source"];

/// The metrics of clients, in Prometheus form, with the labels that they may have.
const METRICS: &[&str] = &[
    "gen_ai_client_token_usage",
    "gen_ai_client_operation_duration_seconds",
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "gen_ai_client_operation_time_per_output_chunk_seconds",
];
const LABELS: &[&str] = &[
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
    "gen_ai_token_type",
    "server_address",
    "server_port",
    "error_type",
    "le",
];

const DURATIONS: [&str; 14] = [
    "0.01", "0.02", "0.04", "0.08", "0.16", "0.32", "0.64", "1.28", "2.56", "5.12", "10.24",
    "20.48", "40.96", "81.92",
];

#[observe(operation = chat, provider = "p", model = "m", agent = "a", data_source = "d", stream)]
fn everything(good: bool) -> impl futures_util::Stream<Item = Result<Answer, String>> {
    let usage = Usage::new(9, 9)
        .with_cache_read(1)
        .with_cache_creation(1)
        .with_reasoning(1);
    let answer = Answer {
        model: Some("m".into()),
        id: Some("1".into()),
        reason: Some("stop"),
        usage: Some(usage),
        usd: Some(0.5),
    };
    let last = good.then(Answer::default).ok_or("bad".to_owned());
    futures_util::stream::iter([Ok(answer), last])
}

#[observe(operation = execute_tool, tool = "t")]
fn tool() {}

async fn all(config: &str) -> testing::TestObserver {
    let seen = testing::observe_with(config).unwrap();
    everything(true).for_each(|_| async {}).await;
    everything(false).for_each(|_| async {}).await;
    tool();
    seen
}

fn names(seen: &testing::TestObserver) -> Vec<String> {
    let calls = seen.calls();
    let all = calls.iter().flat_map(|call| call.attributes.iter());
    let mut all: Vec<_> = all.map(|(name, _)| name.clone()).collect();
    all.sort();
    all.dedup();
    all
}

#[tokio::test]
async fn attributes_have_the_names_of_the_conventions() {
    let seen = all("").await;
    let known = names(&seen);
    // All that can be there is there.
    assert_eq!(known.len(), 18, "{known:?}");
    for name in &known {
        let name = name.as_str();
        assert!(ATTRIBUTES.contains(&name) || OURS.contains(&name), "{name}");
    }
    drop(seen);
    for name in names(&all("[genai]\nconventions = \"latest\"\n").await) {
        let name = name.as_str();
        let known = ATTRIBUTES.contains(&name) || LATEST.contains(&name) || OURS.contains(&name);
        assert!(
            known && name != "gen_ai.usage.cache_creation.input_tokens",
            "{name}"
        );
    }
}

#[tokio::test]
async fn metrics_have_the_names_labels_and_buckets_of_the_conventions() {
    let metrics = all("").await.metrics();
    let mut seen = Vec::new();
    for line in metrics.lines().filter(|line| line.starts_with("gen_ai")) {
        let (name, rest) = line.split_once('{').unwrap();
        let suffixes = ["_bucket", "_sum", "_count"];
        let name = suffixes.iter().find_map(|s| name.strip_suffix(s)).unwrap();
        assert!(METRICS.contains(&name), "{line}");
        seen.push(name);
        let labels = rest.split_once('}').unwrap().0;
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            let label = label.split_once('=').unwrap().0;
            assert!(LABELS.contains(&label), "{line}");
        }
    }
    assert!(METRICS.iter().all(|name| seen.contains(name)), "{metrics}");
    let bounds = |name: &str| {
        let head = format!("{name}_bucket{{");
        let lines = metrics.lines().filter(|line| line.starts_with(&head));
        let mut all: Vec<&str> = lines
            .filter_map(|line| Some(line.split_once("le=\"")?.1.split_once('"')?.0))
            .collect();
        all.dedup();
        all.truncate(all.iter().position(|le| *le == "+Inf").unwrap());
        all
    };
    for name in &METRICS[1..] {
        assert_eq!(bounds(name), DURATIONS, "{name}");
    }
    let tokens: Vec<_> = (0..14).map(|n| (1_u64 << (2 * n)).to_string()).collect();
    assert_eq!(bounds(METRICS[0]), tokens);
}

/// Those of the event `gen_ai.evaluation.result` in `gen-ai-events.md`, with the message of an exception.
const OF_EVALUATIONS: &[&str] = &[
    "gen_ai.evaluation.name",
    "gen_ai.evaluation.score.value",
    "gen_ai.evaluation.score.label",
    "gen_ai.evaluation.explanation",
    "error.type",
    "exception.message",
];

#[test]
fn evaluations_have_the_names_of_the_conventions() {
    async fn judge(_: u8) -> Result<Score, String> {
        Err("no judge".to_owned())
    }
    #[observe(evaluate(name = "judged", with = judge, share = 1.0))]
    fn answer() -> u8 {
        let score = Score::new("groundedness", 0.5).label("half");
        score.explanation("one of two").record();
        1
    }
    let seen = testing::observe();
    answer();
    assert!(seen.wait_for_evaluations(Duration::from_secs(30)));
    let events = seen.events();
    let mut names: Vec<_> = events.iter().flat_map(|event| &event.fields).collect();
    names.dedup_by_key(|(name, _)| *name);
    for event in &events {
        assert_eq!(event.message, "gen_ai.evaluation.result");
    }
    let known = |name: &str| names.iter().any(|(known, _)| *known == name);
    assert!(OF_EVALUATIONS.iter().all(|name| known(name)), "{names:?}");
    assert!(
        names.iter().all(|(name, _)| OF_EVALUATIONS.contains(name)),
        "{names:?}"
    );
}

#[tokio::test]
async fn long_answers_have_buckets_by_key() {
    let config = "[metrics]\nextra_buckets = [163.84, 327.68, 655.36]\n";
    let metrics = all(config).await.metrics();
    let head = "gen_ai_client_operation_duration_seconds_bucket";
    let found = metrics
        .lines()
        .any(|line| line.starts_with(head) && line.contains("le=\"655.36\""));
    assert!(found, "{metrics}");
}
