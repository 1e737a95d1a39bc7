//! The extensions module when the feature `axum` is off: a request's extensions are not known.

use std::{borrow::Cow, net::SocketAddr};

use http::Extensions;

pub(super) fn route(_: &Extensions) -> Option<Cow<'_, str>> {
    None
}

pub(super) fn peer(_: &Extensions) -> Option<SocketAddr> {
    None
}
