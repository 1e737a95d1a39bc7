//! The names of metrics, all in one place: what a module counts it counts under a name from here,
//! with or without the `metrics` feature. Dashboards rely on them.

pub(crate) const CALLS: &str = "llm_observe_calls_total";
pub(crate) const DURATION: &str = "llm_observe_call_duration_seconds";
pub(crate) const IN_FLIGHT: &str = "llm_observe_calls_in_flight";
pub(crate) const ERRORS: &str = "llm_observe_errors_total";
pub(crate) const SLOW: &str = "llm_observe_slow_calls_total";
pub(crate) const STALLED: &str = "llm_observe_stalled_calls";
pub(crate) const ITEMS: &str = "llm_observe_items_total";
pub(crate) const QUALITY: &str = "llm_observe_quality_score";
pub(crate) const LOG_LINES: &str = "llm_observe_log_lines_total";
pub(crate) const LOG_LINES_LOST: &str = "llm_observe_log_lines_lost_total";
pub(crate) const DELIVERIES: &str = "llm_observe_deliveries_total";
pub(crate) const OUTBOX_PENDING: &str = "llm_observe_outbox_pending";
pub(crate) const LOG_WRITTEN: &str = "llm_observe_log_lines_written_total";
pub(crate) const HEARTBEATS: &str = "llm_observe_heartbeats_total";
pub(crate) const LOG_ROTATIONS: &str = "llm_observe_log_rotations_total";
pub(crate) const LOG_RECOVERED: &str = "llm_observe_log_lines_recovered_total";
pub(crate) const LOG_WAITING: &str = "llm_observe_log_waiting_bytes";
pub(crate) const LOG_REFUSED: &str = "llm_observe_log_refused";
pub(crate) const ALERTS_LOST: &str = "llm_observe_alerts_lost_total";
pub(crate) const REPORTS_LOST: &str = "llm_observe_reports_lost_total";
pub(crate) const CIRCUIT_OPEN: &str = "llm_observe_outbox_circuit_open";
pub(crate) const HTTP_SERVER: &str = "http_server_request_duration_seconds";
pub(crate) const HTTP_ACTIVE: &str = "http_server_active_requests";
pub(crate) const HTTP_CLIENT: &str = "http_client_request_duration_seconds";
pub(crate) const HTTP_RETRIES: &str = "llm_observe_http_client_retries_total";
pub(crate) const LIMIT: &str = "llm_observe_ratelimit_limit";
pub(crate) const LIMIT_REMAINING: &str = "llm_observe_ratelimit_remaining";
pub(crate) const LIMIT_RESET: &str = "llm_observe_ratelimit_reset_seconds";
pub(crate) const LIMIT_RETRY_AFTER: &str = "llm_observe_ratelimit_retry_after_seconds";
pub(crate) const USAGE_MISSING: &str = "llm_observe_usage_missing_total";
pub(crate) const GENAI_TOKENS: &str = "gen_ai_client_token_usage";
pub(crate) const GENAI_DURATION: &str = "gen_ai_client_operation_duration_seconds";
pub(crate) const GENAI_FIRST_CHUNK: &str = "gen_ai_client_operation_time_to_first_chunk_seconds";
pub(crate) const OVER_LIMIT: &str = "llm_observe_label_values_over_limit_total";
pub(crate) const BUILD_INFO: &str = "llm_observe_build_info";
