//! The extensions module when the feature `axum` is off: a request's extensions are not known.

use std::net::SocketAddr;

use http::Extensions;

pub(super) fn route(_: &Extensions) -> Option<&str> {
    None
}

pub(super) fn peer(_: &Extensions) -> Option<SocketAddr> {
    None
}
