//! The operations of models when the feature `genai` is off: the same functions, without effect.

use crate::{
    genai::{Response, Usage, content_type::RawContent},
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

/// Takes no note of messages.
pub fn input(_: &mut CallScope, _: impl FnOnce() -> RawContent) {}

pub use self::input as output;

/// Takes no note of messages.
#[inline]
pub fn output_chunk(_: &mut ItemScope<'_>, _: impl FnOnce() -> RawContent) {}
