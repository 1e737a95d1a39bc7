//! The errors of `hyper` and of its pooled client.

use std::{any::Any, error::Error};

use hyper_util::client::legacy;

use super::downcast;

pub(super) fn as_error(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    downcast::own::<hyper::Error>(any).or_else(|| downcast::own::<legacy::Error>(any))
}

pub(super) fn named(error: &(dyn Error + 'static)) -> Option<&'static str> {
    downcast::named::<hyper::Error>(error).or_else(|| downcast::named::<legacy::Error>(error))
}
