//! What generated code notes of an operation of a model.

use std::{any::Any, sync::Arc};

use super::GenAi;
use crate::{
    genai::{
        Response, Retrieved, Usage, answer::MAX_TEXT, content_type::RawContent, kinds,
        ledger::Ledger, state::GenAiState,
    },
    kernel::{
        context, dispatch,
        operation::OperationFacts,
        pool::prefix,
        scope::{CallScope, HasOperation},
        stream::ItemScope,
        value::Value,
    },
};

/// Makes the call an operation of a model.
pub fn start(call: &mut CallScope, facts: &'static OperationFacts) {
    let state = dispatch::with_extension(|shared, _: &GenAiState| shared.clone().downcast().ok());
    let state: Option<Arc<GenAiState>> = state.flatten();
    let Some(state) = state else { return };
    state.prepare();
    let call_made = context::look(|current| (current.site, current.trace));
    let above = context::look_ambient(|ambient| ambient.shared.clone());
    let ledger = Ledger::new(
        call_made.unwrap_or_default(),
        kinds::is_of_model(facts.name),
        above.flatten(),
    );
    let tenant = context::look_ambient(|ambient| state.tenant(ambient));
    let mut operation = GenAi::new(facts, state, ledger.clone());
    operation.tenant = tenant.flatten();
    call.perform(Box::new(operation), ledger);
}

macro_rules! subjects {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        pub fn $name(call: &mut CallScope, value: Option<Value>) {
            if let Some(operation) = of(call) {
                operation.about.$name = value.and_then(name);
            }
        }
    )+};
}

subjects! {
    /// Notes the provider.
    provider
    /// Notes the model that is asked.
    model
    /// Notes the tool.
    tool
    /// Notes the agent.
    agent
    /// Notes where documents are searched.
    data_source
}

/// Notes what an answer, or a chunk of one, says of itself.
#[inline]
pub fn response(call: &mut impl HasOperation, said: Option<&dyn Response>) {
    if let Some(said) = said
        && let Some(operation) = of(call)
    {
        operation.answer.take(said);
    }
}

/// Notes the tokens that the attribute's own closure returned. They go before those of the answer.
#[inline]
pub fn usage(call: &mut impl HasOperation, usage: Option<Usage>) {
    if let Some(usage) = usage
        && let Some(operation) = of(call)
    {
        operation.stated.take_usage(usage);
    }
}

/// Notes what a search has found.
pub fn retrieved(call: &mut CallScope, found: Option<&dyn Retrieved>) {
    let Some(found) = found else { return };
    let (documents, top_score) = (found.documents(), found.top_score());
    let documents = u64::try_from(documents).unwrap_or(u64::MAX);
    if let Some(operation) = of(call) {
        operation.retrieved = Some((documents, top_score));
    }
    call.items_unless_set(documents);
}

/// Notes what the operation is given, where that is captured; `content` is not evaluated otherwise.
pub fn input(call: &mut CallScope, content: impl FnOnce() -> RawContent) {
    if let Some(operation) = of(call)
        && operation.state.capture.input
    {
        operation
            .content
            .get_or_insert_default()
            .set_input(content());
    }
}

/// Notes what it returns, where that is captured.
pub fn output(call: &mut CallScope, content: impl FnOnce() -> RawContent) {
    if let Some(operation) = of(call)
        && operation.state.capture.output
    {
        operation
            .content
            .get_or_insert_default()
            .set_output(content());
    }
}

/// Notes a chunk of what it returns, where that is captured.
#[inline]
pub fn output_chunk(call: &mut ItemScope<'_>, content: impl FnOnce() -> RawContent) {
    if let Some(operation) = of(call)
        && operation.state.capture.output
    {
        let settings = operation.state.capture;
        let all = operation.content.get_or_insert_default();
        all.add_chunk(content(), settings);
    }
}

/// Returns the call's operation, where it is one of a model.
#[inline]
fn of(call: &mut impl HasOperation) -> Option<&mut GenAi> {
    let operation: &mut dyn Any = call.operation()?;
    operation.downcast_mut()
}

fn name(value: Value) -> Option<String> {
    let text = match value {
        Value::Str(text) => text,
        other => other.to_string(),
    };
    let name = prefix(text.trim(), MAX_TEXT);
    (!name.is_empty()).then(|| name.to_owned())
}
