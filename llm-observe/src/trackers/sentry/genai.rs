//! The names that Sentry's views of AI agents know besides those of the OpenTelemetry conventions
//! (docs.sentry.io, "Instrument AI Agents").

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::trackers::{report::Report, size::ReportSize};

/// The start of all names of the conventions.
const PREFIX: &str = "gen_ai.";
const OPERATION: &str = "gen_ai.operation.name";

/// Attributes of the conventions, each with Sentry's own name for it.
const RENAMED: [(&str, &str); 5] = [
    ("gen_ai.usage.cost", "gen_ai.cost.total_tokens"),
    (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.input_tokens.cached",
    ),
    (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.input_tokens.cache_write",
    ),
    (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.input_tokens.cache_write",
    ),
    (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.output_tokens.reasoning",
    ),
];

/// Returns whether a recorded value is one of an operation of a model.
pub(super) fn is_genai(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Returns the operation of the call's span: `gen_ai.chat`, or that of a function.
pub(super) fn op(report: &Report) -> String {
    let mut fields = report.fields.iter();
    let operation = fields.find(|(name, _)| name == OPERATION);
    match operation {
        Some((_, operation)) => format!("{PREFIX}{operation}"),
        None => "function".to_owned(),
    }
}

/// Returns the values of an operation of a model, under both names; empty where the call is none.
pub(super) fn context(report: &Report, size: ReportSize) -> BTreeMap<String, Value> {
    let recorded = report.recorded(size);
    let mut all: Map<String, Value> = recorded.filter(|(name, _)| is_genai(name)).collect();
    for (name, own) in RENAMED {
        if let Some(value) = all.get(name).cloned() {
            all.insert(own.to_owned(), value);
        }
    }
    let tokens = |name| all.get(name).and_then(Value::as_u64);
    let (input, output) = (
        tokens("gen_ai.usage.input_tokens"),
        tokens("gen_ai.usage.output_tokens"),
    );
    if let (Some(input), Some(output)) = (input, output) {
        let total = input.saturating_add(output);
        all.insert("gen_ai.usage.total_tokens".to_owned(), total.into());
    }
    all.into_iter().collect()
}
