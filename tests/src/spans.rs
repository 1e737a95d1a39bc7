//! A `tracing` subscriber that keeps spans.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// The fields of a span as text, without quotes around.
pub type Fields = BTreeMap<String, String>;

/// Keeps the spans that it wants, by name, each with what was recorded in it.
#[derive(Clone, Debug)]
pub struct Spans {
    wants: fn(&Metadata<'_>) -> bool,
    seen: Arc<Mutex<Vec<(String, Fields)>>>,
}

impl Spans {
    /// Returns a subscriber that keeps the spans whose metadata `wants` accepts.
    pub fn new(wants: fn(&Metadata<'_>) -> bool) -> Spans {
        let seen = Arc::default();
        Spans { wants, seen }
    }

    /// Returns the spans so far, in the order they began.
    ///
    /// # Panics
    ///
    /// When a thread panicked while it recorded one.
    pub fn all(&self) -> Vec<(String, Fields)> {
        self.seen.lock().expect("no thread panicked").clone()
    }
}

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = format!("{value:?}").trim_matches('"').to_owned();
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.wants)(metadata)
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut fields = Fields::new();
        span.record(&mut Collect(&mut fields));
        let mut seen = self.seen.lock().expect("no thread panicked");
        seen.push((span.metadata().name().to_owned(), fields));
        span::Id::from_u64(seen.len() as u64)
    }
    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        let mut seen = self.seen.lock().expect("no thread panicked");
        let index = usize::try_from(id.into_u64()).expect("an index") - 1;
        let (_, fields) = seen.get_mut(index).expect("a span of this subscriber");
        values.record(&mut Collect(fields));
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
