//! The table of formats in which providers report tokens.
//!
//! The address at each format is the page that it follows. `genai-prices` 0.2.1 maps the same fields (its
//! `extractors`).

use super::counts::Path;

/// Where the counts of one format are, in the object that holds them.
pub(super) struct UsageFormat {
    /// An object with any of these is of this format.
    pub(super) marks: &'static [Path],
    pub(super) input: &'static [Path],
    pub(super) output: &'static [Path],
    pub(super) total: &'static [Path],
    pub(super) cache_read: &'static [Path],
    pub(super) cache_creation: &'static [Path],
    pub(super) reasoning: &'static [Path],
    pub(super) tool_results: &'static [Path],
    pub(super) cache_is_apart: bool,
    pub(super) reasoning_is_apart: bool,
}

const EMPTY: UsageFormat = UsageFormat {
    marks: &[],
    input: &[],
    output: &[],
    total: &[],
    cache_read: &[],
    cache_creation: &[],
    reasoning: &[],
    tool_results: &[],
    cache_is_apart: false,
    reasoning_is_apart: false,
};

/// The formats. The first one that an object has a mark of is the one.
pub(super) const FORMATS: &[UsageFormat] = &[
    PERPLEXITY, CHAT, RESPONSES, ANTHROPIC, GEMINI, OLLAMA, COHERE, CONVERSE, TOTAL,
];

/// Chat of Perplexity is OpenAI's with one difference: what its research takes is counted apart.
/// <https://docs.perplexity.ai/api-reference/chat-completions-post>
const PERPLEXITY: UsageFormat = UsageFormat {
    marks: &[&["citation_tokens"]],
    reasoning: &[&["reasoning_tokens"]],
    reasoning_is_apart: true,
    ..CHAT
};

/// Chat, completions and embeddings of OpenAI, and of all that are compatible.
/// <https://platform.openai.com/docs/api-reference/chat/object>
///
/// | provider | what it adds |
/// |---|---|
/// | DeepSeek | `prompt_cache_hit_tokens` <https://api-docs.deepseek.com/api/create-chat-completion> |
/// | Moonshot | `cached_tokens` <https://platform.moonshot.ai/docs/api/chat> |
/// | Mistral | `num_cached_tokens` <https://docs.mistral.ai/api/endpoint/chat> |
/// | OpenRouter | `cache_write_tokens` <https://openrouter.ai/docs/use-cases/usage-accounting> |
/// | LiteLLM, Databricks | Anthropic's names; included in the prompt, unlike Anthropic's own <https://docs.litellm.ai/docs/completion/prompt_caching> |
const CHAT: UsageFormat = UsageFormat {
    marks: &[&["prompt_tokens"], &["completion_tokens"]],
    input: &[&["prompt_tokens"]],
    output: &[&["completion_tokens"]],
    total: &[&["total_tokens"]],
    cache_read: &[
        &["prompt_tokens_details", "cached_tokens"],
        &["prompt_cache_hit_tokens"],
        &["cached_tokens"],
        &["num_cached_tokens"],
        &["cache_read_input_tokens"],
    ],
    cache_creation: &[
        &["prompt_tokens_details", "cache_write_tokens"],
        &["cache_creation_input_tokens"],
    ],
    reasoning: &[
        &["completion_tokens_details", "reasoning_tokens"],
        &["reasoning_tokens"],
    ],
    ..EMPTY
};

/// Responses of OpenAI; with the singular, its realtime API.
/// <https://platform.openai.com/docs/api-reference/responses/object>
/// <https://platform.openai.com/docs/api-reference/realtime-server-events/response/done>
const RESPONSES: UsageFormat = UsageFormat {
    marks: &[
        &["input_tokens_details"],
        &["input_token_details"],
        &["output_tokens_details", "reasoning_tokens"],
    ],
    input: &[&["input_tokens"]],
    output: &[&["output_tokens"]],
    total: &[&["total_tokens"]],
    cache_read: &[
        &["input_tokens_details", "cached_tokens"],
        &["input_token_details", "cached_tokens"],
    ],
    cache_creation: &[&["input_tokens_details", "cache_write_tokens"]],
    reasoning: &[&["output_tokens_details", "reasoning_tokens"]],
    ..EMPTY
};

/// Messages of Anthropic, on Vertex and Bedrock too. `input_tokens` are those after the last cache
/// breakpoint; all input is the sum of three. In a stream the counts of `message_delta` are cumulative.
/// <https://docs.claude.com/en/api/messages>
/// <https://docs.claude.com/en/docs/build-with-claude/streaming>
const ANTHROPIC: UsageFormat = UsageFormat {
    marks: &[
        &["input_tokens"],
        &["output_tokens"],
        &["cache_read_input_tokens"],
        &["cache_creation_input_tokens"],
    ],
    input: &[&["input_tokens"]],
    output: &[&["output_tokens"]],
    cache_read: &[&["cache_read_input_tokens"]],
    cache_creation: &[&["cache_creation_input_tokens"]],
    reasoning: &[&["output_tokens_details", "thinking_tokens"]],
    cache_is_apart: true,
    ..EMPTY
};

/// `usageMetadata` of Gemini. The prompt includes cached content, and not the results of tools; candidates
/// do not include thoughts.
/// <https://ai.google.dev/api/generate-content#UsageMetadata>
/// <https://ai.google.dev/api/embeddings#EmbedContentResponse>
const GEMINI: UsageFormat = UsageFormat {
    marks: &[
        &["promptTokenCount"],
        &["candidatesTokenCount"],
        &["thoughtsTokenCount"],
    ],
    input: &[&["promptTokenCount"]],
    output: &[&["candidatesTokenCount"]],
    cache_read: &[&["cachedContentTokenCount"]],
    reasoning: &[&["thoughtsTokenCount"]],
    tool_results: &[&["toolUsePromptTokenCount"]],
    reasoning_is_apart: true,
    ..EMPTY
};

/// Ollama, whose counts stand in the response itself.
/// <https://github.com/ollama/ollama/blob/main/docs/api.md>
const OLLAMA: UsageFormat = UsageFormat {
    marks: &[&["prompt_eval_count"], &["eval_count"]],
    input: &[&["prompt_eval_count"]],
    output: &[&["eval_count"]],
    ..EMPTY
};

/// Cohere. Billed tokens come first: the conventions ask for them where the two differ.
/// <https://docs.cohere.com/reference/chat> <https://docs.cohere.com/reference/embed>
const COHERE: UsageFormat = UsageFormat {
    marks: &[&["billed_units"], &["tokens"]],
    input: &[
        &["billed_units", "input_tokens"],
        &["tokens", "input_tokens"],
    ],
    output: &[
        &["billed_units", "output_tokens"],
        &["tokens", "output_tokens"],
    ],
    ..EMPTY
};

/// Converse of Amazon Bedrock. As with Anthropic, `inputTokens` do not include cached ones.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
const CONVERSE: UsageFormat = UsageFormat {
    marks: &[&["inputTokens"], &["outputTokens"]],
    input: &[&["inputTokens"]],
    output: &[&["outputTokens"]],
    cache_read: &[&["cacheReadInputTokens"]],
    cache_creation: &[&["cacheWriteInputTokens"]],
    cache_is_apart: true,
    ..EMPTY
};

/// A total alone, as embeddings of Voyage have it.
/// <https://docs.voyageai.com/reference/embeddings-api>
const TOTAL: UsageFormat = UsageFormat {
    marks: &[&["total_tokens"]],
    total: &[&["total_tokens"]],
    ..EMPTY
};
