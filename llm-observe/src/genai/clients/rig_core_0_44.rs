//! The types of `rig-core` 0.44: completions, the items of relayed streams, and embeddings.
//!
//! The items of a `CompletionStream` say nothing: it has its response when it has ended. The crate brings the
//! counts of all providers to one meaning, the one used here.

use std::borrow::Cow;

use rig_core_0_44::{
    completion::{CompletionResponse, Cost, FinishReason, Usage as Counts},
    embeddings::EmbeddingResponse,
    streaming::{Item, Relayed, StreamEvent},
};

use crate::genai::{FinishReasons, Response, Usage};

impl Response for CompletionResponse {
    fn model(&self) -> Option<&str> {
        self.origin.response_model.as_deref()
    }

    fn id(&self) -> Option<&str> {
        self.origin.response_id.as_deref()
    }

    /// The reason as it is in the provider's document, where the crate kept it; or as the crate calls it.
    fn finish_reasons(&self) -> FinishReasons<'_> {
        let said = self.raw.finish_reasons();
        if said.is_empty() {
            self.finish_reason().and_then(reason).into()
        } else {
            said
        }
    }

    fn usage(&self) -> Option<Usage> {
        usage(&self.usage)
    }

    fn cost_usd(&self) -> Option<f64> {
        reported(self.usage.cost?)
    }
}

impl Response for EmbeddingResponse {
    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn id(&self) -> Option<&str> {
        self.response_id.as_deref()
    }

    fn usage(&self) -> Option<Usage> {
        usage(&self.usage)
    }

    fn cost_usd(&self) -> Option<f64> {
        reported(self.usage.cost?)
    }
}

impl Response for Item<StreamEvent> {}

impl Response for Relayed {
    fn model(&self) -> Option<&str> {
        match self {
            Relayed::Origin(origin) => origin.response_model.as_deref(),
            Relayed::Item(_) => None,
            Relayed::Done(response) => response.model(),
        }
    }

    fn id(&self) -> Option<&str> {
        match self {
            Relayed::Origin(origin) => origin.response_id.as_deref(),
            Relayed::Item(_) => None,
            Relayed::Done(response) => response.id(),
        }
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        done(self).map_or_else(FinishReasons::none, Response::finish_reasons)
    }

    fn usage(&self) -> Option<Usage> {
        done(self)?.usage()
    }

    fn cost_usd(&self) -> Option<f64> {
        done(self)?.cost_usd()
    }
}

fn done(relayed: &Relayed) -> Option<&CompletionResponse> {
    match relayed {
        Relayed::Done(response) => Some(response),
        Relayed::Origin(_) | Relayed::Item(_) => None,
    }
}

fn usage(counts: &Counts) -> Option<Usage> {
    let usage = Usage::new(counts.input_tokens, counts.output_tokens)
        .with_cache_read(counts.cached_input_tokens)
        .with_cache_creation(counts.cache_creation_input_tokens)
        .with_reasoning(counts.reasoning_tokens);
    (usage != Usage::default()).then_some(usage)
}

/// Returns the cost if the provider reported it. A cost with all its parts is one that the crate computed
/// from its own table of prices.
fn reported(cost: Cost) -> Option<f64> {
    let parts = [cost.input, cost.output, cost.cache_read, cost.cache_write];
    let is_computed = parts.iter().all(Option::is_some);
    (!is_computed && cost.total >= 0.0 && cost.total.is_finite()).then_some(cost.total)
}

fn reason(reason: FinishReason) -> Option<Cow<'static, str>> {
    let known = match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::Other(reason) => return Some(Cow::Owned(reason)),
        _ => return None,
    };
    Some(Cow::Borrowed(known))
}

#[cfg(test)]
mod tests {
    use rig_core_0_44::message::Origin;
    use serde_json::{Value, json};

    use super::*;

    fn counts() -> Counts {
        Counts::new()
            .input_tokens(812)
            .output_tokens(203)
            .cached_input_tokens(700)
            .reasoning_tokens(64)
    }

    fn completion(usage: Counts, raw: Value) -> CompletionResponse {
        let mut origin = Origin::new("chat", "openai", "gpt-4o");
        origin.response_model = Some("gpt-4o-2024-08-06".to_owned());
        origin.response_id = Some("chatcmpl-7".to_owned());
        CompletionResponse::new(Vec::new(), usage, origin, raw)
    }

    fn all() -> Usage {
        Usage::new(812, 203).with_cache_read(700).with_reasoning(64)
    }

    #[test]
    fn a_completion_says_all() {
        let response = completion(counts(), Value::Null).with_finish_reason(FinishReason::Length);
        assert_eq!(response.model(), Some("gpt-4o-2024-08-06"));
        assert_eq!(response.id(), Some("chatcmpl-7"));
        assert!(response.finish_reasons().iter().eq(["length"]));
        assert_eq!(Response::usage(&response), Some(all()));
        assert_eq!(response.cost_usd(), None);
    }

    #[test]
    fn reasons_are_the_providers_where_they_are_kept() {
        let raw = json!({"type": "message", "stop_reason": "max_tokens"});
        let response = completion(counts(), raw).with_finish_reason(FinishReason::Length);
        assert!(response.finish_reasons().iter().eq(["max_tokens"]));
        let other = FinishReason::Other("pause_turn".to_owned());
        let response = completion(counts(), Value::Null).with_finish_reason(other);
        assert!(response.finish_reasons().iter().eq(["pause_turn"]));
    }

    #[test]
    fn only_a_cost_that_the_provider_reports_is_one() {
        let cost = |cost| {
            let mut counts = counts();
            counts.cost = Some(cost);
            completion(counts, Value::Null).cost_usd()
        };
        assert_eq!(cost(Cost::from_total(0.25)), Some(0.25));
        assert_eq!(cost(Cost::from_total(-0.25)), None);
        assert_eq!(cost(Cost::from_parts(0.1, 0.1, 0.0, 0.0)), None);
    }

    #[test]
    fn the_last_item_of_a_relayed_stream_says_all() {
        let response = completion(counts(), Value::Null).with_finish_reason(FinishReason::Stop);
        let origin = Relayed::Origin(response.origin.clone());
        assert_eq!(origin.id(), Some("chatcmpl-7"));
        assert_eq!(origin.usage(), None);
        let last = Relayed::Done(Box::new(response));
        assert_eq!(last.usage(), Some(all()));
        assert!(last.finish_reasons().iter().eq(["stop"]));
    }

    #[test]
    fn embeddings_have_their_input() {
        let mut response = EmbeddingResponse::new(Vec::new());
        assert_eq!(Response::usage(&response), None);
        response.usage = Counts::new().input_tokens(8);
        response.model = Some("text-embedding-3-small".to_owned());
        assert_eq!(response.model(), Some("text-embedding-3-small"));
        assert_eq!(Response::usage(&response), Some(Usage::new(8, None)));
    }
}
