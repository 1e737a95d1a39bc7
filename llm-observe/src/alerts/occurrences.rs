//! Calls that alerted for the same reason, merged.

use super::{text, trigger::Trigger};
use crate::{
    kernel::{ids::TraceId, outcome::ErrorClass, record::Record, sink::ThresholdReached},
    outbox::text::truncate,
};

/// The longest text of an error that an alert keeps, in characters.
const LONGEST: usize = 2_000;

/// The longest value of an attribute that an alert keeps, in characters.
const LONGEST_ATTRIBUTE: usize = 100;

/// The error of one of the calls, or what else describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorSample {
    pub(super) type_name: String,
    pub(super) message: String,
    pub(super) class: Option<ErrorClass>,
}

impl ErrorSample {
    /// Returns a description without an error.
    pub(super) fn plain(message: String) -> ErrorSample {
        ErrorSample {
            message,
            ..ErrorSample::default()
        }
    }

    fn of(record: &Record<'_>, trigger: Trigger) -> ErrorSample {
        match (trigger, record.error) {
            (Trigger::Slow, _) => {
                ErrorSample::plain(format!("took {}", text::duration(record.duration)))
            }
            (Trigger::LowQuality, _) => {
                let (got, min) = (
                    record.quality.unwrap_or_default(),
                    record.site.min_quality.unwrap_or_default(),
                );
                ErrorSample::plain(format!("quality {got:.2} is under {min:.2}"))
            }
            (Trigger::Cancelled, _) | (_, None) => ErrorSample::default(),
            (_, Some(error)) => ErrorSample {
                type_name: error.type_name.to_owned(),
                message: truncate(&chained(&error.message, &error.chain), LONGEST),
                class: Some(error.class),
            },
        }
    }
}

/// Returns the attributes that text lines have, but for those that stay on this machine.
fn attributes(record: &Record<'_>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let operation = record.operation.filter(|_| record.site.performs.is_some());
    if let Some(operation) = operation {
        operation.attributes(&mut |attribute, value| {
            if !attribute.short_name().is_empty() && !attribute.is_local() {
                let value = truncate(&value.to_value().to_string(), LONGEST_ATTRIBUTE);
                all.push((attribute.short_name().to_owned(), value));
            }
        });
    }
    all
}

/// Returns the message and each cause that it does not quote.
fn chained(message: &str, chain: &[String]) -> String {
    let mut out = message.to_owned();
    for cause in chain {
        if !out.contains(cause.as_str()) {
            out.push_str("\ncaused by: ");
            out.push_str(cause);
        }
    }
    out
}

/// Calls of one site that alerted for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Occurrences {
    pub(super) trigger: Trigger,
    /// Whether the site stands for an operation, such as a route of a server.
    pub(super) is_operation: bool,
    pub(super) count: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) trace_id: TraceId,
    /// The link to the session of the request that one of the calls belonged to.
    pub(super) session_url: Option<String>,
    /// What one of the calls shows in lines as an operation, where its function is one besides.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) sample: ErrorSample,
    /// For stalled calls: 1 when they stalled, -1 when they have ended; 0 for other triggers.
    pub(super) stalled: i64,
    /// Which threshold was reached; empty for calls.
    pub(super) threshold: String,
}

impl Occurrences {
    pub(super) fn at(
        time: u64,
        trigger: Trigger,
        trace_id: TraceId,
        sample: ErrorSample,
    ) -> Occurrences {
        Occurrences {
            trigger,
            is_operation: false,
            count: 1,
            first: time,
            last: time,
            trace_id,
            session_url: None,
            attributes: Vec::new(),
            sample,
            stalled: 0,
            threshold: String::new(),
        }
    }

    pub(super) fn of(record: &Record<'_>, trigger: Trigger) -> Occurrences {
        let sample = ErrorSample::of(record, trigger);
        Occurrences {
            is_operation: record.site.is_operation(),
            attributes: attributes(record),
            session_url: record
                .request
                .and_then(|request| request.session_url.clone()),
            ..Occurrences::at(record.time, trigger, record.trace_id, sample)
        }
    }

    pub(super) fn of_threshold(reached: &ThresholdReached) -> Occurrences {
        let sample = ErrorSample::plain(truncate(&reached.message, LONGEST));
        Occurrences {
            threshold: reached.threshold.clone(),
            ..Occurrences::at(reached.time, Trigger::Budget, reached.trace_id, sample)
        }
    }

    /// Counts one more at `time`.
    pub(super) fn count_one(&mut self, time: u64) {
        self.count += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    pub(super) fn class(&self) -> Option<ErrorClass> {
        self.sample.class
    }

    /// Returns the times of at most `most` of them: the first, and the last as often as needed.
    /// They were merged within moments, so the times in between are not known.
    pub(super) fn times(&self, most: usize) -> impl Iterator<Item = u64> + use<> {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX).min(most);
        let (first, last) = (self.first, self.last);
        (0..count).map(move |i| if i == 0 { first } else { last })
    }
}
