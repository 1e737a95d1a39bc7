//! Names that records of HTTP requests use: attributes of the OpenTelemetry HTTP conventions
//! (semantic conventions 1.41.1), and the type of errors that are statuses.

/// The type of an error that is only the status of a response.
pub(crate) const STATUS_ERROR: &str = "status";

/// The prefix of the attribute of a captured request header.
pub(crate) const HEADER_PREFIX: &str = "http.request.header.";

/// The attributes that a span of a request can have. Captured headers are in lines only.
pub(crate) const SPAN_ATTRIBUTES: &[&str] = &[
    "http.request.method",
    "http.request.method_original",
    "url.path",
    "url.query",
    "url.full",
    "http.route",
    "http.response.status_code",
    "client.address",
    "client.port",
    "network.peer.address",
    "network.peer.port",
    "user_agent.original",
    "http.request.body.size",
    "http.response.body.size",
    "http.response.time_to_first_byte_ms",
];
