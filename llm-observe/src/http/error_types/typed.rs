//! Errors of one type.

use std::{
    any::{Any, type_name},
    error::Error,
};

/// Returns a value as the error of type `E` that it is.
pub(super) fn own<E: Error + 'static>(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let error: &E = any.downcast_ref()?;
    Some(error)
}

/// Returns the name of `E` where the error is one.
pub(super) fn named<E: Error + 'static>(error: &(dyn Error + 'static)) -> Option<&'static str> {
    error.is::<E>().then(type_name::<E>)
}
