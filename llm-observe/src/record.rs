//! What is known of a call once it has ended: the one value that every sink reads.
//! Knows no sink.

use std::{fmt, sync::Arc, time::Duration};

use tracing::Level;

use crate::{
    outcome::{Class, Outcome},
    request::{Exchange, Request},
    site::{Kind, Site},
    spare,
};

/// A W3C trace id: 16 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceId(pub(crate) [u64; 2]);

/// A W3C span id: 8 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SpanId(pub(crate) u64);

impl TraceId {
    /// Returns a new random id.
    #[inline]
    pub(crate) fn random() -> TraceId {
        // One bit is given up for an id that is never zero.
        TraceId([fastrand::u64(..), fastrand::u64(..) | 1])
    }

    /// Returns whether this is the invalid, all-zero id.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0[0] == 0 && self.0[1] == 0
    }
}

impl SpanId {
    /// Returns a new random id.
    #[inline]
    pub(crate) fn random() -> SpanId {
        SpanId(fastrand::u64(..) | 1)
    }

    /// Returns whether this is the invalid, all-zero id.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A recorded value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    Str(String),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A truth value.
    Bool(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Str(v) => f.write_str(v),
            Value::I64(v) => v.fmt(f),
            Value::U64(v) => v.fmt(f),
            Value::F64(v) => v.fmt(f),
            Value::Bool(v) => v.fmt(f),
        }
    }
}

/// The fields of a call, in the order they were recorded; a later value replaces an earlier one
/// of the same name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// The fields of a call that recorded none.
    pub const EMPTY: Fields = Fields(Vec::new());

    /// Records `value` under `name`.
    pub fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Returns the value recorded under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// Iterates over names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(n, v)| (*n, v))
    }

    /// Iterates over names and values, which may be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Value)> {
        self.0.iter_mut().map(|(n, v)| (*n, v))
    }

    /// Forgets all of them, and leaves their memory to later ones.
    pub(crate) fn clear(&mut self) {
        self.0.drain(..).for_each(|(_, value)| spare::give(value));
    }

    /// Returns whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An error as it was when the call ended in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorInfo {
    /// The error's Rust type, or `panic`.
    pub type_name: &'static str,
    /// Its `Display` text (its `Debug` text where it has no `Display`).
    pub message: String,
    /// The kind of failure.
    pub class: Class,
    /// The `Display` texts of its `source()` chain, the nearest cause first.
    pub chain: Vec<String>,
    /// Where a panic started, as `file:line:column`.
    pub location: Option<String>,
    /// The frames of a panic, innermost first, where a backtrace was taken.
    pub backtrace: Option<String>,
}

impl ErrorInfo {
    /// Returns an error of that type and text, with no chain.
    pub(crate) fn new(type_name: &'static str, message: String, class: Class) -> ErrorInfo {
        ErrorInfo {
            type_name,
            message,
            class,
            chain: Vec::new(),
            location: None,
            backtrace: None,
        }
    }
}

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

/// Where records go: a logger, metrics, trackers, alerts.
///
/// Called on the caller's thread at the end of every call: it must not block, do I/O or panic.
pub(crate) trait Sink: Send + Sync {
    /// Takes one record.
    fn record(&self, record: &Record<'_>);

    /// Hears of a call that still runs after its `stalled` limit. From a background thread.
    fn stalled(&self, running: &Running) {
        let _ = running;
    }

    /// Hears that such a call has ended.
    fn unstalled(&self, running: &Running) {
        let _ = running;
    }
}

/// A call that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) site: &'static Site,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// How long it has been running.
    pub(crate) duration: Duration,
    /// The HTTP request that it belongs to.
    pub(crate) request: Option<Arc<Request>>,
}
