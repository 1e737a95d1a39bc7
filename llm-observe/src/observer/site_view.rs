//! An observer's view of one site, worked out once: what happens to its calls.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use llm_observe_config::Event;
use tracing::Level;

use super::{
    child_failure::{self, Known},
    decision::{AlertPolicy, Decision, End},
    pipeline::{Pipeline, tracing_level},
};
use crate::{
    kernel::{
        clock,
        context::{self, Ambient},
        error_info::ErrorInfo,
        extra::{CallEnd, CallIds, ChildFailure, Extra, SiteObserver},
        metrics_table as names,
        operation::{Operation, OperationEnd},
        outcome::{ErrorClass, Outcome},
        record::Record,
        site::Site,
        stats::Gauge,
        value::Fields,
    },
    metrics::{OperationMetrics, SiteMetrics},
    redact::{Redact, Redacted, Redactor},
    spans::{self, SpanSite},
};

/// The metrics of a site.
enum SiteInstruments {
    Calls(Arc<SiteMetrics>),
    /// Those of its operation's conventions.
    Operations(Arc<OperationMetrics>),
}

/// An observer's view of one site: the attribute's settings over the event's.
pub(super) struct SiteView {
    pipeline: Arc<Pipeline>,
    site: &'static Site,
    instruments: SiteInstruments,
    spans: Option<SpanSite>,
    /// Nanoseconds from which on a call is slow.
    slow: u64,
    /// The level of the line of a successful call.
    level: Level,
    /// The share of successful calls that write a line.
    sample: f64,
    /// How long a call may run, and the number of those that have run longer.
    stalled: Option<(Duration, Gauge)>,
    alerts: AlertPolicy,
    only_counted: bool,
}

impl SiteView {
    pub(super) fn new(pipeline: Arc<Pipeline>, site: &'static Site) -> SiteView {
        let events = pipeline.config.events.as_ref();
        let event = events.and_then(|events| events.get(site.event));
        let slow = site.slow.or(event.and_then(|e: &Event| e.slow));
        let stalled = site.stalled.or(event.and_then(|e: &Event| e.stalled));
        let stalled = stalled.map(|limit| {
            let labels = [("event", site.event), ("function", site.function())];
            (limit, pipeline.stats.gauge(names::STALLED, &labels))
        });
        SiteView {
            level: level(site, event),
            sample: site.sample.or(event.and_then(|e| e.sample)).unwrap_or(1.0),
            instruments: match site.operation() {
                None => SiteInstruments::Calls(pipeline.metrics.site(site)),
                Some(operation) => {
                    SiteInstruments::Operations(pipeline.metrics.operations(operation))
                }
            },
            spans: pipeline
                .spans
                .then(|| SpanSite::of(site, pipeline.baggage_keys)),
            slow: slow.map_or(u64::MAX, nanos),
            alerts: AlertPolicy::new(site, event),
            only_counted: pipeline.sinks.is_empty()
                && !pipeline.spans
                && !records(site)
                && stalled.is_none(),
            stalled,
            pipeline,
            site,
        }
    }

    fn hand_over(&self, ids: CallIds, mut extra: Option<Box<Extra>>, mut end: CallEnd) {
        if let Some(operation) = extra.as_mut().and_then(|extra| extra.operation.as_mut()) {
            operation.ended(&self.operation_end(&end));
        }
        let (passed_on, decision) = self.pass_on(ids, extra.as_deref_mut(), &mut end);
        let error = end.error.take();
        context::with_ambient(|ambient| {
            if let Some(carried) = &ambient.carried {
                carried.add_to(&mut extra.get_or_insert_with(Extra::from_pool).fields);
            }
            let ended = self.pipeline.redactor.redacted(Ended { extra, error });
            let (decided, view) = (&(passed_on, decision), ended.as_ref());
            let record = view.map(|ended| self.record(ids, ended, &end, decided, ambient));
            let span = view.extra.as_ref().and_then(|extra| extra.tracing.as_ref());
            self.emit(&record, span);
            if let Some(extra) = ended.into_inner().extra {
                extra.recycle();
            }
        });
    }

    fn operation_end(&self, end: &CallEnd) -> OperationEnd {
        OperationEnd {
            event: self.site.event,
            function: self.site.function(),
            outcome: end.outcome,
            class: end.error.as_ref().map(|error| error.class),
            duration: Duration::from_nanos(end.nanos),
        }
    }

    /// Hands a record to everything that takes it.
    fn emit(&self, record: &Redacted<Record<'_>>, span: Option<&tracing::Span>) {
        if let SiteInstruments::Calls(calls) = &self.instruments {
            calls.details(record);
        }
        for sink in &self.pipeline.sinks {
            sink.record(record);
        }
        if let (Some(spans), Some(span)) = (&self.spans, span) {
            spans.close(span, record);
        }
    }

    /// Finds out whether the error came from a call below and what is alerted, and leaves the error
    /// with the call above.
    fn pass_on(
        &self,
        ids: CallIds,
        mut extra: Option<&mut Extra>,
        end: &mut CallEnd,
    ) -> (bool, Decision) {
        let child = extra.as_mut().and_then(|extra| extra.child.take());
        let extra = extra.as_deref();
        let Some(error) = &mut end.error else {
            return (false, self.decide_without_error(end, extra));
        };
        let operation = extra.and_then(|extra| extra.operation.as_deref());
        let bare = operation.is_some_and(|operation| operation.is_bare_status(error));
        // Compared before redaction, which may make different errors alike.
        let known = child
            .as_ref()
            .map(|child| child_failure::known(error, child, bare));
        let known = known.unwrap_or_default();
        if let Some(child) = child.as_ref().filter(|_| known.again) {
            child_failure::keep_class(error, &child.error);
        }
        let as_it_was = error.clone();
        if let Some(child) = child.as_ref().filter(|_| bare) {
            child_failure::explain(error, &child.error);
        }
        let expected_below = known.expected && end.outcome == Outcome::Error;
        end.expected |= expected_below && !self.alerts.overrides_expected();
        let decision = self.alerts.decide(&self.end(end, extra, known));
        // An attempt that failed is no failure yet: the call above may make another one, and has
        // the error as its own when that does not help.
        if !operation.is_some_and(Operation::is_attempt) {
            let before = child.is_some_and(|child| known.again && child.reported);
            let failure = ChildFailure {
                error: as_it_was,
                alerted: decision.settled,
                reported: before || (self.site.report && !end.expected),
                expected: end.expected,
            };
            child_failure::leave(ids, failure);
        }
        (known.again, decision)
    }

    /// Decides about a call without an error; most of them give no reason to notify anybody.
    #[inline]
    fn decide_without_error(&self, end: &CallEnd, extra: Option<&Extra>) -> Decision {
        let is_good = end.outcome == Outcome::Ok
            && end.nanos <= self.slow
            && !self.site.is_low(extra.and_then(|extra| extra.quality));
        if is_good {
            return Decision::default();
        }
        self.alerts.decide(&self.end(end, extra, Known::default()))
    }

    /// Returns what the decision about alerts is made from.
    fn end(&self, end: &CallEnd, extra: Option<&Extra>, known: Known) -> End {
        let operation = extra.and_then(|extra| extra.operation.as_deref());
        let quality = extra.and_then(|extra| extra.quality);
        End {
            outcome: end.outcome,
            class: end.error.as_ref().map(|error| error.class),
            expected: end.expected,
            slow: end.nanos > self.slow,
            low_quality: self.site.is_low(quality),
            may_alert: operation.is_none_or(|operation| operation.may_alert(end.outcome)),
            alerted_below: known.alerted,
            // What was expected below was not reported there.
            passed_on: known.again && !known.expected,
        }
    }

    fn record<'a>(
        &self,
        ids: CallIds,
        ended: &'a Ended,
        end: &CallEnd,
        (passed_on, decision): &(bool, Decision),
        ambient: &'a Ambient,
    ) -> Record<'a> {
        let extra = ended.extra.as_deref();
        let operation = extra.and_then(|extra| extra.operation.as_deref());
        Record {
            site: self.site,
            outcome: end.outcome,
            time: clock::wall_micros(end.end),
            duration: Duration::from_nanos(end.nanos),
            trace_id: ids.trace,
            span_id: ids.span,
            parent_id: ids.parent,
            trace_flags: ambient.trace_flags(),
            error: ended.error.as_deref(),
            fields: extra.map_or(const { &Fields::EMPTY }, |extra| &extra.fields),
            items: extra.and_then(|extra| extra.items),
            chunks: extra.and_then(|extra| extra.chunks),
            quality: extra.and_then(|extra| extra.quality),
            slow: end.nanos > self.slow,
            expected: end.expected,
            passed_on: *passed_on,
            request: ambient.request.as_deref(),
            operation,
            alerts: decision.alerts,
            reported: decision.reported,
            ok_level: operation
                .and_then(Operation::ok_level)
                .unwrap_or(self.level),
            sampled: self.is_sampled(end.outcome),
        }
    }

    fn is_sampled(&self, outcome: Outcome) -> bool {
        self.sample >= 1.0 || outcome != Outcome::Ok || fastrand::f64() < self.sample
    }
}

impl SiteObserver for SiteView {
    #[inline]
    fn is_only_counted(&self) -> bool {
        self.only_counted
    }

    #[inline]
    fn started(&self, ids: CallIds, extra: &mut Option<Box<Extra>>) {
        match &self.instruments {
            SiteInstruments::Calls(calls) => calls.started(),
            SiteInstruments::Operations(operations) => operations.started(),
        }
        if let Some((limit, gauge)) = &self.stalled {
            let alerts = self.alerts.alerts_stalled();
            self.pipeline
                .stalls
                .started(self.site, ids, *limit, gauge, alerts);
        }
        if let Some(spans) = &self.spans
            && spans::are_wanted()
        {
            let extra = extra.get_or_insert_with(Extra::from_pool);
            extra.tracing = Some(spans.open(ids, extra.links.as_ref()));
        }
    }

    #[inline]
    fn ended(&self, ids: CallIds, extra: Option<Box<Extra>>, end: CallEnd) {
        match &self.instruments {
            SiteInstruments::Calls(calls) => calls.ended(end.outcome, end.nanos),
            SiteInstruments::Operations(operations) => {
                let operation = extra.as_ref().and_then(|extra| extra.operation.as_deref());
                let class = end.error.as_ref().map_or(ErrorClass::Other, |e| e.class);
                operations.ended(operation, end.outcome, class, end.nanos);
            }
        }
        if self.stalled.is_some() {
            let (redactor, sinks) = (&self.pipeline.redactor, self.pipeline.sinks());
            self.pipeline.stalls.ended(ids.span, redactor, sinks);
        }
        let counted = self.only_counted && end.nanos <= self.slow && end.error.is_none();
        if !counted {
            self.hand_over(ids, extra, end);
        }
    }
}

/// What a call leaves that may hold secrets.
struct Ended {
    extra: Option<Box<Extra>>,
    error: Option<Box<ErrorInfo>>,
}

impl Redact for Ended {
    fn redact(&mut self, redactor: &Redactor) {
        if let Some(error) = &mut self.error {
            let texts = std::iter::once(&mut error.message).chain(&mut error.chain);
            texts.for_each(|text| redact(redactor, text));
        }
        if let Some(extra) = &mut self.extra {
            for (name, value) in extra.fields.iter_mut() {
                value.redact(name, redactor);
            }
            if let Some(operation) = &mut extra.operation {
                operation.redact(redactor);
            }
        }
    }
}

fn redact(redactor: &Redactor, text: &mut String) {
    if let Cow::Owned(clean) = redactor.redact(text) {
        *text = clean;
    }
}

impl fmt::Debug for SiteView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteView").finish_non_exhaustive()
    }
}

/// Returns whether the attribute records anything on a call.
fn records(site: &Site) -> bool {
    site.has_items
        || site.has_quality
        || site.has_stream
        || site.performs.is_some()
        || !site.fields.is_empty()
}

/// Returns the attribute's level where it names one other than the usual, else the event's.
fn level(site: &Site, event: Option<&Event>) -> Level {
    match event.and_then(|event| event.level) {
        Some(configured) if site.level == Level::INFO => tracing_level(configured),
        _ => site.level,
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
