//! Functions that are operations of models: what their calls record, each through the public API.

mod bad_input;
mod names;
mod nested;
mod operations;
mod quality;
mod requests;
mod streams;

use llm_observe::genai::{FinishReasons, Response, Usage};

/// An answer of a model, or a chunk of one.
#[derive(Clone, Debug, Default)]
struct Answer {
    model: Option<String>,
    id: Option<String>,
    reason: Option<&'static str>,
    usage: Option<Usage>,
    usd: Option<f64>,
}

impl Response for Answer {
    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        self.reason.into()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn cost_usd(&self) -> Option<f64> {
        self.usd
    }
}

/// Returns a whole answer of `gpt-4o` with these tokens.
fn gpt_4o(input: u64, output: u64) -> Answer {
    Answer {
        model: Some("gpt-4o-2024-08-06".into()),
        id: Some("chatcmpl-1".into()),
        reason: Some("stop"),
        usage: Some(Usage::new(input, output)),
        usd: None,
    }
}

/// Returns the value of a series: the sum of all lines that start with `name{` and have every label.
fn value(metrics: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let head = format!("{name}{{");
    let has = |line: &str| {
        let mut all = labels.iter();
        all.all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")))
    };
    let lines = metrics.lines();
    let series = lines.filter(|line| line.starts_with(&head) && has(line));
    series
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

/// Returns whether there is any series of that name.
fn is_there(metrics: &str, name: &str) -> bool {
    metrics
        .lines()
        .any(|line| line.starts_with(name) && !line.starts_with('#'))
}
