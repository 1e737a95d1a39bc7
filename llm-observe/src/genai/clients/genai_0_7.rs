//! The types of `genai` 0.7: chat responses, events of their streams, and embeddings.
//!
//! The crate brings the counts of all providers to one meaning, the one used here: cached tokens are in the
//! prompt, reasoning is in the completion.

use genai_0_7::{
    ModelIden,
    chat::{ChatResponse, ChatStreamEvent, StopReason, StreamEnd, Usage as Counts},
    embed::EmbedResponse,
};

use crate::genai::{FinishReasons, Response, Usage};

impl Response for ChatResponse {
    fn model(&self) -> Option<&str> {
        model(&self.provider_model_iden)
    }

    fn id(&self) -> Option<&str> {
        self.response_id.as_deref()
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        self.stop_reason.as_ref().map(StopReason::raw).into()
    }

    fn usage(&self) -> Option<Usage> {
        usage(&self.usage)
    }
}

/// The end of a stream has the usage where the option `capture_usage` is set.
impl Response for StreamEnd {
    fn id(&self) -> Option<&str> {
        self.captured_response_id.as_deref()
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        self.captured_stop_reason
            .as_ref()
            .map(StopReason::raw)
            .into()
    }

    fn usage(&self) -> Option<Usage> {
        usage(self.captured_usage.as_ref()?)
    }
}

/// The last event has all. The others say nothing.
impl Response for ChatStreamEvent {
    fn id(&self) -> Option<&str> {
        end(self)?.id()
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        end(self).map_or_else(FinishReasons::none, Response::finish_reasons)
    }

    fn usage(&self) -> Option<Usage> {
        end(self)?.usage()
    }
}

fn end(event: &ChatStreamEvent) -> Option<&StreamEnd> {
    match event {
        ChatStreamEvent::End(end) => Some(end),
        _ => None,
    }
}

impl Response for EmbedResponse {
    fn model(&self) -> Option<&str> {
        model(&self.provider_model_iden)
    }

    fn usage(&self) -> Option<Usage> {
        usage(&self.usage)
    }
}

fn model(iden: &ModelIden) -> Option<&str> {
    Some(iden.model_name.as_str())
}

fn usage(counts: &Counts) -> Option<Usage> {
    let known = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
    let input = counts.prompt_tokens_details.as_ref();
    let output = counts.completion_tokens_details.as_ref();
    let usage = Usage::new(known(counts.prompt_tokens), known(counts.completion_tokens))
        .with_cache_read(known(input.and_then(|details| details.cached_tokens)))
        .with_cache_creation(known(
            input.and_then(|details| details.cache_creation_tokens),
        ))
        .with_reasoning(known(output.and_then(|details| details.reasoning_tokens)));
    (usage != Usage::default()).then_some(usage)
}

#[cfg(test)]
mod tests {
    use genai_0_7::adapter::AdapterKind;
    use serde_json::json;

    use super::*;

    fn counts() -> Counts {
        let counts = json!({
            "prompt_tokens": 812, "completion_tokens": 203, "total_tokens": 1015,
            "prompt_tokens_details": {"cached_tokens": 700, "cache_creation_tokens": 100},
            "completion_tokens_details": {"reasoning_tokens": 64},
        });
        serde_json::from_value(counts).unwrap()
    }

    fn all() -> Usage {
        Usage::new(812, 203)
            .with_cache_read(700)
            .with_cache_creation(100)
            .with_reasoning(64)
    }

    fn asked() -> ModelIden {
        ModelIden::new(AdapterKind::OpenAI, "gpt-4o")
    }

    fn answered() -> ModelIden {
        ModelIden::new(AdapterKind::OpenAI, "gpt-4o-2024-08-06")
    }

    #[test]
    fn a_response_says_all() {
        let response = ChatResponse {
            content: "Hi.".into(),
            reasoning_content: None,
            model_iden: asked(),
            provider_model_iden: answered(),
            stop_reason: Some(StopReason::from("end_turn".to_owned())),
            usage: counts(),
            captured_raw_body: None,
            response_id: Some("resp_1".to_owned()),
        };
        assert_eq!(response.model(), Some("gpt-4o-2024-08-06"));
        assert_eq!(response.id(), Some("resp_1"));
        assert!(response.finish_reasons().iter().eq(["end_turn"]));
        assert_eq!(response.usage(), Some(all()));
    }

    #[test]
    fn the_end_of_a_stream_says_all() {
        let end = StreamEnd {
            captured_usage: Some(counts()),
            captured_stop_reason: Some(StopReason::from("length".to_owned())),
            captured_response_id: Some("resp_1".to_owned()),
            ..StreamEnd::default()
        };
        let event = ChatStreamEvent::End(end);
        assert_eq!(event.id(), Some("resp_1"));
        assert!(event.finish_reasons().iter().eq(["length"]));
        assert_eq!(event.usage(), Some(all()));
        assert_eq!(ChatStreamEvent::Start.usage(), None);
        assert!(ChatStreamEvent::Heartbeat.finish_reasons().is_empty());
        assert_eq!(ChatStreamEvent::End(StreamEnd::default()).usage(), None);
    }

    #[test]
    fn embeddings_have_their_input() {
        let counts = Counts {
            prompt_tokens: Some(8),
            completion_tokens: Some(-1),
            ..Counts::default()
        };
        let response = EmbedResponse::new(Vec::new(), asked(), answered(), counts);
        assert_eq!(response.model(), Some("gpt-4o-2024-08-06"));
        assert_eq!(response.usage(), Some(Usage::new(8, None)));
        let silent = EmbedResponse::new(Vec::new(), asked(), answered(), Counts::default());
        assert_eq!(silent.usage(), None);
    }
}
