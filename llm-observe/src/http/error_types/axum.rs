//! The error of `axum`'s bodies: a box around another one.

use std::{any::Any, error::Error};

/// Returns the error that an error of `axum` holds. A body of a stream wraps it twice.
pub(super) fn inner(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let outer: &axum::Error = any.downcast_ref()?;
    let mut inner = outer.source()?;
    while let Some(source) = inner.downcast_ref::<axum::Error>().and_then(Error::source) {
        inner = source;
    }
    Some(inner)
}
