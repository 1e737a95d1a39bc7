//! What routers add to a request's extensions. Each supported router is a feature and one file.

use std::{borrow::Cow, net::SocketAddr};

use http::Extensions;

/// How to read the extensions that one router adds to requests.
pub(super) struct RouterExtensions {
    /// Returns the template of the matched route.
    pub(super) route: for<'a> fn(&'a Extensions) -> Option<Cow<'a, str>>,
    /// Returns the address of the client.
    pub(super) peer: fn(&Extensions) -> Option<SocketAddr>,
}
