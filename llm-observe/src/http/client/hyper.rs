//! What hyper's types state: its errors, and the peer of a connection.

use std::{any::Any, error::Error, net::SocketAddr};

use http::Extensions;
use hyper_util::client::legacy;

use super::attempts::RetryReason;
use crate::{
    http::error_types,
    kernel::{describe, outcome::ErrorClass},
};

/// How many causes of an error are searched.
const MAX_CAUSES: usize = 8;

/// Returns `error` and how the attempt ended, if it is of a type that tower stacks over clients
/// return.
pub(super) fn recognise(error: &dyn Any) -> Option<(&(dyn Error + 'static), RetryReason)> {
    let error = error_types::as_error(error)?;
    Some((error, reason(error)))
}

fn reason(error: &(dyn Error + 'static)) -> RetryReason {
    let mut causes = std::iter::successors(Some(error), |&e| e.source()).take(MAX_CAUSES);
    let is_connect = causes.any(is_connect);
    match describe::error("", error).class {
        ErrorClass::Timeout => RetryReason::Timeout,
        _ if is_connect => RetryReason::Connect,
        class => RetryReason::of_class(class),
    }
}

fn is_connect(error: &(dyn Error + 'static)) -> bool {
    let legacy = error.downcast_ref::<legacy::Error>();
    legacy.is_some_and(legacy::Error::is_connect)
}

/// Returns the address of the server that responded.
pub(super) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    let info = extensions.get::<legacy::connect::HttpInfo>()?;
    Some(info.remote_addr())
}
