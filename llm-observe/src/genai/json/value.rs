//! [`Response`] for JSON bodies, and for the chunks of their streams.

use serde_json::Value;

use super::{
    MAX_TEXT, TokenCounts, UNFINISHED,
    counts::at,
    shapes::{Shape, all, find},
};
use crate::genai::{FinishReasons, Response, Usage};

/// One USD in the ticks of xAI. <https://docs.x.ai/developers/cost-tracking>
const TICKS: f64 = 1e10;

/// The largest plausible cost of one call, in USD. A larger one is absent.
const MAX_COST: f64 = 1e6;

/// The bodies of models, and the chunks of their streams, recognised by their shape.
///
/// Needs the feature `genai`. A value of another shape says nothing.
///
/// ```
/// use llm_observe::genai::{Response, Usage};
/// use serde_json::json;
///
/// let body = json!({
///     "id": "msg_1", "type": "message", "model": "claude-sonnet-4-5", "stop_reason": "end_turn",
///     "usage": {"input_tokens": 12, "cache_read_input_tokens": 800, "output_tokens": 203},
/// });
/// assert_eq!(body.model(), Some("claude-sonnet-4-5"));
/// // Anthropic counts cached tokens apart. Here they are part of the input, for every provider.
/// assert_eq!(body.usage(), Some(Usage::new(812, 203).with_cache_read(800)));
/// ```
impl Response for Value {
    fn model(&self) -> Option<&str> {
        let (shape, answer) = find(self)?;
        text(at(answer, shape.model)?)
    }

    fn id(&self) -> Option<&str> {
        let (shape, answer) = find(self)?;
        all(answer, shape.id).find_map(text)
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        match find(self) {
            Some((shape, answer)) if shape.has_status => status(answer).into(),
            Some((shape, answer)) => all(answer, shape.reasons).filter_map(text).collect(),
            None => FinishReasons::none(),
        }
    }

    fn usage(&self) -> Option<Usage> {
        let (shape, answer) = find(self)?;
        counts(shape, answer).map(|counts| counts.usage())
    }

    fn cost_usd(&self) -> Option<f64> {
        let (shape, answer) = find(self)?;
        all(answer, shape.usage).find_map(cost)
    }
}

fn counts(shape: &Shape, answer: &Value) -> Option<TokenCounts> {
    all(answer, shape.usage).find_map(TokenCounts::of)
}

/// Returns a text of plausible length.
fn text(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    (!text.is_empty() && text.len() <= MAX_TEXT).then_some(text)
}

/// Returns the final state of a response of OpenAI: the reason where it is incomplete.
fn status(answer: &Value) -> Option<&str> {
    let reason = at(answer, &["incomplete_details", "reason"]).and_then(text);
    let state = || text(at(answer, &["status"])?).filter(|state| !UNFINISHED.contains(state));
    reason.or_else(state)
}

/// Returns the cost that a usage states: OpenRouter's `cost`, with what the provider behind it takes where
/// the key is one's own (<https://openrouter.ai/docs/use-cases/usage-accounting>), Perplexity's
/// `cost.total_cost`, xAI's ticks.
fn cost(usage: &Value) -> Option<f64> {
    let number = |path: &[&str]| at(usage, path)?.as_f64();
    let upstream = || match at(usage, &["is_byok"])?.as_bool()? {
        true => number(&["cost_details", "upstream_inference_cost"]),
        false => None,
    };
    let cost = number(&["cost"])
        .map(|cost| cost + upstream().unwrap_or(0.0))
        .or_else(|| number(&["cost", "total_cost"]))
        .or_else(|| Some(number(&["cost_in_usd_ticks"])? / TICKS))?;
    (0.0..=MAX_COST).contains(&cost).then_some(cost)
}
