//! The error of `reqwest`.

use std::{any::Any, error::Error};

use super::downcast;

pub(super) fn as_error(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    downcast::own::<reqwest::Error>(any)
}

pub(super) fn named(error: &(dyn Error + 'static)) -> Option<&'static str> {
    downcast::named::<reqwest::Error>(error)
}
