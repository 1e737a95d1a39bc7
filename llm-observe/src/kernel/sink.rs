//! Where records go: log files, metrics, trackers, alerts, and what a program adds.

use std::{sync::Arc, time::Duration};

use tracing::Level;

use super::{
    alert_rule::Severity,
    ids::{SpanId, TraceId},
    record::Record,
    request_context::RequestContext,
    site::Site,
    value::{Fields, Value},
};
use crate::redact::{Redact, Redacted, Redactor};

/// Receives the record of every call that ends.
///
/// It is called on the caller's thread: it must not block, do I/O or panic. A panic in a sink that
/// a program adds is caught, and the sink misses that record.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use llm_observe::{Observer, Record, observe, redact::Redacted, sink::Sink};
///
/// #[derive(Clone, Default)]
/// struct Slowest(Arc<Mutex<Option<(String, std::time::Duration)>>>);
///
/// impl Sink for Slowest {
///     fn record(&self, record: &Redacted<Record<'_>>) {
///         let mut slowest = self.0.lock().unwrap_or_else(|e| e.into_inner());
///         if slowest.as_ref().is_none_or(|(_, most)| record.duration > *most) {
///             *slowest = Some((record.site.function().to_owned(), record.duration));
///         }
///     }
/// }
///
/// #[observe]
/// fn embed(text: &str) -> usize {
///     text.len()
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let config = llm_observe::config::Config::parse(
/// #     "[log]\nenabled = false\nconsole = \"never\"\n[server]\nlisten = \"off\"\n", "x".as_ref())?;
/// let slowest = Slowest::default();
/// let _observer = Observer::builder().sink(slowest.clone())
///     # .config(config)
///     .install()?;
/// embed("a text");
/// let (function, duration) = slowest.0.lock().unwrap().clone().unwrap();
/// println!("{function} took {duration:?}");
/// # assert!(function.ends_with("embed"));
/// # Ok(())
/// # }
/// ```
pub trait Sink: Send + Sync + 'static {
    /// Receives the record of a call that has ended.
    fn record(&self, record: &Redacted<Record<'_>>);

    /// Receives a line that was logged through `tracing` or `log`, where `[log]` takes its level.
    fn event(&self, event: &Redacted<LogEvent<'_>>) {
        let _ = event;
    }

    /// Receives a call that still runs after its `stalled` limit. From a background thread.
    fn stalled(&self, call: &Redacted<RunningCall>) {
        let _ = call;
    }

    /// Receives a call that was stalled and has ended.
    fn unstalled(&self, call: &Redacted<RunningCall>) {
        let _ = call;
    }

    /// Receives that the calls of an event have reached a threshold, such as half of a budget. Mostly from a
    /// background thread.
    fn reached(&self, threshold: &Redacted<ThresholdReached>) {
        let _ = threshold;
    }
}

/// A threshold that the calls of an event have reached, such as half of a budget.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ThresholdReached {
    /// The event.
    pub event: String,
    /// The function of the call that was the last before this was noticed, with the path of its module.
    pub function: String,
    /// The trace of that call.
    pub trace_id: TraceId,
    /// When it was noticed: microseconds since the Unix epoch.
    pub time: u64,
    /// Identifies the threshold, and the period it was reached in, among those of the event.
    pub threshold: String,
    /// How bad it is.
    pub severity: Severity,
    /// Says it to people: "80 % used, $40.12 of $50.00 per 1d".
    pub message: String,
}

impl Redact for ThresholdReached {
    /// Its texts are of the program and of its configuration.
    fn redact(&mut self, _: &Redactor) {}
}

/// A line that was logged through `tracing` or `log`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogEvent<'a> {
    /// When it was logged: microseconds since the Unix epoch.
    pub time: u64,
    /// Its level.
    pub level: Level,
    /// Its target: the module it was logged in, unless it sets another.
    pub target: &'a str,
    /// Its message.
    pub message: &'a str,
    /// Its fields.
    pub fields: &'a [(&'static str, Value)],
    /// The trace of the call it was logged in; [`TraceId::is_none`] outside of all calls.
    pub trace_id: TraceId,
    /// The span of that call.
    pub span_id: SpanId,
    /// The flags of that trace (W3C Trace Context): 1 is sampled.
    pub trace_flags: u8,
    /// The request it was logged in.
    pub request: Option<&'a RequestContext>,
}

/// A call that has not ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunningCall {
    /// The annotated function.
    pub site: &'static Site,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own span.
    pub span_id: SpanId,
    /// The flags of its trace (W3C Trace Context): 1 is sampled.
    pub trace_flags: u8,
    /// How long it has been running.
    pub duration: Duration,
    /// The ids and the baggage of its context: see [`context`](crate::context()).
    pub fields: Fields,
    /// The request that it belongs to.
    pub request: Option<Arc<RequestContext>>,
    pub(crate) alerts: bool,
}

impl RunningCall {
    /// Returns whether a rule asks for an alert.
    #[must_use]
    pub const fn alerts(&self) -> bool {
        self.alerts
    }
}

impl Redact for RunningCall {
    fn redact(&mut self, redactor: &Redactor) {
        for (name, value) in self.fields.iter_mut() {
            value.redact(name, redactor);
        }
        let Some(request) = &mut self.request else {
            return;
        };
        let link = request.session_url.as_deref();
        let clean = link.map(|link| redactor.redact_url(link).into_owned());
        if clean != request.session_url {
            Arc::make_mut(request).session_url = clean;
        }
    }
}
