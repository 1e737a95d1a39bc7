//! What gRPC says beside HTTP, whose status is 200 whatever happened: the method's name as a route,
//! and the status in the headers or the trailers of an answer.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, header, request::Parts};

use crate::{
    http::exchange::STATUS,
    kernel::{
        error_info::ErrorInfo,
        outcome::{ErrorClass, Outcome},
    },
};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Returns the method that a gRPC request calls, `/package.Service/Method`: a route for
/// [`HttpLayer::route`](super::HttpLayer::route) where no router knows any.
///
/// The name comes from outside: where strangers can call the server, a name for every path they try
/// fills the `[metrics] max_label_values` that there may be. `tonic`'s
/// `Routes::into_axum_router` makes a router that knows its services, which needs none of this.
#[must_use]
pub fn grpc(parts: &Parts) -> Option<Cow<'_, str>> {
    let kind = parts.headers.get(header::CONTENT_TYPE)?.as_bytes();
    let path = parts.uri.path();
    let is_call = is_type(kind) && path.split('/').count() == 3;
    is_call.then_some(Cow::Borrowed(path))
}

/// Returns whether that is the content type of gRPC.
pub(super) fn is_type(kind: &[u8]) -> bool {
    kind.starts_with(b"application/grpc")
}

/// Returns the status in an answer's headers or trailers.
pub(super) fn status(headers: &HeaderMap) -> Option<u16> {
    headers.get(GRPC_STATUS)?.to_str().ok()?.parse().ok()
}

/// Returns how a call with that status ended: the codes that the OpenTelemetry conventions count as
/// a server's failure.
pub(super) fn outcome(status: u16) -> Option<(Outcome, ErrorInfo)> {
    let (name, outcome, class) = match status {
        2 => ("UNKNOWN", Outcome::Error, ErrorClass::Internal),
        4 => ("DEADLINE_EXCEEDED", Outcome::Timeout, ErrorClass::Timeout),
        12 => ("UNIMPLEMENTED", Outcome::Error, ErrorClass::NotFound),
        13 => ("INTERNAL", Outcome::Error, ErrorClass::Internal),
        14 => ("UNAVAILABLE", Outcome::Error, ErrorClass::Unavailable),
        15 => ("DATA_LOSS", Outcome::Error, ErrorClass::Internal),
        _ => return None,
    };
    let message = format!("gRPC {status} {name}");
    Some((outcome, ErrorInfo::new(STATUS, message, class)))
}
