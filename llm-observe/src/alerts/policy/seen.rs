//! Calls that failed alike, as the policy sees them.

use crate::{
    alerts::{Trigger, text},
    kernel::{ids::TraceId, outcome::ErrorClass, record::Record},
    redact::Redactor,
};

/// The longest text of an error that an alert keeps, in characters.
const LONGEST: usize = 2_000;

/// What one of the calls said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::alerts) struct Sample {
    pub(in crate::alerts) type_name: String,
    pub(in crate::alerts) message: String,
    pub(in crate::alerts) class: Option<ErrorClass>,
}

impl Sample {
    /// Returns one that is no error: a text alone.
    pub(in crate::alerts) fn plain(message: String) -> Sample {
        Sample {
            message,
            ..Sample::default()
        }
    }

    fn of(record: &Record<'_>, trigger: Trigger, redactor: &Redactor) -> Sample {
        match (trigger, record.error) {
            (Trigger::Slow, _) => {
                Sample::plain(format!("took {}", text::duration(record.duration)))
            }
            (Trigger::LowQuality, _) => {
                let (got, min) = (
                    record.quality.unwrap_or_default(),
                    record.site.min_quality.unwrap_or_default(),
                );
                Sample::plain(format!("quality {got:.2} is under {min:.2}"))
            }
            (Trigger::Cancelled, _) | (_, None) => Sample::default(),
            (_, Some(error)) => Sample {
                type_name: error.type_name.to_owned(),
                message: text::cut(
                    &redactor.redact(&chained(&error.message, &error.chain)),
                    LONGEST,
                ),
                class: Some(error.class),
            },
        }
    }
}

/// Returns the message, and each cause that it does not quote already.
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

/// Calls that failed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::alerts) struct Seen {
    pub(in crate::alerts) trigger: Trigger,
    pub(in crate::alerts) count: u64,
    pub(in crate::alerts) first: u64,
    pub(in crate::alerts) last: u64,
    pub(in crate::alerts) trace: TraceId,
    /// The LogRocket session of the request it was in.
    pub(in crate::alerts) session: Option<String>,
    pub(in crate::alerts) sample: Sample,
    /// How many calls stalled (1) or are so no longer (-1); 0 for what is over at once.
    pub(in crate::alerts) open: i64,
}

impl Seen {
    pub(in crate::alerts) fn at(
        time: u64,
        trigger: Trigger,
        trace: TraceId,
        sample: Sample,
    ) -> Seen {
        Seen {
            trigger,
            count: 1,
            first: time,
            last: time,
            trace,
            session: None,
            sample,
            open: 0,
        }
    }

    pub(in crate::alerts) fn of(
        record: &Record<'_>,
        trigger: Trigger,
        redactor: &Redactor,
    ) -> Seen {
        let sample = Sample::of(record, trigger, redactor);
        Seen {
            session: record
                .request
                .and_then(|request| request.session_url.clone()),
            ..Seen::at(record.time, trigger, record.trace_id, sample)
        }
    }

    /// Counts one more at `time`.
    pub(in crate::alerts) fn again(&mut self, time: u64) {
        self.count += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    pub(in crate::alerts) fn class(&self) -> Option<ErrorClass> {
        self.sample.class
    }

    /// Returns the times of the last `most` of them: the first, and the last as often as the
    /// rest. They were merged within moments, so nothing is known in between.
    pub(super) fn times(&self, most: usize) -> impl Iterator<Item = u64> + use<> {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX).min(most);
        let (first, last) = (self.first, self.last);
        (0..count).map(move |i| if i == 0 { first } else { last })
    }
}
