//! What `axum` leaves in a request's extensions: the route that matched, and who connected.

use std::{borrow::Cow, net::SocketAddr};

use axum::extract::{ConnectInfo, MatchedPath};
use http::Extensions;

pub(super) fn route(extensions: &Extensions) -> Option<Cow<'_, str>> {
    let matched = extensions.get::<MatchedPath>()?;
    Some(Cow::Borrowed(matched.as_str()))
}

pub(super) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| *address)
}
