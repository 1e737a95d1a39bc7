//! A look at what was observed: the metrics of the program, and the lines of its log.

use std::{
    fs,
    time::{Duration, Instant},
};

use llm_observe::Observer;

use super::exposition::Scrape;

const CALLS: &str = "llm_observe_calls_total";
const TOKENS: &str = "llm_observe_tokens_total";
const COST: &str = "llm_observe_cost_usd_total";
const FIRST_CHUNK: &str = "gen_ai_client_operation_time_to_first_chunk_seconds";
const LIMIT: Duration = Duration::from_secs(10);

/// Returns the metrics as they are now.
///
/// # Errors
/// The feature `metrics` is off.
pub(crate) fn metrics(observer: &Observer) -> Result<Scrape, &'static str> {
    let text = observer.metrics();
    text.map(|text| Scrape::parse(&text))
        .ok_or("no metrics: the feature `metrics` is off")
}

/// Returns how many calls ended so.
pub(crate) fn calls(metrics: &Scrape, event: &str, outcome: &str) -> f64 {
    metrics.sum(CALLS, &[("event", event), ("outcome", outcome)])
}

/// Returns how many tokens of a type were counted for an event.
pub(crate) fn tokens(metrics: &Scrape, event: &str, kind: &str) -> f64 {
    metrics.sum(TOKENS, &[("event", event), ("type", kind)])
}

/// Waits until an event has so many calls of each outcome, and returns the differences that remain.
///
/// # Errors
/// The feature `metrics` is off.
pub(crate) async fn differences(
    observer: &Observer,
    expected: &[(&str, &str, u32)],
) -> Result<Vec<String>, &'static str> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let metrics = metrics(observer)?;
        let differing = expected.iter().filter_map(|(event, outcome, expected)| {
            let counted = calls(&metrics, event, outcome);
            (counted != f64::from(*expected))
                .then(|| format!("{event} {outcome}: {expected} expected, {counted} counted"))
        });
        let differing: Vec<String> = differing.collect();
        if differing.is_empty() || Instant::now() > deadline {
            return Ok(differing);
        }
        // A stream that was left ends when the server sees its connection closed.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Prints what models took, a row for each model.
pub(crate) fn print_models(metrics: &Scrape) {
    println!("\nmodel              in     out        cost  first chunk p50");
    for model in metrics.values(TOKENS, "model") {
        let of = [("model", model)];
        let tokens = |kind| metrics.sum(TOKENS, &[("model", model), ("type", kind)]);
        let cost = match metrics.values(COST, "model").contains(&model) {
            true => format!("${:.6}", metrics.sum(COST, &of)),
            false => "unpriced".to_owned(),
        };
        let of = [("gen_ai_request_model", model)];
        let first = metrics.quantile(FIRST_CHUNK, &of, 0.5);
        let first = first.map_or_else(|| "-".to_owned(), |s| format!("{:.0} ms", s * 1e3));
        let [taken, given] = ["input", "output"].map(tokens);
        println!("{model:<14} {taken:>6} {given:>7} {cost:>11}  {first:>15}");
    }
}

/// Returns the lines of the log that hold all of `parts`; of the first file that has any.
pub(crate) fn lines(observer: &Observer, parts: &[&str]) -> Vec<String> {
    let _ = observer.flush(LIMIT);
    let texts = observer
        .log_files()
        .into_iter()
        .map(|file| fs::read_to_string(file).unwrap_or_default());
    let lines = texts.map(|text| {
        let lines = text.lines().map(str::to_owned);
        lines
            .filter(|line| parts.iter().all(|part| line.contains(part)))
            .collect::<Vec<_>>()
    });
    lines
        .into_iter()
        .find(|lines| !lines.is_empty())
        .unwrap_or_default()
}
