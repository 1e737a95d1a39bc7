//! The error of `reqwest`.

use std::{any::Any, error::Error};

pub(super) fn as_error(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    super::own::<reqwest::Error>(any)
}

pub(super) fn named(error: &(dyn Error + 'static)) -> Option<&'static str> {
    super::named::<reqwest::Error>(error)
}
