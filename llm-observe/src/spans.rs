//! Spans and events of calls for a `tracing` subscriber that is not ours.
//!
//! `tracing` wants its metadata for ever and from the macros; the sites of `#[observe]` are
//! described at run time, once each, and kept for the life of the program.

use std::{
    cell::Cell,
    collections::HashSet,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing::{
    Metadata, Span,
    callsite::{self, Callsite, Identifier},
    dispatcher,
    field::{Field, FieldSet, Value as FieldValue, display},
    metadata::Kind,
    subscriber::Interest,
};

use crate::kernel::{
    carried, extra::CallIds, fork_mutex::ForkMutex, links::Links, record::Record, site::Site,
    value::Value,
};

/// A callsite made at run time. Always asks the subscriber: its interest is not cached.
struct Dynamic {
    metadata: OnceLock<Metadata<'static>>,
    fallback: &'static Metadata<'static>,
}

impl Callsite for Dynamic {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata.get().unwrap_or(self.fallback)
    }
}

/// The metadata of a callsite in the instant before it is described.
static NOTHING: NothingCallsite = NothingCallsite;
static NOTHING_METADATA: Metadata<'static> = Metadata::new(
    "undescribed",
    "llm_observe",
    tracing::Level::TRACE,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&NOTHING)),
    Kind::EVENT,
);

struct NothingCallsite;

impl Callsite for NothingCallsite {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &NOTHING_METADATA
    }
}

/// The names of the fields that every span and event of a call may have.
const SPAN_FIELDS: [&str; 10] = [
    "event",
    "trace_id",
    "span_id",
    "outcome",
    "duration_ms",
    "error.type",
    "error.message",
    carried::CONVERSATION,
    carried::USER,
    carried::TENANT,
];
/// Those of a call that is an operation besides, read by the layers of OpenTelemetry.
const OTEL_NAME: &str = "otel.name";
const OTEL_KIND: &str = "otel.kind";
const EVENT_FIELDS: [&str; 1] = ["message"];

fn describe(
    site: &'static Site,
    level: tracing::Level,
    fields: &'static [&'static str],
    kind: Kind,
) -> &'static Metadata<'static> {
    let callsite: &'static Dynamic = Box::leak(Box::new(Dynamic {
        metadata: OnceLock::new(),
        fallback: &NOTHING_METADATA,
    }));
    let metadata = callsite.metadata.get_or_init(|| {
        let fields = FieldSet::new(fields, Identifier(callsite));
        let (file, module) = (Some(site.file), Some(site.module));
        Metadata::new(
            site.name,
            site.target,
            level,
            file,
            Some(site.line),
            module,
            fields,
            kind,
        )
    });
    if let Some(mut described) = DESCRIBED.lock() {
        described
            .get_or_insert_default()
            .insert(metadata.callsite());
    }
    callsite::register(callsite);
    metadata
}

/// The callsites of calls: nothing that the program wrote.
static DESCRIBED: ForkMutex<Option<HashSet<Identifier>>> = ForkMutex::new(None);

/// Returns whether a callsite is that of a call.
pub(crate) fn is_described(metadata: &Metadata<'_>) -> bool {
    let described = DESCRIBED.lock();
    described.is_some_and(|all| {
        all.as_ref()
            .is_some_and(|all| all.contains(&metadata.callsite()))
    })
}

/// Whether nobody wants the spans and events of calls, since the subscriber is ours.
static UNWANTED: AtomicBool = AtomicBool::new(false);

/// Takes note that the program's one subscriber is ours, which does without the spans of calls.
pub(crate) fn subscriber_is_ours() {
    UNWANTED.store(true, Ordering::Relaxed);
}

/// Returns whether there is a subscriber that may want spans and events of calls.
#[inline]
pub(crate) fn are_wanted() -> bool {
    dispatcher::has_been_set() && !UNWANTED.load(Ordering::Relaxed)
}

/// The span and the events of one annotated function.
pub(crate) struct SpanSite {
    span: OnceLock<&'static Metadata<'static>>,
    baggage_keys: Vec<&'static str>,
    events: [OnceLock<&'static Metadata<'static>>; 5],
    site: &'static Site,
}

impl SpanSite {
    /// Describes the span of `site`, which may have values of those keys of baggage.
    pub(crate) fn of(site: &'static Site, baggage_keys: &[&'static str]) -> SpanSite {
        SpanSite {
            span: OnceLock::new(),
            baggage_keys: baggage_keys.to_vec(),
            events: std::array::from_fn(|_| OnceLock::new()),
            site,
        }
    }

    /// Describes the span of the site; once, when the first one is opened.
    fn describe(&self) -> &'static Metadata<'static> {
        self.span.get_or_init(|| {
            let names: Vec<&'static str> = SPAN_FIELDS
                .into_iter()
                .chain(self.site.fields.iter().copied())
                .chain(self.baggage_keys.iter().copied())
                .chain(operation_fields(self.site))
                .collect();
            describe(self.site, self.site.level, names.leak(), Kind::SPAN)
        })
    }

    /// Opens a span under the current one.
    pub(crate) fn open(&self, ids: CallIds, links: Option<&Links>) -> Span {
        let metadata = self.describe();
        if !is_enabled(metadata) {
            return Span::none();
        }
        let fields = metadata.fields();
        let (Some(event), Some(trace), Some(id)) = (
            fields.field("event"),
            fields.field("trace_id"),
            fields.field("span_id"),
        ) else {
            return Span::none();
        };
        // A span has no such field where its call is no operation.
        let kind_field = fields.field(OTEL_KIND);
        let kind = self.site.kind().as_str();
        let kind: Option<&dyn FieldValue> = kind_field.as_ref().map(|_| &kind as _);
        let values: [(&Field, Option<&dyn FieldValue>); 4] = [
            (&event, Some(&self.site.event)),
            (&trace, Some(&display(ids.trace))),
            (&id, Some(&display(ids.span))),
            (kind_field.as_ref().unwrap_or(&event), kind),
        ];
        let values = fields.value_set(&values);
        let Some(links) = links else {
            return Span::new(metadata, &values);
        };
        let span = match links.explicit_parent() {
            None => Span::new(metadata, &values),
            Some(parent) => Span::child_of(parent, metadata, &values),
        };
        links.mark(&span);
        span
    }

    /// Records on the span how the call ended, and emits the call's event in it.
    pub(crate) fn close(&self, span: &Span, record: &Record<'_>) {
        span.record("outcome", record.outcome.as_str());
        span.record("duration_ms", record.duration.as_secs_f64() * 1e3);
        if let Some(error) = record.error {
            span.record("error.type", error.type_name);
            span.record("error.message", error.message.as_str());
        }
        for (name, value) in record.fields.iter() {
            record_value(span, name, value);
        }
        if let Some(operation) = record.operation {
            if let Some(name) = operation.span_name() {
                span.record(OTEL_NAME, &*name);
            }
            operation.attributes(&mut |attribute, value| {
                if !attribute.name().is_empty() {
                    record_value(span, attribute.name(), &value.to_value());
                }
            });
        }
        span.in_scope(|| self.emit(record));
    }

    fn emit(&self, record: &Record<'_>) {
        let level = record.level();
        let Some(cell) = self.events.get(level_index(level)) else {
            return;
        };
        let metadata = *cell.get_or_init(|| describe(self.site, level, &EVENT_FIELDS, Kind::EVENT));
        if let Some(field) = metadata.fields().field("message")
            && is_enabled(metadata)
        {
            let message = format!(
                "{} {} in {:?}",
                self.site.event, record.outcome, record.duration
            );
            let values: [(&Field, Option<&dyn FieldValue>); 1] =
                [(&field, Some(&display(message)))];
            let _ = EMITTING.try_with(|emitting| emitting.set(true));
            tracing::Event::dispatch(metadata, &metadata.fields().value_set(&values));
            let _ = EMITTING.try_with(|emitting| emitting.set(false));
        }
    }
}

fn operation_fields(site: &'static Site) -> impl Iterator<Item = &'static str> {
    let operation = site.performs.into_iter();
    operation.flat_map(|operation| {
        let attributes = operation.attributes.iter().copied();
        attributes.chain([OTEL_NAME, OTEL_KIND])
    })
}

thread_local! {
    static EMITTING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread is emitting a call's own event.
pub(crate) fn is_emitting() -> bool {
    EMITTING.try_with(Cell::get).unwrap_or(false)
}

/// Asks the subscriber, as the macros of `tracing` do before they make a span or an event.
fn is_enabled(metadata: &'static Metadata<'static>) -> bool {
    dispatcher::get_default(|dispatch| dispatch.enabled(metadata))
}

fn level_index(level: tracing::Level) -> usize {
    use tracing::Level;
    match level {
        Level::TRACE => 0,
        Level::DEBUG => 1,
        Level::INFO => 2,
        Level::WARN => 3,
        Level::ERROR => 4,
    }
}

fn record_value(span: &Span, name: &str, value: &Value) {
    match value {
        Value::Str(v) => span.record(name, v.as_str()),
        Value::I64(v) => span.record(name, v),
        Value::U64(v) => span.record(name, v),
        Value::F64(v) => span.record(name, v),
        Value::Bool(v) => span.record(name, v),
    };
}
