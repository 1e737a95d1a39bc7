//! What hyper's own types say: its errors, and the peer of a connection.

use std::{any::Any, error::Error, net::SocketAddr};

use http::Extensions;
use hyper_util::client::legacy;

/// Returns an error as such, if it is of one of the types that `tower` stacks over clients end in.
pub(super) fn error<E: 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    let any: &dyn Any = error;
    if let Some(boxed) = any.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**boxed);
    }
    if let Some(error) = any.downcast_ref::<legacy::Error>() {
        return Some(error);
    }
    if let Some(error) = any.downcast_ref::<hyper::Error>() {
        return Some(error);
    }
    let error = any.downcast_ref::<std::io::Error>()?;
    Some(error)
}

/// Returns whether an error says that there was no connection.
pub(super) fn is_connect(error: &(dyn Error + 'static)) -> bool {
    let legacy = error.downcast_ref::<legacy::Error>();
    legacy.is_some_and(legacy::Error::is_connect)
}

/// Returns who answered.
pub(super) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    let info = extensions.get::<legacy::connect::HttpInfo>()?;
    Some(info.remote_addr())
}
