//! Whose work calls of models are: tenants as a label where that is asked for; and how agents, tools and
//! workflows nest.

use llm_observe::{
    genai::{Response, Usage},
    observe,
    testing::{self, Call},
};
use llm_observe_tests::spans::Spans;

struct Answer;

impl Response for Answer {
    fn usage(&self) -> Option<Usage> {
        Some(Usage::new(10, 5))
    }

    fn cost_usd(&self) -> Option<f64> {
        Some(0.5)
    }
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
async fn answer() -> Answer {
    Answer
}

#[observe(operation = execute_tool, tool = "search")]
async fn search() {
    llm_observe::spawn(answer()).await.unwrap();
}

#[observe(operation = invoke_agent, agent = "planner")]
async fn plan() {
    answer().await;
    search().await;
}

#[observe(operation = invoke_workflow)]
async fn work() {
    plan().await;
}

const LABEL: &str = "[genai]\ntenant_label = true\n";

fn rows(metrics: &str, label: &str) -> Vec<String> {
    let rows = metrics.lines().filter(|line| line.contains(label));
    rows.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_tenant_is_a_label_only_where_it_is_asked_for() {
    let acme = llm_observe::context().tenant("acme").user("u-1");
    let seen = testing::observe();
    acme.scope(answer()).await;
    assert!(!seen.metrics().contains("acme"));
    assert_eq!(
        seen.calls()[0].fields.get("tenant").unwrap().to_string(),
        "acme"
    );

    let seen = testing::observe_with(LABEL).unwrap();
    acme.scope(work()).await;
    answer().await;
    let metrics = seen.metrics();
    let of_acme = rows(&metrics, "tenant=\"acme\"");
    assert_eq!(of_acme.len(), 3, "{of_acme:#?}");
    let has = |name: &str, more: &str, value: &str| {
        of_acme
            .iter()
            .any(|row| row.starts_with(name) && row.contains(more) && row.ends_with(value))
    };
    assert!(has("llm_observe_tokens_total{", "type=\"input\"", " 20"));
    assert!(has("llm_observe_tokens_total{", "type=\"output\"", " 10"));
    assert!(has("llm_observe_cost_usd_total{", "event=\"answer\"", " 1"));
    let cost = rows(&metrics, "llm_observe_cost_usd_total{");
    assert_eq!(cost.len(), 2, "those without a tenant: {cost:#?}");
    assert!(!metrics.contains("u-1"));
}

#[tokio::test]
async fn tenants_are_bounded() {
    let seen = testing::observe_with(&format!("{LABEL}[metrics]\nmax_label_values = 3\n")).unwrap();
    for n in 0..10 {
        let tenant = llm_observe::context().tenant(format!("tenant-{n}\"\n"));
        tenant.scope(answer()).await;
    }
    let metrics = seen.metrics();
    assert_eq!(rows(&metrics, "llm_observe_cost_usd_total{").len(), 4);
    let other = rows(&metrics, "tenant=\"_other\"");
    assert!(other.iter().any(|row| row.ends_with(" 3.5")), "{other:#?}");
}

#[tokio::test]
async fn agents_tools_and_workflows_nest_across_tasks() {
    let seen = testing::observe();
    work().await;
    let calls = seen.calls();
    let of = |name: &str| -> Vec<&Call> {
        let named =
            |call: &&Call| call.attribute("gen_ai.operation.name").unwrap().to_string() == name;
        calls.iter().filter(named).collect()
    };
    let [workflow, agent, tool] =
        ["invoke_workflow", "invoke_agent", "execute_tool"].map(|name| of(name)[0]);
    assert!(workflow.parent_id.is_none());
    assert_eq!(agent.parent_id, workflow.span_id);
    assert_eq!(tool.parent_id, agent.span_id);
    let chats = of("chat");
    let parents: Vec<_> = chats.iter().map(|chat| chat.parent_id).collect();
    assert_eq!(parents, [agent.span_id, tool.span_id]);
    assert!(calls.iter().all(|call| call.trace_id == workflow.trace_id));
}

/// Spans are of a program, not of a test's observer.
#[test]
fn spans_have_the_names_of_the_conventions() {
    let spans = Spans::new(|metadata| metadata.target().starts_with("genai_tenants"));
    tracing::subscriber::set_global_default(spans.clone()).unwrap();
    let text = "[log]\nenabled = false\nconsole = \"never\"\n[server]\nlisten = \"off\"\n";
    let config = llm_observe::config::Config::parse(text, "x".as_ref()).unwrap();
    let _observer = llm_observe::Observer::builder()
        .config(config)
        .install()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(work());
    let names = |(_, fields): &(String, llm_observe_tests::spans::Fields)| {
        Some((
            fields.get("otel.name")?.clone(),
            fields.get("otel.kind")?.clone(),
        ))
    };
    let mut names: Vec<_> = spans.all().iter().filter_map(names).collect();
    names.sort();
    names.dedup();
    let wanted = [
        ("chat gpt-4o", "client"),
        ("execute_tool search", "internal"),
        ("invoke_agent planner", "internal"),
        ("invoke_workflow", "internal"),
    ];
    assert_eq!(
        names,
        wanted.map(|(name, kind)| (name.to_owned(), kind.to_owned()))
    );
}
