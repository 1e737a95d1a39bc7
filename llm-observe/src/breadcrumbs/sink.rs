//! The sink that keeps breadcrumbs.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::Level;

use super::{
    ring::{MOST_LINE, Source, prefix, put_line},
    threads,
};
use crate::kernel::{ids::TraceId, record::Record, sink::Sink, value::Value};

/// How many observers keep breadcrumbs.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Keeps breadcrumbs for as long as it lives.
#[derive(Debug)]
pub(crate) struct Breadcrumbs(());

impl Breadcrumbs {
    pub(crate) fn new() -> Breadcrumbs {
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Breadcrumbs(())
    }
}

impl Drop for Breadcrumbs {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sink for Breadcrumbs {
    fn record(&self, record: &Record<'_>) {
        let level = record.level();
        if level > Level::INFO {
            return;
        }
        let source = Source::Call(record.site, record.outcome, record.duration);
        let error = record.error.map(|error| prefix(&error.message, MOST_LINE));
        let text = error.unwrap_or_default();
        threads::push(|ring| ring.push(record.time, record.trace_id, level, source, text));
    }
}

/// Keeps a line, redacted already, where an observer keeps breadcrumbs.
#[inline]
pub(crate) fn line(
    time: u64,
    level: Level,
    target: &str,
    message: &str,
    fields: &[(&'static str, Value)],
    trace: TraceId,
) {
    if level <= Level::INFO && ACTIVE.load(Ordering::Relaxed) != 0 {
        threads::push(|ring| {
            let mut text = std::mem::take(&mut ring.scratch);
            let target_len = put_line(&mut text, target, message, fields);
            ring.push(time, trace, level, Source::Line(target_len), &text);
            ring.scratch = text;
        });
    }
}
