//! The operations of models when the feature `genai` is off: the same functions, without effect.

use std::future::Future;

use crate::{
    genai::{
        EvaluatorOutput, Response, Retrieved, Usage, content_type::RawContent, quality::Score,
    },
    kernel::{
        operation::OperationFacts,
        scope::{CallScope, HasOperation},
        stream::ItemScope,
        value::Value,
    },
};

/// Takes no note of an operation.
pub fn start(_: &mut CallScope, _: &'static OperationFacts) {}

/// Takes no note of what an operation is about.
pub fn provider(_: &mut CallScope, _: Option<Value>) {}

pub use self::{provider as agent, provider as data_source, provider as model, provider as tool};

/// Takes no note of an answer.
#[inline]
pub fn response(_: &mut impl HasOperation, _: Option<&dyn Response>) {}

/// Takes no note of tokens.
#[inline]
pub fn usage(_: &mut impl HasOperation, _: Option<Usage>) {}

/// Takes no note of what a search has found.
pub fn retrieved(_: &mut CallScope, _: Option<&dyn Retrieved>) {}

/// Records no score.
pub(super) fn record(_: &Score) {}

/// Evaluates nothing.
pub fn evaluate<T, F, O>(
    _: &mut CallScope,
    _: &'static str,
    _: f64,
    _: impl FnOnce() -> T,
    _: impl FnOnce(T) -> F + Send + Sync + 'static,
) where
    T: Send + 'static,
    F: Future<Output = O> + Send + 'static,
    O: EvaluatorOutput + 'static,
{
}

/// Takes no note of messages.
pub fn input(_: &mut CallScope, _: impl FnOnce() -> RawContent) {}

pub use self::input as output;

/// Takes no note of messages.
#[inline]
pub fn output_chunk(_: &mut ItemScope<'_>, _: impl FnOnce() -> RawContent) {}
