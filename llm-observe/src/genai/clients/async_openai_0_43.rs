//! The types of `async-openai` 0.43: chat, completions, responses, embeddings, and their streams.

use async_openai_0_43::types::{
    chat::{
        CompletionFinishReason, CompletionUsage, CreateChatCompletionResponse,
        CreateChatCompletionStreamResponse, FinishReason,
    },
    completions::CreateCompletionResponse,
    embeddings::{CreateBase64EmbeddingResponse, CreateEmbeddingResponse, EmbeddingUsage},
    responses::{Response as Answer, ResponseStreamEvent, ResponseUsage, Status},
};

use crate::genai::{FinishReasons, Response, Usage, json::TokenCounts};

/// Implements [`Response`] for types with `id`, `model`, `usage` and `choices`.
macro_rules! with_choices {
    ($($response:ty => $reason:path),+) => {$(
        impl Response for $response {
            fn model(&self) -> Option<&str> {
                Some(&self.model)
            }

            fn id(&self) -> Option<&str> {
                Some(&self.id)
            }

            fn finish_reasons(&self) -> FinishReasons<'_> {
                self.choices
                    .iter()
                    .filter_map(|choice| choice.finish_reason.as_ref().map($reason))
                    .collect()
            }

            fn usage(&self) -> Option<Usage> {
                self.usage.as_ref().map(chat_usage)
            }
        }
    )+};
}

with_choices!(
    CreateChatCompletionResponse => chat_reason,
    CreateChatCompletionStreamResponse => chat_reason,
    CreateCompletionResponse => completion_reason
);

/// Returns what OpenAI calls the reason.
fn chat_reason(reason: &FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::FunctionCall => "function_call",
    }
}

fn completion_reason(reason: &CompletionFinishReason) -> &'static str {
    match reason {
        CompletionFinishReason::Stop => "stop",
        CompletionFinishReason::Length => "length",
        CompletionFinishReason::ContentFilter => "content_filter",
    }
}

/// Other providers that are compatible with OpenAI are read with this crate too, so their rules hold.
fn chat_usage(usage: &CompletionUsage) -> Usage {
    let input = usage.prompt_tokens_details.as_ref();
    let output = usage.completion_tokens_details.as_ref();
    TokenCounts {
        input: Some(usage.prompt_tokens.into()),
        output: Some(usage.completion_tokens.into()),
        total: Some(usage.total_tokens.into()),
        cache_read: input
            .and_then(|details| details.cached_tokens)
            .map(u64::from),
        cache_creation: input.and_then(|details| written(details.cache_write_tokens)),
        reasoning: output
            .and_then(|details| details.reasoning_tokens)
            .map(u64::from),
        ..TokenCounts::default()
    }
    .usage()
}

fn written(tokens: Option<i64>) -> Option<u64> {
    tokens.and_then(|tokens| tokens.try_into().ok())
}

impl Response for Answer {
    fn model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    /// The final state; the reason where the response is incomplete.
    fn finish_reasons(&self) -> FinishReasons<'_> {
        let details = self.incomplete_details.as_ref();
        let reason = details.map(|details| details.reason.as_str());
        reason.or_else(|| final_state(&self.status)).into()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage.as_ref().map(response_usage)
    }
}

fn final_state(status: &Status) -> Option<&'static str> {
    match status {
        Status::Completed => Some("completed"),
        Status::Failed => Some("failed"),
        Status::Cancelled => Some("cancelled"),
        Status::Incomplete => Some("incomplete"),
        Status::InProgress | Status::Queued => None,
    }
}

fn response_usage(usage: &ResponseUsage) -> Usage {
    let input = &usage.input_tokens_details;
    TokenCounts {
        input: Some(usage.input_tokens.into()),
        output: Some(usage.output_tokens.into()),
        total: Some(usage.total_tokens.into()),
        cache_read: Some(input.cached_tokens.into()),
        cache_creation: written(input.cache_write_tokens),
        reasoning: Some(usage.output_tokens_details.reasoning_tokens.into()),
        ..TokenCounts::default()
    }
    .usage()
}

/// The first and the last events have the response. The others say nothing.
impl Response for ResponseStreamEvent {
    fn model(&self) -> Option<&str> {
        answer(self)?.model()
    }

    fn id(&self) -> Option<&str> {
        answer(self)?.id()
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        answer(self).map_or_else(FinishReasons::none, Response::finish_reasons)
    }

    fn usage(&self) -> Option<Usage> {
        answer(self)?.usage()
    }
}

fn answer(event: &ResponseStreamEvent) -> Option<&Answer> {
    match event {
        ResponseStreamEvent::ResponseCreated(event) => Some(&event.response),
        ResponseStreamEvent::ResponseQueued(event) => Some(&event.response),
        ResponseStreamEvent::ResponseInProgress(event) => Some(&event.response),
        ResponseStreamEvent::ResponseCompleted(event) => Some(&event.response),
        ResponseStreamEvent::ResponseFailed(event) => Some(&event.response),
        ResponseStreamEvent::ResponseIncomplete(event) => Some(&event.response),
        _ => None,
    }
}

impl Response for CreateEmbeddingResponse {
    fn model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn usage(&self) -> Option<Usage> {
        Some(embedding_usage(&self.usage))
    }
}

impl Response for CreateBase64EmbeddingResponse {
    fn model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn usage(&self) -> Option<Usage> {
        Some(embedding_usage(&self.usage))
    }
}

fn embedding_usage(usage: &EmbeddingUsage) -> Usage {
    Usage::new(u64::from(usage.prompt_tokens), None)
}

#[cfg(test)]
mod tests {
    use serde_json::from_str;

    use super::*;
    use crate::genai::json::cases::agree;

    #[test]
    fn its_types_say_what_the_body_says() {
        agree(
            from_str::<CreateChatCompletionResponse>,
            &[
                "OpenAI chat",
                "OpenRouter",
                "xAI, which counts reasoning in the total alone",
            ],
        );
        agree(
            from_str::<CreateChatCompletionStreamResponse>,
            &[
                "OpenAI chat, a chunk with text",
                "OpenAI chat, the chunk with the reason",
                "OpenAI chat, the chunk with the usage",
            ],
        );
        agree(from_str::<CreateCompletionResponse>, &["OpenAI completion"]);
        agree(from_str::<CreateEmbeddingResponse>, &["OpenAI embeddings"]);
        agree(from_str::<Answer>, &["OpenAI responses"]);
        agree(
            from_str::<ResponseStreamEvent>,
            &[
                "OpenAI responses, created",
                "OpenAI responses, a delta",
                "OpenAI responses, incomplete",
            ],
        );
    }
}
