//! Errors that pass up through several calls: told once, by the first that has anybody to tell.

use crate::kernel::{
    call::{Below, Extra, Ids},
    context,
    error_info::ErrorInfo,
    outcome::ErrorClass,
    request::STATUS,
};

/// Leaves the error with the call above, which may pass it on.
pub(super) fn on(ids: Ids, below: Below) {
    context::change(|current| {
        if current.site.is_some() && current.span == ids.parent {
            current.extra.get_or_insert_with(Extra::fresh).below = Some(below);
        }
    });
}

/// Returns whether `error` is `below` again: the same, or one that wraps or quotes it.
fn is_same(error: &ErrorInfo, below: &ErrorInfo) -> bool {
    if below.message.is_empty() {
        return error.type_name == below.type_name;
    }
    std::iter::once(&error.message)
        .chain(&error.chain)
        .any(|text| text.contains(&below.message))
        || matches!((error.chain.last(), below.chain.last()), (Some(a), Some(b)) if a == b)
}

/// Returns whether the failure had been recorded with `below`, and whether somebody was told of it
/// there. `bare`: it is a status, whose cause nobody was to hear of has not been heard of.
pub(super) fn known(error: &ErrorInfo, below: &Below, bare: bool) -> (bool, bool) {
    let again = match bare {
        true => below.reported,
        false => is_same(error, &below.error),
    };
    (again, below.told && (again || bare))
}

/// Leaves an error that says nothing of its class the one that it had where it began: a limit that
/// an error of the program's own stands for, or a wrapper that has no source.
pub(super) fn keep_class(error: &mut ErrorInfo, below: &ErrorInfo) {
    if error.class == ErrorClass::Other {
        error.class = below.class;
    }
}

/// Returns whether a request failed in nothing but its status, which has no text of its own to know
/// the failure by: the latest one below is taken for its cause.
pub(super) fn is_bare_status(error: &ErrorInfo) -> bool {
    error.type_name == STATUS
}

/// Says in the error of such a request which call below it failed.
pub(super) fn explain(error: &mut ErrorInfo, below: &ErrorInfo) {
    if !is_same(error, below) {
        error.chain.push(below.message.clone());
        error.chain.extend(below.chain.iter().cloned());
    }
}
