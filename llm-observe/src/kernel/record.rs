//! Everything that is known of a call once it has ended: the one value that every sink reads.

use std::time::Duration;

use tracing::Level;

use super::{
    error_info::ErrorInfo,
    ids::{SpanId, TraceId},
    outcome::Outcome,
    site::Site,
    value::Fields,
};
use crate::kernel::request::{Exchange, Request};
use crate::kernel::site::Kind;

/// What is known of a call once it has ended.
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
    /// The error, for every failure.
    pub error: Option<&'a ErrorInfo>,
    /// What was recorded on it.
    pub fields: &'a Fields,
    /// The number of things it processed.
    pub items: Option<u64>,
    /// The score of its result, 0 to 1.
    pub quality: Option<f64>,
    /// Whether it took longer than `slow`.
    pub slow: bool,
    /// Whether its error matched `expected`: counted and logged, neither reported nor alerted.
    pub expected: bool,
    /// Whether this very error was already recorded by a call below it.
    pub passed_on: bool,
    /// The HTTP request that it belongs to.
    pub request: Option<&'a Request>,
    /// What was asked and answered, where the call itself is an HTTP request.
    pub exchange: Option<&'a Exchange>,
    /// Whether no alert is to tell of its failure: a call below did, or `[http] alert_on` leaves
    /// its status out.
    pub(crate) quiet: bool,
    /// The level of the line of a successful call: the attribute's, or else the event's.
    pub(crate) ok_level: Level,
    /// Whether it writes its line: `sample` thins out those that went well.
    pub(crate) sampled: bool,
}

impl Record<'_> {
    /// Returns whether the quality is under the site's `min_quality`.
    #[must_use]
    pub fn low_quality(&self) -> bool {
        matches!((self.quality, self.site.min_quality), (Some(q), Some(min)) if q < min)
    }

    /// Returns the level of the call's line.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.outcome {
            _ if self.expected => Level::INFO,
            Outcome::Ok if self.slow || self.low_quality() => Level::WARN.min(self.ok_level),
            Outcome::Ok => self.ok_level,
            Outcome::Cancelled => Level::WARN,
            Outcome::Timeout if self.site.kind() != Kind::Client => Level::ERROR,
            Outcome::Error | Outcome::Timeout => self.site.err_level.unwrap_or(Level::ERROR),
            Outcome::Panic => Level::ERROR,
        }
    }

    /// Returns whether an error tracker is to hear of it.
    #[must_use]
    pub fn is_reportable(&self) -> bool {
        self.outcome.is_failure() && self.site.report && !self.expected && !self.passed_on
    }
}
