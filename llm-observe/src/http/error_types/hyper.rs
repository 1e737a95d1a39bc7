//! The errors of `hyper` and of its pooled client.

use std::{any::Any, error::Error};

use hyper_util::client::legacy;

use super::typed;

pub(super) fn as_error(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    typed::own::<hyper::Error>(any).or_else(|| typed::own::<legacy::Error>(any))
}

pub(super) fn named(error: &(dyn Error + 'static)) -> Option<&'static str> {
    typed::named::<hyper::Error>(error).or_else(|| typed::named::<legacy::Error>(error))
}
