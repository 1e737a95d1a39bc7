//! The operations of the GenAI conventions 1.41.1: what the attribute's `operation = chat` stands for.

use super::names::ATTRIBUTES;
use crate::kernel::operation::{OperationFacts, SpanKind};

const fn operation(name: &'static str, kind: SpanKind) -> OperationFacts {
    OperationFacts {
        name,
        kind,
        attributes: ATTRIBUTES,
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $constant:ident: $name:literal, $kind:ident;)+) => {
        $($(#[$doc])* pub static $constant: OperationFacts = operation($name, SpanKind::$kind);)+

        /// All of them.
        #[cfg(test)]
        pub(crate) static ALL: &[&OperationFacts] = &[$(&$constant),+];
    };
}

operations! {
    /// A chat.
    CHAT: "chat", Client;
    /// Content of any modality.
    GENERATE_CONTENT: "generate_content", Client;
    /// A completion of a text.
    TEXT_COMPLETION: "text_completion", Client;
    /// Embeddings.
    EMBEDDINGS: "embeddings", Client;
    /// A search in a data source.
    RETRIEVAL: "retrieval", Client;
    /// The run of a tool.
    EXECUTE_TOOL: "execute_tool", Internal;
    /// The creation of an agent at a provider.
    CREATE_AGENT: "create_agent", Client;
    /// The run of an agent in this process.
    INVOKE_AGENT: "invoke_agent", Internal;
    /// The run of a workflow.
    INVOKE_WORKFLOW: "invoke_workflow", Internal;
}

/// Returns whether an operation is one request to a model, which takes tokens.
pub(crate) fn is_of_model(name: &str) -> bool {
    let of_models = [&CHAT, &GENERATE_CONTENT, &TEXT_COMPLETION, &EMBEDDINGS];
    of_models.iter().any(|operation| operation.name == name)
}
