//! Errors that pass up through several calls: told once, by the first that has anybody to tell.

use crate::{
    call::{Below, Extra, Ids},
    context,
    record::ErrorInfo,
};

/// Leaves the error with the call above, which may pass it on.
pub(super) fn on(ids: Ids, error: Box<ErrorInfo>, told: bool) {
    context::change(|current| {
        if current.site.is_some() && current.span == ids.parent {
            let below = Below { error, told };
            current.extra.get_or_insert_with(Extra::fresh).below = Some(below);
        }
    });
}

/// Returns whether `error` is `below` again: the same, or one that wraps or quotes it.
pub(super) fn is_same(error: &ErrorInfo, below: &ErrorInfo) -> bool {
    if below.message.is_empty() {
        return error.type_name == below.type_name;
    }
    std::iter::once(&error.message)
        .chain(&error.chain)
        .any(|text| text.contains(&below.message))
        || matches!((error.chain.last(), below.chain.last()), (Some(a), Some(b)) if a == b)
}

/// Says in a request's error which call below it failed: a status has no text of its own to know
/// the failure by, so the latest one below is taken for its cause.
pub(super) fn explain(error: &mut ErrorInfo, below: &ErrorInfo) {
    if !is_same(error, below) {
        error.chain.push(below.message.clone());
        error.chain.extend(below.chain.iter().cloned());
    }
}
