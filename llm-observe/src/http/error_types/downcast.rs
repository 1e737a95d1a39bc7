//! Whether an erased error is of a known type.

use std::{
    any::{Any, type_name},
    error::Error,
};

/// Returns `any` as the error of that type.
pub(super) fn own<E: Error + 'static>(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let error: &E = any.downcast_ref()?;
    Some(error)
}

/// Returns the name of the type `E`, where the error is of it.
pub(super) fn named<E: Error + 'static>(error: &(dyn Error + 'static)) -> Option<&'static str> {
    error.is::<E>().then(type_name::<E>)
}
