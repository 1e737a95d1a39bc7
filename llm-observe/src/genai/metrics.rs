//! The table of metrics of models: those of the OpenTelemetry GenAI conventions 1.41.1 in Prometheus
//! form, and the runtime's own of tokens and costs.

use super::prices::PRICE_TABLE;
use crate::kernel::metric::{Buckets, Metric, Unit};

/// The upper bounds of durations that the conventions advise, in seconds. `[metrics] extra_buckets` adds
/// larger ones for long answers.
const DURATION_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// The upper bounds of counts of tokens that the conventions advise.
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
const REQUEST_MODEL: (&str, &str) = ("gen_ai_request_model", "where the attribute states it");
const RESPONSE_MODEL: (&str, &str) = ("gen_ai_response_model", "where the response states it");
const OF_OPERATION: &[(&str, &str)] = &[REQUEST_MODEL, RESPONSE_MODEL, HOST, PORT, ERROR_TYPE];
const OPERATION: &[&str] = &["gen_ai_operation_name", "gen_ai_provider_name"];
const OF_MODEL: &[&str] = &["event", "provider", "model"];

pub(crate) const TOKEN_USAGE: &Metric = &Metric::histogram(
    "gen_ai_client_token_usage",
    &[
        "gen_ai_operation_name",
        "gen_ai_provider_name",
        "gen_ai_token_type",
    ],
    Buckets::Fixed(TOKEN_BUCKETS),
    "Tokens of operations of models, by type: input or output.",
)
.optional(&[REQUEST_MODEL, RESPONSE_MODEL, HOST, PORT]);

pub(crate) const DURATION: &Metric = &Metric::histogram(
    "gen_ai_client_operation_duration_seconds",
    OPERATION,
    Buckets::Durations(DURATION_BUCKETS),
    "Duration of operations of models, up to the end of the answer.",
)
.unit(Unit::Seconds)
.optional(OF_OPERATION);

pub(crate) const FIRST_CHUNK: &Metric = &Metric::histogram(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    OPERATION,
    Buckets::Durations(DURATION_BUCKETS),
    "Time to the first chunk of streamed answers of models.",
)
.unit(Unit::Seconds)
.optional(OF_OPERATION);

pub(crate) const PER_CHUNK: &Metric = &Metric::histogram(
    "gen_ai_client_operation_time_per_output_chunk_seconds",
    OPERATION,
    Buckets::Durations(DURATION_BUCKETS),
    "Time from one chunk of streamed answers of models to the next.",
)
.unit(Unit::Seconds)
.optional(OF_OPERATION);

pub(crate) const TOKENS: &Metric = &Metric::counter(
    "llm_observe_tokens_total",
    &["event", "provider", "model", "type"],
    "Tokens of models, by type: input includes cached ones, output includes reasoning.",
);

pub(crate) const COST: &Metric = &Metric::counter(
    "llm_observe_cost_usd_total",
    OF_MODEL,
    "Cost of calls of models in US dollars, reported by the provider or computed.",
);

pub(crate) const UNPRICED: &Metric = &Metric::counter(
    "llm_observe_unpriced_calls_total",
    OF_MODEL,
    "Calls of models whose tokens are known and whose cost is not.",
);

pub(crate) const USAGE_MISSING: &Metric = &Metric::counter(
    "llm_observe_usage_missing_total",
    OF_MODEL,
    "Successful calls of models whose tokens are not known.",
);

pub(crate) const BUDGET_USED: &Metric = &Metric::gauge(
    "llm_observe_budget_used_ratio",
    &["event", "per"],
    "Share of the budget of an event that its calls have used in this period: 1 is all of it.",
);

/// All of them.
pub(crate) const TABLE: &[&Metric] = &[
    DURATION,
    FIRST_CHUNK,
    PER_CHUNK,
    TOKEN_USAGE,
    TOKENS,
    COST,
    UNPRICED,
    USAGE_MISSING,
    BUDGET_USED,
    PRICE_TABLE,
];
