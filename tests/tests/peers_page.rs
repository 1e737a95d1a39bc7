//! The arithmetic of the live page, run by Node.js.

use std::{fs, path::Path, process::Command};

use llm_observe_tests::{folder::Folder, peers, program::run};

/// Calls of 20 µs, and ten that ran into a limit of 3 s.
const SCRAPE: &str = r#"
llm_observe_call_duration_seconds_live{event="e",function="f",over="0.000015",upto="0.00002"} 90
llm_observe_call_duration_seconds_live{event="e",function="f",over="2.5",upto="5"} 10
llm_observe_call_duration_seconds_min{event="e",function="f",window="start"} 0.0000181
llm_observe_call_duration_seconds_max{event="e",function="f",window="start"} 3.0001
llm_observe_call_duration_seconds_live{event="same",function="f",over="0.0005",upto="0.001"} 7
llm_observe_call_duration_seconds_min{event="same",function="f",window="start"} 0.00075
llm_observe_call_duration_seconds_max{event="same",function="f",window="start"} 0.00075
llm_observe_call_duration_seconds_live{event="unbound",function="f",over="640",upto="+Inf"} 1
"#;

/// A priced model with cached tokens and a stream that was left, and one that nobody knows.
const MODELS: &str = r#"
gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",gen_ai_response_model="gpt-4o-2024-08-06"} 3
gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o-2024-08-06",error_type="cancelled"} 1
gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="invoke_agent",gen_ai_provider_name="openai"} 7
gen_ai_client_operation_time_to_first_chunk_seconds_bucket{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o-2024-08-06",le="0.16"} 0
gen_ai_client_operation_time_to_first_chunk_seconds_bucket{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o-2024-08-06",le="0.32"} 3
gen_ai_client_operation_time_to_first_chunk_seconds_bucket{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o-2024-08-06",le="0.64"} 4
gen_ai_client_operation_time_to_first_chunk_seconds_bucket{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o-2024-08-06",le="+Inf"} 4
llm_observe_tokens_total{event="answer",provider="openai",model="gpt-4o-2024-08-06",type="input"} 1000
llm_observe_tokens_total{event="rerank",provider="openai",model="gpt-4o-2024-08-06",type="input"} 600
llm_observe_tokens_total{event="answer",provider="openai",model="gpt-4o-2024-08-06",type="cache_read"} 400
llm_observe_cost_usd_total{event="answer",provider="openai",model="gpt-4o-2024-08-06"} 0.00406
llm_observe_unpriced_calls_total{event="answer",provider="_other",model="<b>mine</b>"} 2
llm_observe_usage_missing_total{event="answer",provider="_other",model="<b>mine</b>"} 1
"#;

#[test]
fn what_a_model_did_is_summed_over_events_and_ends() {
    let Some(node) = peers::find("node") else {
        return;
    };
    let ask = r#"
        const { models } = digest(parse(process.argv[2]).samples, 0);
        for (const m of models.values()) {
            const times = [0.5, 0.95].map((q) => seconds(quantile(counted(m.upto), q)));
            console.log(m.name, m.from, sum(m.ends.values()), m.ends.get("cancelled") ?? 0, ...times,
                share(m.tokens.get("cache_read"), m.tokens.get("input")), dollars(m.cost), m.unpriced, m.missing);
        }
        console.log(...[0, 12.345, 0.0213, 0.0000004, 0.10, 1234].map(dollars));
        const first = [...models.values()][0];
        const gain = gainedBy(first, { ...first, cost: 0.00006, tokens: new Map([["input", 1000]]) });
        console.log(gain.cost.toFixed(3), gain.tokens.get("input"), sum(gain.ends.values()));"#;
    let folder = Folder::new();
    let ended = run(Command::new(node)
        .arg(folder.write("page.js", &format!("{}\n{ask}", script())))
        .arg(MODELS));
    assert!(ended.status.success(), "{ended}");
    let shown: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        shown,
        [
            "gpt-4o-2024-08-06 openai 4 1 ≈ 267 ms ≈ 576 ms 25.0 % $0.0041 0 0",
            "<b>mine</b> other 0 0 – – – – 2 1",
            "$0.00 $12.35 $0.021 < $0.000001 $0.10 $1,234.00",
            "0.004 600 0",
        ]
    );
}

/// Returns the script of the page, up to where it begins to draw.
fn script() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../llm-observe/src/page/page.html");
    let page = fs::read_to_string(page).unwrap();
    let (_, script) = page.split_once("<script>").unwrap();
    let (script, _) = script.split_once("\nheads();").unwrap();
    script.to_owned()
}

#[test]
fn no_percentile_is_beyond_the_longest_call_or_below_the_shortest() {
    let Some(node) = peers::find("node") else {
        return;
    };
    let script = script();
    let ask = format!(
        "{script}\nconst scrape = digest(parse(process.argv[2]).samples, 0);\n\
         for (const c of scrape.calls.values())\n  \
         console.log(c.event, ...[0, 0.5, 0.95, 0.99, 1].map((q) => \
         `[${{seconds(quantile(c.buckets, q, c.ranges.get(\"start\")))}}]`));\n"
    );
    let folder = Folder::new();
    let ended = run(Command::new(node)
        .arg(folder.write("page.js", &ask))
        .arg(SCRAPE));
    assert!(ended.status.success(), "{ended}");
    let shown: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        shown,
        [
            "e [≈ 18.1 µs] [≈ 19.2 µs] [≈ 2.75 s] [≈ 2.95 s] [≈ 3.00 s]",
            "same [750 µs] [750 µs] [750 µs] [750 µs] [750 µs]",
            "unbound [> 10.7 min] [> 10.7 min] [> 10.7 min] [> 10.7 min] [> 10.7 min]",
        ]
    );
}
