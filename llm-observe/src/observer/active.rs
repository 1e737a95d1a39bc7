//! An observer's view of one annotated function, worked out once: what becomes of its calls.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use llm_observe_config::Event;
use tracing::Level;

use super::{Core, passing, tracing_level};
use crate::{
    kernel::{
        call::{Below, Call, Ended, Extra, Ids},
        clock, context,
        error_info::ErrorInfo,
        metrics_table as names,
        outcome::{ErrorClass, Outcome},
        record::Record,
        request::{Exchange, HEADER, Request},
        site::{Kind, Site, TriggerSet},
        stats::Gauge,
        value::{Fields, Value},
    },
    metrics::{RequestMetrics, SiteMetrics},
    spans::SpanSite,
};

/// The figures of a site.
enum Figures {
    Calls(Arc<SiteMetrics>),
    /// The HTTP conventions' own.
    Requests(Arc<RequestMetrics>),
}

/// An observer's view of one annotated function: the attribute's settings over the event's.
pub(crate) struct Active {
    core: Arc<Core>,
    site: &'static Site,
    figures: Figures,
    spans: Option<SpanSite>,
    /// Nanoseconds from which on a call is slow.
    slow: u64,
    /// The level of the line of a successful call.
    level: Level,
    /// The share of successful calls that write a line.
    sample: f64,
    /// How long a call may run, and the number of those that have run longer.
    stalled: Option<(Duration, Gauge)>,
    /// Whether the event's failures alert by its table.
    listed: bool,
    /// Whether nobody is to be told of them, by its table.
    muted: bool,
    only_counted: bool,
}

impl Active {
    pub(super) fn new(core: Arc<Core>, site: &'static Site) -> Active {
        let event = core
            .config
            .events
            .as_ref()
            .and_then(|events| events.get(site.event));
        let slow = site.slow.or(event.and_then(|e: &Event| e.slow));
        let stalled = site
            .stalled
            .or(event.and_then(|e: &Event| e.stalled))
            .map(|limit| {
                let labels = [("event", site.event), ("function", site.function())];
                (limit, core.stats.gauge(names::STALLED, &labels))
            });
        Active {
            level: level(site, event),
            sample: site.sample.or(event.and_then(|e| e.sample)).unwrap_or(1.0),
            figures: match site.request {
                None => Figures::Calls(core.metrics.site(site)),
                Some(request) => Figures::Requests(core.metrics.requests(request)),
            },
            listed: event.is_some_and(|event| event.alert_on_error),
            muted: event.is_some_and(|event| event.mute),
            spans: core.spans.then(|| SpanSite::of(site)),
            slow: slow.map_or(u64::MAX, nanos),
            only_counted: core.sinks.is_empty()
                && !core.spans
                && !records(site)
                && stalled.is_none(),
            stalled,
            core,
            site,
        }
    }

    /// Returns whether a call of the site is counted and timed, and nothing else of it is wanted
    /// by anybody: then it needs no place in a trace.
    #[inline]
    pub(crate) fn is_only_counted(&self) -> bool {
        self.only_counted
    }

    /// Takes note of a call that starts.
    #[inline]
    pub(crate) fn started(&self, call: &mut Call) {
        match &self.figures {
            Figures::Calls(calls) => calls.started(),
            Figures::Requests(requests) => requests.started(),
        }
        if let Some((limit, gauge)) = &self.stalled {
            self.core
                .stalls
                .started(self.site, call.ids(), *limit, gauge);
        }
        if let Some(spans) = &self.spans {
            let ids = call.ids();
            let extra = call.extra();
            extra.tracing = Some(spans.open(ids, extra.links.as_ref()));
        }
    }

    /// Makes the one record of a call and hands it to every sink.
    #[inline]
    pub(crate) fn ended(&self, ids: Ids, extra: Option<Box<Extra>>, ended: Ended) {
        match &self.figures {
            Figures::Calls(calls) => calls.ended(ended.outcome, ended.nanos),
            Figures::Requests(requests) => {
                let exchange = extra.as_ref().and_then(|extra| extra.exchange.as_deref());
                requests.ended(exchange.and_then(|e| e.status), &ended);
            }
        }
        if self.stalled.is_some() {
            self.core.stalls.ended(ids.span, self.core.sinks());
        }
        let counted = self.only_counted && ended.nanos <= self.slow && ended.error.is_none();
        if counted {
            return;
        }
        self.hand_over(ids, extra, ended);
    }

    fn hand_over(&self, ids: Ids, mut extra: Option<Box<Extra>>, mut ended: Ended) {
        let passed = self.pass_on(ids, extra.as_deref_mut(), &mut ended);
        if let Some(extra) = &mut extra {
            self.redact_fields(&mut extra.fields);
            extra
                .exchange
                .iter_mut()
                .for_each(|e| self.redact_exchange(e));
        }
        let span = extra.as_ref().and_then(|extra| extra.tracing.as_ref());
        context::with_request(|request| {
            let record = self.record(ids, extra.as_deref(), &ended, &passed, request);
            self.tell(&record, span);
        });
        if let Some(extra) = extra {
            extra.end();
        }
    }

    /// Hands a record to everybody.
    fn tell(&self, record: &Record<'_>, span: Option<&tracing::Span>) {
        if let Figures::Calls(calls) = &self.figures {
            calls.details(record);
        }
        for sink in &self.core.sinks {
            sink.record(record);
        }
        if let (Some(spans), Some(span)) = (&self.spans, span) {
            spans.close(span, record);
        }
    }

    /// Finds out whether the error came from a call below, and leaves it with the one above.
    fn pass_on(&self, ids: Ids, mut extra: Option<&mut Extra>, ended: &mut Ended) -> Passed {
        let below = extra.as_mut().and_then(|extra| extra.below.take());
        let exchange = extra.and_then(|extra| extra.exchange.as_deref());
        let Some(error) = &mut ended.error else {
            return Passed::default();
        };
        let bare = exchange.is_some() && passing::is_bare_status(error);
        // Compared as they are, told only after redaction.
        let (again, told) = match &below {
            Some(below) => passing::known(error, below, bare),
            None => (false, false),
        };
        if let Some(below) = below.as_ref().filter(|_| again) {
            passing::keep_class(error, &below.error);
        }
        let (seen_above, class) = (error.clone(), error.class);
        if let Some(below) = below.as_ref().filter(|_| bare) {
            passing::explain(error, &below.error);
        }
        self.redact(error);
        let wanted = !ended.expected && self.tells(ended.outcome, class, exchange);
        // What a request to others failed in is no failure yet: whoever made it may try again, and
        // tells of it, as its own, when that does not help.
        if self.site.kind() != Kind::Client {
            let before = below.is_some_and(|below| again && below.reported);
            let below = Below {
                error: seen_above,
                told: told || wanted,
                reported: before || (self.site.report && !ended.expected),
            };
            passing::on(ids, below);
        }
        Passed {
            again,
            quiet: told || !wanted,
        }
    }

    /// Returns whether anybody is told of such a failure, or was meant not to be.
    fn tells(&self, outcome: Outcome, class: ErrorClass, exchange: Option<&Exchange>) -> bool {
        let on = match outcome {
            Outcome::Panic => TriggerSet::PANIC,
            Outcome::Timeout => TriggerSet::TIMEOUT,
            _ => TriggerSet::ERROR,
        };
        let ruled = self.site.alerts.iter().any(|rule| rule.on.intersects(on));
        // The rules of a request are those of all statuses together.
        let ruled = ruled && exchange.is_none_or(|e| e.alerts || outcome == Outcome::Panic);
        ruled || self.muted || (self.listed && !class.is_client_fault())
    }

    fn record<'a>(
        &self,
        ids: Ids,
        extra: Option<&'a Extra>,
        ended: &'a Ended,
        passed: &Passed,
        request: Option<&'a Request>,
    ) -> Record<'a> {
        let exchange = extra.and_then(|extra| extra.exchange.as_deref());
        Record {
            site: self.site,
            outcome: ended.outcome,
            time: clock::wall_micros(ended.end),
            duration: Duration::from_nanos(ended.nanos),
            trace_id: ids.trace,
            span_id: ids.span,
            parent_id: ids.parent,
            error: ended.error.as_deref(),
            fields: extra.map_or(const { &Fields::EMPTY }, |extra| &extra.fields),
            items: extra.and_then(|extra| extra.items),
            quality: extra.and_then(|extra| extra.quality),
            slow: ended.nanos > self.slow,
            expected: ended.expected,
            passed_on: passed.again,
            request,
            exchange,
            quiet: passed.quiet,
            ok_level: exchange.and_then(|e| e.level).unwrap_or(self.level),
            sampled: self.is_sampled(ended.outcome),
        }
    }

    fn is_sampled(&self, outcome: Outcome) -> bool {
        self.sample >= 1.0 || outcome != Outcome::Ok || fastrand::f64() < self.sample
    }

    fn redact(&self, error: &mut ErrorInfo) {
        let redactor = &self.core.redactor;
        for text in std::iter::once(&mut error.message).chain(&mut error.chain) {
            if let Cow::Owned(clean) = redactor.redact(text) {
                *text = clean;
            }
        }
    }

    fn redact_exchange(&self, exchange: &mut Exchange) {
        let redactor = &self.core.redactor;
        if let Cow::Owned(clean) = redactor.redact_url(&exchange.target) {
            exchange.target = clean;
        }
        if let Some(method) = &mut exchange.method
            && let Cow::Owned(clean) = redactor.redact(method)
        {
            *method = clean;
        }
        // The name of a header says whether its value is secret.
        for (attribute, value) in &mut exchange.headers {
            let name = attribute.strip_prefix(HEADER).unwrap_or(attribute);
            let clean = redactor.redact_header(name, value);
            if *clean != **value {
                *value = clean.into_owned();
            }
        }
    }

    fn redact_fields(&self, fields: &mut Fields) {
        for (_, value) in fields.iter_mut() {
            if let Value::Str(text) = value
                && let Cow::Owned(clean) = self.core.redactor.redact(text)
            {
                *text = clean;
            }
        }
    }
}

/// What became of an error that may have come from a call below.
#[derive(Default)]
struct Passed {
    /// It had been recorded there.
    again: bool,
    /// It is not to alert here.
    quiet: bool,
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Active").finish_non_exhaustive()
    }
}

/// Returns whether the attribute records anything on a call.
fn records(site: &Site) -> bool {
    site.has_items || site.has_quality || !site.fields.is_empty()
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
