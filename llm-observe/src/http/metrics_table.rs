//! The tables of metrics of HTTP requests and of requests to models. Names and labels follow the
//! OpenTelemetry conventions 1.41.1, in Prometheus form.

use crate::kernel::metric::{Buckets, Metric, Unit};

/// The upper bounds of durations of requests, in seconds: those that the HTTP conventions advise, and
/// larger ones for responses of models.
const REQUEST_BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    120.0,
];

/// The upper bounds of durations of requests to models, in seconds: those that the GenAI conventions
/// advise, and larger ones for long responses.
const MODEL_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
    327.68, 655.36,
];

/// The upper bounds of counts of tokens that the GenAI conventions advise.
const TOKEN_BUCKETS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

const HOST: (&str, &str) = ("server_address", "where it is known");
const PORT: (&str, &str) = ("server_port", "where it is known");
const ERROR_TYPE: (&str, &str) = ("error_type", "on failures");
const STATUS: (&str, &str) = ("http_response_status_code", "where a response arrived");
const MODEL: (&str, &str) = ("gen_ai_response_model", "where the response states it");

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

pub(crate) const GENAI_TOKENS: &Metric = &Metric::histogram(
    "gen_ai_client_token_usage",
    &[
        "gen_ai_operation_name",
        "gen_ai_provider_name",
        "gen_ai_token_type",
    ],
    Buckets::Fixed(TOKEN_BUCKETS),
    "Tokens of requests to models, by type: input or output.",
)
.optional(&[MODEL, HOST, PORT]);

pub(crate) const GENAI_DURATION: &Metric = &Metric::histogram(
    "gen_ai_client_operation_duration_seconds",
    &["gen_ai_operation_name", "gen_ai_provider_name"],
    Buckets::Durations(MODEL_BUCKETS),
    "Duration of requests to models, up to the last byte of the response.",
)
.unit(Unit::Seconds)
.optional(&[MODEL, HOST, PORT, ERROR_TYPE]);

pub(crate) const GENAI_FIRST_CHUNK: &Metric = &Metric::histogram(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    &["gen_ai_operation_name", "gen_ai_provider_name"],
    Buckets::Durations(MODEL_BUCKETS),
    "Time to the first chunk of streamed responses of models.",
)
.unit(Unit::Seconds)
.optional(&[MODEL, HOST, PORT, ERROR_TYPE]);

pub(crate) const USAGE_MISSING: &Metric = &Metric::counter(
    "llm_observe_usage_missing_total",
    &["reason"],
    "Responses of models without a count of tokens, by reason.",
);

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
    GENAI_TOKENS,
    GENAI_DURATION,
    GENAI_FIRST_CHUNK,
    USAGE_MISSING,
];
