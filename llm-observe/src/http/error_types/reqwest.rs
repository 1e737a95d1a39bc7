//! The error of `reqwest`.

use std::{any::Any, error::Error};

use super::typed;

pub(super) fn as_error(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    typed::own::<reqwest::Error>(any)
}

pub(super) fn named(error: &(dyn Error + 'static)) -> Option<&'static str> {
    typed::named::<reqwest::Error>(error)
}
