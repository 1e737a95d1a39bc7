//! Receives events of `tracing`, and of `log` through it, and writes them to the same lines as calls.
//! Knows lines, not files.

use std::{
    borrow::Cow,
    cell::Cell,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    subscriber::Interest,
};
use tracing_log::NormalizeEvent;
use tracing_subscriber::layer::Context;

use super::lines::Lines;
use crate::{
    kernel::{
        clock, context, describe,
        pool::{self, MOST_TEXT, prefix},
        sink::LogEvent,
        user_text,
        value::Value,
    },
    redact::{Redact, Redacted, Redactor},
    spans,
};

/// Writes every event to the lines of an observer.
///
/// For programs that compose their own subscriber: [`Observer::layer`](crate::Observer::layer). It can
/// be created before the observer. Until there is one, it does nothing.
#[derive(Debug, Default)]
pub struct Layer {
    lines: Option<Arc<Lines>>,
}

static GLOBAL: OnceLock<Arc<Lines>> = OnceLock::new();

/// Whether the program has made a layer: it composes a subscriber of its own.
static MADE: AtomicBool = AtomicBool::new(false);

/// Returns a layer for a subscriber of the program's own.
pub(crate) fn layer() -> Layer {
    MADE.store(true, Ordering::Relaxed);
    Layer::default()
}

/// Returns whether the program has made a layer.
pub(crate) fn is_layer_made() -> bool {
    MADE.load(Ordering::Relaxed)
}

/// Gives the program's lines to layers that were created without.
pub(crate) fn install(lines: Arc<Lines>) {
    // A second observer is refused before this.
    let _ = GLOBAL.set(lines);
}

impl Layer {
    /// Returns a layer that writes to `lines`.
    pub(crate) fn over(lines: Arc<Lines>) -> Layer {
        Layer { lines: Some(lines) }
    }

    fn lines(&self) -> Option<&Lines> {
        self.lines
            .as_deref()
            .or_else(|| GLOBAL.get().map(|lines| &**lines))
    }
}

impl<S: Subscriber> tracing_subscriber::Layer<S> for Layer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match &self.lines {
            // Spans are not written, but other layers may use them.
            Some(lines) if metadata.is_event() && !lines.takes_event(metadata) => Interest::never(),
            Some(_) => Interest::always(),
            // The global lines may be installed later, with another filter.
            None => Interest::sometimes(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.lines.is_none()
            || metadata.is_span()
            || self
                .lines()
                .is_some_and(|lines| lines.takes_event(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.lines.as_ref().and_then(|lines| lines.max_level())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // An event that a call emits for other subscribers: its line is already written.
        if spans::is_emitting() {
            return;
        }
        if let Some(lines) = self.lines() {
            write(lines, event);
        }
    }
}

fn write(lines: &Lines, event: &Event<'_>) {
    let normalized = event.normalized_metadata();
    let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
    if !lines.takes_event(metadata) {
        return;
    }
    let mut parts = Parts::take();
    event.record(&mut parts);
    let (trace_id, span_id) = context::parent();
    let ambient = context::ambient();
    if let Some(carried) = &ambient.carried {
        carried.iter().for_each(|value| parts.add_carried(value));
    }
    let parts = lines.redacted(parts);
    let event = parts.as_ref().map(|parts| LogEvent {
        time: clock::now_micros(),
        level: *metadata.level(),
        target: metadata.target(),
        message: &parts.message,
        fields: &parts.fields,
        trace_id,
        span_id,
        trace_flags: ambient.trace_flags(),
        request: ambient.request.as_deref(),
    });
    lines.hand_over(&event);
    Redacted::into_inner(parts).give_back();
}

/// The message and the fields of an event. Reused by the thread's next event.
#[derive(Default)]
struct Parts {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

thread_local! {
    static POOL: Cell<Option<Parts>> = const { Cell::new(None) };
}

impl Parts {
    fn take() -> Parts {
        POOL.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    fn give_back(mut self) {
        self.message.clear();
        self.fields.drain(..).for_each(|(_, value)| value.recycle());
        // A thread that is ending has no next event.
        let _ = POOL.try_with(|pool| pool.set(Some(self)));
    }

    /// Adds a value of the context, unless the event has one of that name.
    fn add_carried(&mut self, (name, value): (&'static str, &str)) {
        if self.fields.iter().all(|(own, _)| *own != name) {
            self.fields.push((name, Value::Str(pool::text(value))));
        }
    }

    fn set(&mut self, field: &Field, value: Value) {
        // Fields that events of the `log` crate carry for `normalized_metadata`, which has read them.
        if !field.name().starts_with("log.") {
            self.fields.push((field.name(), value));
        }
    }
}

impl Redact for Parts {
    fn redact(&mut self, redactor: &Redactor) {
        if let Cow::Owned(clean) = redactor.redact(&self.message) {
            self.message = clean;
        }
        for (name, value) in &mut self.fields {
            value.redact(name, redactor);
        }
    }
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(prefix(value, MOST_TEXT));
        } else {
            self.set(field, Value::Str(pool::text(value)));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            user_text::append(&mut self.message, format_args!("{value:?}"), MOST_TEXT);
        } else {
            self.set(field, Value::Str(user_text::debug(value)));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let error = describe::error("", value);
        let mut text = error.message;
        for cause in error.chain {
            text.push_str(": ");
            text.push_str(&cause);
        }
        self.set(field, Value::Str(text));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::U64(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, Value::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Bool(value));
    }
}
