//! gRPC over HTTP: the method's name as a route, and the gRPC status in the headers or trailers of a
//! response, whose HTTP status is 200 even for a failure.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, header, request::Parts};

use crate::{
    http::attributes::STATUS_ERROR,
    kernel::{
        error_info::ErrorInfo,
        outcome::{ErrorClass, Outcome},
    },
};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Returns the method that a gRPC request calls, `/package.Service/Method`, for
/// [`HttpLayer::route`](super::HttpLayer::route). `None` for other requests.
///
/// The name is taken from the path. On a server that untrusted clients can reach, invented paths
/// use up `[metrics] max_label_values`. With `tonic`, prefer `Routes::into_axum_router`: that router
/// knows its services, and this function is not needed.
#[must_use]
pub fn grpc(parts: &Parts) -> Option<Cow<'_, str>> {
    let content_type = parts.headers.get(header::CONTENT_TYPE)?.as_bytes();
    let path = parts.uri.path();
    let is_call = is_grpc(content_type) && path.split('/').count() == 3;
    is_call.then_some(Cow::Borrowed(path))
}

/// Returns whether a content type is that of gRPC.
pub(super) fn is_grpc(content_type: &[u8]) -> bool {
    content_type.starts_with(b"application/grpc")
}

/// Returns the gRPC status in a response's headers or trailers.
pub(super) fn status(headers: &HeaderMap) -> Option<u16> {
    headers.get(GRPC_STATUS)?.to_str().ok()?.parse().ok()
}

/// Returns the failure that a status stands for: the codes that the OpenTelemetry RPC conventions
/// count as an error of the server.
pub(super) fn failure(status: u16) -> Option<(Outcome, ErrorInfo)> {
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
    Some((outcome, ErrorInfo::new(STATUS_ERROR, message, class)))
}
