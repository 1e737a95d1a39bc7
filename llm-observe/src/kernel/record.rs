//! Everything that is known of a call once it has ended: the one value that every sink reads.

use std::time::Duration;

use tracing::Level;

use super::{
    alert_rule::TriggerSet,
    error_info::ErrorInfo,
    extra::LowScore,
    ids::{SpanId, TraceId},
    operation::Operation,
    outcome::Outcome,
    request_context::RequestContext,
    site::Site,
    value::Fields,
};

/// Everything known about a call that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// The annotated function.
    pub site: &'static Site,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended: microseconds since the Unix epoch.
    pub time: u64,
    /// How long it took, from the first poll or the call to its end.
    pub duration: Duration,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own span.
    pub span_id: SpanId,
    /// The span it was called from; [`SpanId::is_none`] at the root.
    pub parent_id: SpanId,
    /// The flags of its trace (W3C Trace Context): 1 is sampled.
    pub trace_flags: u8,
    /// The error, for every failure.
    pub error: Option<&'a ErrorInfo>,
    /// What was recorded on it.
    pub fields: &'a Fields,
    /// The number of things it processed.
    pub items: Option<u64>,
    /// The number of items that the stream it returned has yielded; `None` when it returned none.
    pub chunks: Option<u64>,
    /// The score of its result, 0 to 1.
    pub quality: Option<f64>,
    /// The lowest score that it was given while it ran, where that is under its `min_quality`.
    pub(crate) low_score: Option<&'a LowScore>,
    /// Whether it took longer than `slow`.
    pub slow: bool,
    /// Whether its error matched `expected`, here or in the call below that it came from: counted and
    /// logged, neither reported nor alerted.
    pub expected: bool,
    /// Whether this very error was already recorded by a call below it.
    pub passed_on: bool,
    /// The request that it belongs to.
    pub request: Option<&'a RequestContext>,
    /// What the call is besides a function call.
    pub operation: Option<&'a dyn Operation>,
    /// What of it is alerted: see [`Record::alerts`].
    pub(crate) alerts: TriggerSet,
    /// Whether it is reported: see [`Record::is_reported`].
    pub(crate) reported: bool,
    /// The level of the line of a successful call: the attribute's, or else the event's.
    pub(crate) ok_level: Level,
    /// Whether it writes its line: `sample` keeps a share of those that succeeded.
    pub(crate) sampled: bool,
}

impl Record<'_> {
    /// Returns whether the quality, or a score that it was given while it ran, is under the site's
    /// `min_quality`.
    #[must_use]
    pub fn low_quality(&self) -> bool {
        self.low_score.is_some() || self.site.is_low(self.quality)
    }

    /// Returns the level of the call's line.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.outcome {
            _ if self.expected => Level::INFO,
            Outcome::Ok if self.slow || self.low_quality() => Level::WARN.min(self.ok_level),
            Outcome::Ok => self.ok_level,
            Outcome::Cancelled => Level::WARN,
            Outcome::Timeout if !self.is_attempt() => Level::ERROR,
            Outcome::Error | Outcome::Timeout => self.site.err_level.unwrap_or(Level::ERROR),
            Outcome::Panic => Level::ERROR,
        }
    }

    /// Returns which of the triggers that the call gives reason for have a rule that asks for an
    /// alert. Decided once, at its end: an error that is expected, or that a call below was alerted
    /// for, and an event that is muted, are left out.
    #[must_use]
    pub const fn alerts(&self) -> TriggerSet {
        self.alerts
    }

    /// Returns whether it goes to the error trackers: a failure that is neither expected nor
    /// reported by a call below it, of a site that reports.
    #[must_use]
    pub const fn is_reported(&self) -> bool {
        self.reported
    }

    /// Returns whether it is one attempt of the call above it: see [`Operation::is_attempt`].
    #[must_use]
    pub fn is_attempt(&self) -> bool {
        self.operation.is_some_and(Operation::is_attempt)
    }
}
