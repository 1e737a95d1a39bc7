//! Errors that pass up through several calls: alerted once, by the first call that has a rule for
//! it, and reported once, where they began.

use crate::kernel::{
    context,
    error_info::ErrorInfo,
    extra::{CallIds, ChildFailure, Extra},
    outcome::ErrorClass,
};

/// Leaves a failure with the call above, which may pass it on.
pub(super) fn leave(ids: CallIds, failure: ChildFailure) {
    context::change(|current| {
        if current.site.is_some() && current.span == ids.parent {
            current.extra.get_or_insert_with(Extra::from_pool).child = Some(failure);
        }
    });
}

/// Returns whether `error` is `child` again: the same, or one that wraps or quotes it.
fn is_same(error: &ErrorInfo, child: &ErrorInfo) -> bool {
    if child.message.is_empty() {
        return error.type_name == child.type_name;
    }
    std::iter::once(&error.message)
        .chain(&error.chain)
        .any(|text| text.contains(&child.message))
        || matches!((error.chain.last(), child.chain.last()), (Some(a), Some(b)) if a == b)
}

/// What a call below has made of a failure that comes up again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// Whether it was recorded with the call below already.
    pub(super) again: bool,
    /// Whether it was alerted there.
    pub(super) alerted: bool,
    /// Whether it was expected there.
    pub(super) expected: bool,
}

/// Returns what is known of a failure from the call below. `bare`: the error is a status alone, so
/// whatever failed below is its cause. Where that was not reported, this failure is a new one.
pub(super) fn known(error: &ErrorInfo, child: &ChildFailure, bare: bool) -> Known {
    let again = match bare {
        true => child.reported,
        false => is_same(error, &child.error),
    };
    Known {
        again,
        alerted: child.alerted && (again || bare),
        expected: child.expected && again,
    }
}

/// Keeps the class that the error had where it began: a limit that an error of the program's own
/// stands for and a wrapper without a source have none.
pub(super) fn keep_class(error: &mut ErrorInfo, child: &ErrorInfo) {
    if error.class == ErrorClass::Other {
        error.class = child.class;
    }
}

/// Adds to a bare status which call below it failed.
pub(super) fn explain(error: &mut ErrorInfo, child: &ErrorInfo) {
    if !is_same(error, child) {
        error.chain.push(child.message.clone());
        error.chain.extend(child.chain.iter().cloned());
    }
}
