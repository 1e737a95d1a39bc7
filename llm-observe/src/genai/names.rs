//! All names of the OpenTelemetry GenAI conventions that the runtime uses: attributes, and what their
//! values are. Version 1.41.1, and where the unreleased ones differ, both.

use llm_observe_config::Conventions;

pub(crate) const OPERATION: &str = "gen_ai.operation.name";
pub(crate) const PROVIDER: &str = "gen_ai.provider.name";
pub(crate) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(crate) const REQUEST_STREAM: &str = "gen_ai.request.stream";
pub(crate) const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub(crate) const RESPONSE_ID: &str = "gen_ai.response.id";
pub(crate) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(crate) const FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
pub(crate) const INPUT: &str = "gen_ai.usage.input_tokens";
pub(crate) const OUTPUT: &str = "gen_ai.usage.output_tokens";
pub(crate) const CACHE_READ: &str = "gen_ai.usage.cache_read.input_tokens";
pub(crate) const CACHE_CREATION: &str = "gen_ai.usage.cache_creation.input_tokens";
/// The name of [`CACHE_CREATION`] in the unreleased conventions.
pub(crate) const CACHE_WRITE: &str = "gen_ai.usage.cache_write.input_tokens";
pub(crate) const REASONING: &str = "gen_ai.usage.reasoning.output_tokens";
pub(crate) const TOOL: &str = "gen_ai.tool.name";
pub(crate) const AGENT: &str = "gen_ai.agent.name";
pub(crate) const INPUT_MESSAGES: &str = "gen_ai.input.messages";
pub(crate) const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
pub(crate) const TOOL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
pub(crate) const TOOL_RESULT: &str = "gen_ai.tool.call.result";
pub(crate) const QUERY_TEXT: &str = "gen_ai.retrieval.query.text";
pub(crate) const DOCUMENTS: &str = "gen_ai.retrieval.documents";
pub(crate) const DATA_SOURCE: &str = "gen_ai.data_source.id";

/// The event of a score.
pub(crate) const EVALUATION_RESULT: &str = "gen_ai.evaluation.result";
pub(crate) const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
pub(crate) const EVALUATION_VALUE: &str = "gen_ai.evaluation.score.value";
pub(crate) const EVALUATION_LABEL: &str = "gen_ai.evaluation.score.label";
pub(crate) const EVALUATION_EXPLANATION: &str = "gen_ai.evaluation.explanation";
pub(crate) const ERROR_TYPE: &str = "error.type";
pub(crate) const EXCEPTION_MESSAGE: &str = "exception.message";

/// The conventions have no name for a cost yet. This one is what other tools use.
pub(crate) const COST: &str = "gen_ai.usage.cost";
/// Where a cost comes from: `provider`, `override` or `table`.
pub(crate) const COST_SOURCE: &str = "llm_observe.cost_source";

/// The attributes that every operation may have: those of an answer, and of what it took.
pub(crate) const ATTRIBUTES: &[&str] = &[
    OPERATION,
    PROVIDER,
    REQUEST_MODEL,
    REQUEST_STREAM,
    RESPONSE_MODEL,
    RESPONSE_ID,
    FINISH_REASONS,
    FIRST_CHUNK,
    INPUT,
    OUTPUT,
    CACHE_READ,
    CACHE_CREATION,
    CACHE_WRITE,
    REASONING,
    TOOL,
    AGENT,
    DATA_SOURCE,
    INPUT_MESSAGES,
    OUTPUT_MESSAGES,
    TOOL_ARGUMENTS,
    TOOL_RESULT,
    QUERY_TEXT,
    DOCUMENTS,
    COST,
    COST_SOURCE,
];

/// Returns the names of what an operation is given and of what it returns.
pub(crate) fn content(operation: &str) -> [&'static str; 2] {
    match operation {
        "execute_tool" => [TOOL_ARGUMENTS, TOOL_RESULT],
        "retrieval" => [QUERY_TEXT, DOCUMENTS],
        _ => [INPUT_MESSAGES, OUTPUT_MESSAGES],
    }
}

/// Returns the name of the tokens that were written to a cache.
pub(crate) const fn cache_creation(conventions: Conventions) -> &'static str {
    match conventions {
        Conventions::Latest => CACHE_WRITE,
        _ => CACHE_CREATION,
    }
}
