//! The tables of metrics of HTTP requests. Names and labels follow the OpenTelemetry HTTP conventions
//! 1.41.1, in Prometheus form.

use crate::kernel::metric::{Buckets, Metric, Unit};

/// The upper bounds of durations of requests, in seconds: those that the HTTP conventions advise, and
/// larger ones for responses of models.
const REQUEST_BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    120.0,
];

const HOST: (&str, &str) = ("server_address", "where it is known");
const PORT: (&str, &str) = ("server_port", "where it is known");
const ERROR_TYPE: (&str, &str) = ("error_type", "on failures");
const STATUS: (&str, &str) = ("http_response_status_code", "where a response arrived");

pub(crate) const HTTP_SERVER: &Metric = &Metric::histogram(
    "http_server_request_duration_seconds",
    &["http_request_method", "url_scheme"],
    Buckets::Durations(REQUEST_BUCKETS),
    "Duration of received HTTP requests, up to the last byte of the response.",
)
.unit(Unit::Seconds)
.optional(&[("http_route", "where one matched"), STATUS, ERROR_TYPE]);

pub(crate) const HTTP_ACTIVE: &Metric = &Metric::gauge(
    "http_server_active_requests",
    &["http_request_method", "url_scheme"],
    "Received HTTP requests whose response has not ended.",
);

pub(crate) const HTTP_CLIENT: &Metric = &Metric::histogram(
    "http_client_request_duration_seconds",
    &["http_request_method", "url_scheme"],
    Buckets::Durations(REQUEST_BUCKETS),
    "Duration of sent HTTP requests, up to the last byte of the response.",
)
.unit(Unit::Seconds)
.optional(&[HOST, PORT, STATUS, ERROR_TYPE]);

pub(crate) const HTTP_RETRIES: &Metric = &Metric::counter(
    "llm_observe_http_client_retries_total",
    &["server_address", "reason"],
    "HTTP requests that were sent again, by host and by the end of the previous attempt.",
);

pub(crate) const LIMIT: &Metric = &Metric::gauge(
    "llm_observe_ratelimit_limit",
    &["server_address", "kind"],
    "Requests or tokens that a host allows in a period, by its latest response.",
);

pub(crate) const LIMIT_REMAINING: &Metric = &Metric::gauge(
    "llm_observe_ratelimit_remaining",
    &["server_address", "kind"],
    "Requests or tokens that are left in the period, by the host's latest response.",
);

pub(crate) const LIMIT_RESET: &Metric = &Metric::gauge(
    "llm_observe_ratelimit_reset_seconds",
    &["server_address", "kind"],
    "Seconds until the full limit is available again, by the host's latest response.",
)
.unit(Unit::Seconds);

pub(crate) const LIMIT_RETRY_AFTER: &Metric = &Metric::gauge(
    "llm_observe_ratelimit_retry_after_seconds",
    &["server_address"],
    "Seconds to wait before the next request, by the host's latest response; 0 without a wait.",
)
.unit(Unit::Seconds);

/// The metrics of received requests.
pub(crate) const SERVER_TABLE: &[&Metric] = &[HTTP_SERVER, HTTP_ACTIVE];

/// The metrics of sent requests.
pub(crate) const CLIENT_TABLE: &[&Metric] = &[
    HTTP_CLIENT,
    HTTP_RETRIES,
    LIMIT,
    LIMIT_REMAINING,
    LIMIT_RESET,
    LIMIT_RETRY_AFTER,
];
