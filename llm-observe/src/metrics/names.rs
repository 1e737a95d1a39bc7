//! The help texts that a scrape shows with each name.

use metrics::{Recorder, Unit};

pub(crate) use crate::kernel::metric_names::*;

const COUNTERS: &[(&str, &str)] = &[
    (
        CALLS,
        "Calls of annotated functions that have ended, by outcome.",
    ),
    (ERRORS, "Failed calls, by class of failure."),
    (SLOW, "Calls that took longer than their slow limit."),
    (
        ITEMS,
        "Things processed by successful calls, such as texts embedded or documents found.",
    ),
    (LOG_LINES, "Lines handed to a logger."),
    (
        LOG_LINES_LOST,
        "Lines that a logger could not keep, by reason.",
    ),
    (LOG_WRITTEN, "Lines that reached a logger's file."),
    (LOG_ROTATIONS, "Rotations of a logger's file."),
    (
        LOG_RECOVERED,
        "Lines that an earlier process had left unwritten and this one wrote.",
    ),
    (
        ALERTS_LOST,
        "Failures that should have alerted and could not, by reason.",
    ),
    (
        REPORTS_LOST,
        "Failures that should have been reported and could not, by reason.",
    ),
    (
        OVER_LIMIT,
        "Times a label's value became _other, since there were too many others, by label.",
    ),
    (
        HTTP_RETRIES,
        "HTTP requests that were sent again, by host and what the attempt before ended in.",
    ),
    (
        USAGE_MISSING,
        "Answers of models that did not say how many tokens they took, by reason.",
    ),
    (HEARTBEATS, "Pings of the heartbeat URL, by result."),
    (
        DELIVERIES,
        "Reports and alerts by destination and what became of them.",
    ),
];

const GAUGES: &[(&str, &str)] = &[
    (IN_FLIGHT, "Calls that are running."),
    (STALLED, "Running calls that are over their stalled limit."),
    (
        OUTBOX_PENDING,
        "Reports and alerts that wait for their destination.",
    ),
    (
        CIRCUIT_OPEN,
        "1 while a destination keeps failing and is tried only now and then.",
    ),
    (
        LOG_WAITING,
        "Bytes of lines that are not in their file yet.",
    ),
    (LOG_REFUSED, "1 while the disk refuses a logger's lines."),
    (
        HTTP_ACTIVE,
        "HTTP requests that are being answered, up to the last byte of the answer.",
    ),
    (
        LIMIT,
        "Requests or tokens that a host allows in a period, as its latest answer states it.",
    ),
    (
        LIMIT_REMAINING,
        "Requests or tokens that are left in the period, as a host's latest answer states it.",
    ),
    (
        LIMIT_RESET,
        "Seconds until all are there again, as a host's latest answer states it.",
    ),
    (
        LIMIT_RETRY_AFTER,
        "Seconds that a host's latest answer asks to be left alone; 0 when it asks for none.",
    ),
    (BUILD_INFO, "Always 1; its labels say which build this is."),
];

/// Gives every metric its help text and unit.
pub(super) fn describe(recorder: &dyn Recorder) {
    for (name, help) in COUNTERS {
        recorder.describe_counter((*name).into(), None, (*help).into());
    }
    for (name, help) in GAUGES {
        recorder.describe_gauge((*name).into(), None, (*help).into());
    }
    let help = "How long calls took from start to end, by outcome.";
    recorder.describe_histogram(DURATION.into(), Some(Unit::Seconds), help.into());
    let help = "How long HTTP requests took, up to the last byte of the answer.";
    recorder.describe_histogram(HTTP_SERVER.into(), Some(Unit::Seconds), help.into());
    let help = "How long HTTP requests to others took, up to the last byte of the answer.";
    recorder.describe_histogram(HTTP_CLIENT.into(), Some(Unit::Seconds), help.into());
    let help = "Tokens of requests to models, by whether they went in or came out.";
    recorder.describe_histogram(GENAI_TOKENS.into(), None, help.into());
    let help = "How long requests to models took, up to the last byte of the answer.";
    recorder.describe_histogram(GENAI_DURATION.into(), Some(Unit::Seconds), help.into());
    let help = "How long streamed answers of models took to begin.";
    recorder.describe_histogram(GENAI_FIRST_CHUNK.into(), Some(Unit::Seconds), help.into());
    let help = "Scores of results, from 0 to 1.";
    recorder.describe_histogram(QUALITY.into(), None, help.into());
}
