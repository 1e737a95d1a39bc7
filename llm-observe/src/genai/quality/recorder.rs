//! Records scores: as an event of the conventions, in the histogram, and where one is under the
//! `min_quality` of its call, for alerts.

use std::{fmt, sync::Arc};

use llm_observe_config::Config;
use tracing::Level;

use super::Score;
use crate::{
    genai::{metrics, names, state::GenAiState},
    kernel::{
        alert_rule::TriggerSet,
        bounded_names::{BoundedNames, OTHER},
        clock, context,
        context::Ambient,
        dispatch,
        extra::{Extra, LowScore},
        ids::{SpanId, TraceId},
        request_context::SAMPLED,
        sink::{LogEvent, ScoredCall, Sink},
        site::Site,
        stats::Stats,
        value::Value,
    },
    metrics::Metrics,
    observer::Setup,
    redact::{Redact, Redactor},
};

/// Records a score with the observer of this thread's calls.
pub(super) fn record(score: &Score) {
    dispatch::with_extension(|_, state: &GenAiState| state.quality.record(score));
}

/// Where scores go.
pub(crate) struct QualityRecorder {
    metrics: Arc<Metrics>,
    stats: Arc<Stats>,
    redactor: Arc<Redactor>,
    sinks: Vec<Arc<dyn Sink>>,
    /// The values of labels so far.
    names: BoundedNames,
    events: BoundedNames,
    /// The events that do not alert.
    muted: Vec<String>,
}

/// Which call a score is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) site: Option<&'static Site>,
    pub(super) event: Option<&'a str>,
    /// Whether what the thread's work carries belongs to the call.
    is_here: bool,
}

impl Place<'_> {
    /// Returns the call that runs on this thread; `None` outside of all calls.
    pub(super) fn here() -> Option<Place<'static>> {
        let (trace, span) = context::parent();
        let site = context::site();
        (!trace.is_none()).then_some(Place {
            trace,
            span,
            site,
            event: site.map(|site| site.event),
            is_here: true,
        })
    }

    fn of(score: &Score) -> Option<Place<'_>> {
        let Some(trace) = score.trace else {
            let here = Place::here()?;
            return Some(Place {
                event: score.event.as_deref().or(here.event),
                span: score.span.unwrap_or(here.span),
                ..here
            });
        };
        Some(Place {
            trace,
            span: score.span.unwrap_or_default(),
            site: None,
            event: score.event.as_deref(),
            is_here: false,
        })
    }
}

/// The fields of an event.
struct Fields(Vec<(&'static str, Value)>);

impl Redact for Fields {
    fn redact(&mut self, redactor: &Redactor) {
        for (name, value) in &mut self.0 {
            value.redact(name, redactor);
        }
    }
}

impl QualityRecorder {
    pub(crate) fn new(setup: &Setup<'_>) -> QualityRecorder {
        let (config, stats): (&Config, _) = (setup.config, setup.stats);
        let limit = config.metrics.max_label_values;
        let names = |label| BoundedNames::new(label, limit, stats).redacted_by(setup.redactor);
        let events = config.events.iter().flatten();
        QualityRecorder {
            metrics: setup.metrics.clone(),
            stats: stats.clone(),
            redactor: setup.redactor.clone(),
            sinks: setup.sinks.to_vec(),
            names: names("name"),
            events: names("event"),
            muted: events
                .filter(|(_, event)| event.mute)
                .map(|(name, _)| name.clone())
                .collect(),
        }
    }

    /// Records a score of the call that it names, or else of the one that runs.
    pub(crate) fn record(&self, score: &Score) {
        if let Some(place) = Place::of(score) {
            self.record_at(score, place);
        }
    }

    fn record_at(&self, score: &Score, place: Place<'_>) {
        let value = Some(score.value).filter(|value| value.is_finite());
        if value.is_none() && score.label.is_none() {
            return;
        }
        if let Some(value) = value.filter(|value| (0.0..=1.0).contains(value)) {
            let event = self.event(place.event, place.site);
            let labels = [
                ("event", &*event),
                ("name", &*self.names.bounded(&score.name)),
            ];
            self.metrics
                .observe(metrics::EVALUATION_SCORE, &labels, value);
        }
        let low = place.site.filter(|site| site.is_low(value)).zip(value);
        let mut fields = vec![(names::EVALUATION_NAME, Value::Str(score.name.clone()))];
        fields.extend(value.map(|value| (names::EVALUATION_VALUE, Value::F64(value))));
        for (name, text) in [
            (names::EVALUATION_LABEL, &score.label),
            (names::EVALUATION_EXPLANATION, &score.explanation),
        ] {
            fields.extend(text.clone().map(|text| (name, Value::Str(text))));
        }
        let level = match low {
            Some(_) => Level::WARN,
            None => Level::INFO,
        };
        self.write(place, level, fields);
        if let Some((site, value)) = low {
            self.scored_low(&score.name, value, place, site);
        }
    }

    /// Records that an evaluation has failed.
    pub(super) fn failed(&self, name: &str, error_type: &str, message: String) {
        let Some(place) = Place::here() else { return };
        let mut fields = vec![
            (names::EVALUATION_NAME, Value::Str(name.to_owned())),
            (names::ERROR_TYPE, Value::Str(error_type.to_owned())),
        ];
        if !message.is_empty() {
            fields.push((names::EXCEPTION_MESSAGE, Value::Str(message)));
        }
        self.write(place, Level::WARN, fields);
    }

    /// Counts an evaluation without a result.
    pub(super) fn lost(&self, name: &'static str, reason: &str) {
        let site = context::site();
        let event = site.map_or(OTHER, |site| site.event);
        let labels = [("event", event), ("name", name), ("reason", reason)];
        self.stats
            .counter(metrics::EVALUATIONS_LOST, &labels)
            .add(1);
    }

    /// Returns the value of the label; a name that a site has is bounded already.
    fn event(&self, event: Option<&str>, site: Option<&'static Site>) -> Arc<str> {
        match (event, site) {
            (Some(event), Some(site)) if event == site.event => event.into(),
            (Some(event), _) => self.events.bounded(event),
            (None, _) => OTHER.into(),
        }
    }

    fn write(&self, place: Place<'_>, level: Level, fields: Vec<(&'static str, Value)>) {
        let ambient = match place.is_here {
            true => context::ambient(),
            false => Ambient::default(),
        };
        let mut fields = Fields(fields);
        let carried = ambient.carried.iter().flat_map(|carried| carried.iter());
        let carried = carried.map(|(name, value)| (name, Value::Str(value.to_owned())));
        fields.0.extend(carried);
        let fields = self.redactor.redacted(fields);
        let event = fields.as_ref().map(|fields| LogEvent {
            time: clock::now_micros(),
            level,
            target: place.site.map_or("llm_observe", |site| site.target),
            message: names::EVALUATION_RESULT,
            fields: &fields.0,
            trace_id: place.trace,
            span_id: place.span,
            trace_flags: match place.is_here {
                true => ambient.trace_flags(),
                false => SAMPLED,
            },
            request: ambient.request.as_deref(),
        });
        self.sinks.iter().for_each(|sink| sink.event(&event));
    }

    /// Leaves a low score with the call, where it runs on this thread; else it is for alerts at once.
    fn scored_low(&self, name: &str, value: f64, place: Place<'_>, site: &'static Site) {
        let is_left = context::change(|current| {
            let runs = current.site.is_some() && current.span == place.span;
            if runs {
                let extra = current.extra.get_or_insert_with(Extra::from_pool);
                let before = extra.low_score.as_ref().map(|low| low.value);
                if before.is_none_or(|before| value < before) {
                    let name = name.to_owned();
                    extra.low_score = Some(Box::new(LowScore { name, value }));
                }
            }
            runs
        });
        if is_left == Some(true) {
            return;
        }
        let rules = site.alerts.iter();
        let has_rule = rules.fold(TriggerSet::EMPTY, |all, rule| all.or(rule.on));
        let alerts = has_rule.intersects(TriggerSet::LOW_QUALITY)
            && self.muted.iter().all(|event| event != site.event);
        let call = self.redactor.redacted(ScoredCall {
            site,
            trace_id: place.trace,
            span_id: place.span,
            name: name.to_owned(),
            value,
            alerts,
        });
        self.sinks.iter().for_each(|sink| sink.scored_low(&call));
    }
}

impl fmt::Debug for QualityRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QualityRecorder").finish_non_exhaustive()
    }
}
