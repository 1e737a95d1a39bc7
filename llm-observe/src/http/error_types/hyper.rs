//! The errors of `hyper` and of its pooled client.

use std::{any::Any, error::Error};

use hyper_util::client::legacy;

pub(super) fn as_error(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    super::own::<hyper::Error>(any).or_else(|| super::own::<legacy::Error>(any))
}

pub(super) fn named(error: &(dyn Error + 'static)) -> Option<&'static str> {
    super::named::<hyper::Error>(error).or_else(|| super::named::<legacy::Error>(error))
}
