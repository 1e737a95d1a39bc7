//! The metrics of calls and of what becomes of them: of lines, alerts and reports.
//!
//! A module counts under a row from here, with or without the `metrics` feature. Each protocol has
//! a table of its own in its folder.

use super::metric::{Buckets, Metric, Unit};

/// Upper bounds of the durations of calls, in seconds: from a cache hit to a long streamed answer,
/// each at most 2.5 times the one before.
const DURATION_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0,
    40.0, 80.0, 160.0, 320.0, 640.0,
];

const QUALITY_BUCKETS: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

pub(crate) const CALLS: &Metric = &Metric::counter(
    "llm_observe_calls_total",
    &["event", "function", "outcome"],
    "Calls of annotated functions that have ended, by outcome.",
);

pub(crate) const DURATION: &Metric = &Metric::histogram(
    "llm_observe_call_duration_seconds",
    &["event", "function", "outcome"],
    Buckets::Durations(DURATION_BUCKETS),
    "How long calls took from start to end, by outcome.",
)
.unit(Unit::Seconds);

pub(crate) const IN_FLIGHT: &Metric = &Metric::gauge(
    "llm_observe_calls_in_flight",
    &["event", "function"],
    "Calls that are running.",
);

pub(crate) const ERRORS: &Metric = &Metric::counter(
    "llm_observe_errors_total",
    &["event", "function", "class"],
    "Failed calls, by class of failure.",
);

pub(crate) const SLOW: &Metric = &Metric::counter(
    "llm_observe_slow_calls_total",
    &["event", "function"],
    "Calls that took longer than their slow limit.",
);

pub(crate) const STALLED: &Metric = &Metric::gauge(
    "llm_observe_stalled_calls",
    &["event", "function"],
    "Running calls that are over their stalled limit; of functions that have one.",
);

pub(crate) const ITEMS: &Metric = &Metric::counter(
    "llm_observe_items_total",
    &["event", "function"],
    "Things processed by successful calls, such as texts embedded or documents found.",
);

pub(crate) const STREAM_CHUNKS: &Metric = &Metric::counter(
    "llm_observe_stream_chunks_total",
    &["event", "function"],
    "Items of the streams that calls returned.",
);

pub(crate) const QUALITY: &Metric = &Metric::histogram(
    "llm_observe_quality_score",
    &["event", "function"],
    Buckets::Fixed(QUALITY_BUCKETS),
    "Scores of results, from 0 to 1.",
);

pub(crate) const LOG_LINES: &Metric = &Metric::counter(
    "llm_observe_log_lines_total",
    &["logger"],
    "Lines handed to a logger.",
);

pub(crate) const LOG_LINES_LOST: &Metric = &Metric::counter(
    "llm_observe_log_lines_lost_total",
    &["logger", "reason"],
    "Lines that a logger could not keep, by reason.",
);

pub(crate) const LOG_WRITTEN: &Metric = &Metric::counter(
    "llm_observe_log_lines_written_total",
    &["logger"],
    "Lines that reached a logger's file.",
);

pub(crate) const LOG_ROTATIONS: &Metric = &Metric::counter(
    "llm_observe_log_rotations_total",
    &["logger"],
    "Rotations of a logger's file.",
);

pub(crate) const LOG_RECOVERED: &Metric = &Metric::counter(
    "llm_observe_log_lines_recovered_total",
    &["logger"],
    "Lines that an earlier process had left unwritten and this one wrote.",
);

pub(crate) const LOG_WAITING: &Metric = &Metric::gauge(
    "llm_observe_log_waiting_bytes",
    &["logger"],
    "Bytes of lines that are not in their file yet.",
)
.unit(Unit::Bytes);

pub(crate) const LOG_REFUSED: &Metric = &Metric::gauge(
    "llm_observe_log_refused",
    &["logger"],
    "1 while the disk refuses a logger's lines.",
);

pub(crate) const LOG_EXPOSED: &Metric = &Metric::gauge(
    "llm_observe_log_folder_exposed",
    &["logger"],
    "1 when other users of the machine can change a logger's files.",
);

pub(crate) const DELIVERIES: &Metric = &Metric::counter(
    "llm_observe_deliveries_total",
    &["destination", "result"],
    "Reports and alerts, by destination and result.",
);

pub(crate) const OUTBOX_PENDING: &Metric = &Metric::gauge(
    "llm_observe_outbox_pending",
    &["destination"],
    "Reports and alerts that wait for their destination.",
);

pub(crate) const OUTBOX_EXPOSED: &Metric = &Metric::gauge(
    "llm_observe_outbox_folder_exposed",
    &[],
    "1 when other users of the machine can change what waits for its destination.",
);

pub(crate) const CIRCUIT_OPEN: &Metric = &Metric::gauge(
    "llm_observe_outbox_circuit_open",
    &["destination"],
    "1 while a destination keeps failing and is tried only now and then.",
);

pub(crate) const ALERTS_LOST: &Metric = &Metric::counter(
    "llm_observe_alerts_lost_total",
    &["reason"],
    "Failures that should have alerted and could not, by reason.",
);

pub(crate) const REPORTS_LOST: &Metric = &Metric::counter(
    "llm_observe_reports_lost_total",
    &["reason"],
    "Failures that should have been reported and could not, by reason.",
);

pub(crate) const HEARTBEATS: &Metric = &Metric::counter(
    "llm_observe_heartbeats_total",
    &["result"],
    "Pings of the heartbeat URL, by result.",
);

pub(crate) const OVER_LIMIT: &Metric = &Metric::counter(
    "llm_observe_label_values_over_limit_total",
    &["label"],
    "Times a label's value became _other, since there were too many others, by label.",
);

pub(crate) const DEGRADED: &Metric = &Metric::gauge(
    "llm_observe_degraded",
    &["part", "reason"],
    "1 while a part that could not start is off, by reason; 0 once it works.",
);

pub(crate) const SERVER_INFO: &Metric = &Metric::gauge(
    "llm_observe_server_info",
    &["address"],
    "Always 1; its label is the address that the metrics are served at.",
);

pub(crate) const BUILD_INFO: &Metric = &Metric::gauge(
    "llm_observe_build_info",
    &["version", "service", "environment"],
    "Always 1; its labels say which build this is.",
);

/// The table.
pub(crate) const TABLE: &[&Metric] = &[
    CALLS,
    DURATION,
    IN_FLIGHT,
    ERRORS,
    SLOW,
    STALLED,
    ITEMS,
    STREAM_CHUNKS,
    QUALITY,
    LOG_LINES,
    LOG_LINES_LOST,
    LOG_WRITTEN,
    LOG_ROTATIONS,
    LOG_RECOVERED,
    LOG_WAITING,
    LOG_REFUSED,
    LOG_EXPOSED,
    DELIVERIES,
    OUTBOX_PENDING,
    OUTBOX_EXPOSED,
    CIRCUIT_OPEN,
    ALERTS_LOST,
    REPORTS_LOST,
    HEARTBEATS,
    OVER_LIMIT,
    DEGRADED,
    SERVER_INFO,
    BUILD_INFO,
];
