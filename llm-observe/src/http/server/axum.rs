//! What `axum` adds to a request's extensions: the matched route and the peer's address.

use std::{borrow::Cow, net::SocketAddr};

use axum::extract::{ConnectInfo, MatchedPath};
use http::Extensions;

use super::router::RouterExtensions;

/// The extensions of `axum`.
pub(super) const AXUM: RouterExtensions = RouterExtensions { route, peer };

fn route(extensions: &Extensions) -> Option<Cow<'_, str>> {
    let matched = extensions.get::<MatchedPath>()?;
    Some(Cow::Borrowed(matched.as_str()))
}

fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map(|ConnectInfo(address)| *address)
}
