//! What a model's answer says of itself: model, id, finish reasons, tokens, cost.
//!
//! [`Response`] is the one trait. It needs no feature, so that any crate can implement it for its own
//! types:
//!
//! ```
//! use llm_observe::genai::{FinishReasons, Response, Usage};
//!
//! struct Answer {
//!     text: String,
//!     prompt_tokens: u64,
//!     answer_tokens: Option<u64>,
//!     stopped_by: String,
//! }
//!
//! impl Response for Answer {
//!     fn finish_reasons(&self) -> FinishReasons<'_> {
//!         self.stopped_by.as_str().into()
//!     }
//!
//!     fn usage(&self) -> Option<Usage> {
//!         Some(Usage::new(self.prompt_tokens, self.answer_tokens))
//!     }
//! }
//! ```
//!
//! | feature | implements [`Response`] for |
//! |---|---|
//! | `genai` | `serde_json::Value`: the bodies and stream chunks of all usual APIs |
//! | `async-openai-0_43` | responses, stream chunks and embeddings of `async-openai` 0.43 |
//! | `genai-0_7` | responses, stream events and embeddings of `genai` 0.7 |
//! | `ollama-rs-0_3` | responses, stream chunks and embeddings of `ollama-rs` 0.3 |
//! | `rig-core-0_44` | responses, relayed stream items and embeddings of `rig-core` 0.44 |
//!
//! `docs/genai.md` has the table of shapes and fields. This module knows nothing of calls, metrics or HTTP.

#[cfg(feature = "genai")]
pub(crate) mod answer;
#[cfg(feature = "genai")]
mod budgets;
#[cfg(feature = "genai")]
mod chunk_times;
#[cfg(feature = "genai")]
mod dollars;
mod finish_reasons;
#[cfg(feature = "genai")]
pub(crate) mod json;
#[doc(hidden)]
pub mod kinds;
#[cfg(feature = "genai")]
mod ledger;
#[cfg(feature = "genai")]
pub(crate) mod metrics;
pub(crate) mod names;
#[cfg(feature = "genai")]
#[doc(hidden)]
pub mod operation;
#[cfg(not(feature = "genai"))]
#[doc(hidden)]
#[path = "../absent/genai.rs"]
pub mod operation;
#[cfg(feature = "genai")]
pub(crate) mod prices;
#[cfg(feature = "genai")]
mod recorder;
#[cfg(feature = "http-client")]
pub(crate) mod request;
mod response;
#[doc(hidden)]
pub mod response_type;
#[cfg(feature = "genai")]
pub(crate) mod state;
#[doc(hidden)]
pub mod tokens;
mod usage;

// One file for each client crate. A third-party type appears in its file only.
#[cfg(any(
    feature = "async-openai-0_43",
    feature = "genai-0_7",
    feature = "ollama-rs-0_3",
    feature = "rig-core-0_44"
))]
mod clients;

#[cfg(feature = "genai")]
pub use budgets::{Budget, budget};
pub use finish_reasons::FinishReasons;
#[cfg(feature = "genai")]
pub use prices::{Cost, PriceSource, PriceTable, Prices, TableSource};
pub use response::Response;
pub use usage::Usage;

/// Operations of models as a kind of operation.
#[cfg(feature = "genai")]
pub(crate) const KIND: crate::observer::OperationKind = crate::observer::OperationKind {
    setup: |setup| std::sync::Arc::new(state::GenAiState::new(setup)),
    flush: |kept, limit, last| {
        if let Some(state) = kept.downcast_ref::<state::GenAiState>() {
            state.budgets.flush(limit, last);
        }
    },
    metrics: metrics::TABLE,
};
