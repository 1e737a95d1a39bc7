//! The sink that keeps breadcrumbs.

use tracing::Level;

use super::{
    ring::{EntrySource, MOST_LINE, put_line},
    threads,
};
use crate::{
    kernel::{
        pool::prefix,
        record::Record,
        sink::{LogEvent, Sink},
    },
    redact::Redacted,
};

/// Keeps calls and log lines at INFO and above as breadcrumbs.
#[derive(Debug)]
pub(crate) struct Breadcrumbs;

impl Sink for Breadcrumbs {
    #[inline]
    fn record(&self, record: &Redacted<Record<'_>>) {
        let level = record.level();
        if level > Level::INFO {
            return;
        }
        let source = EntrySource::Call(record.site, record.outcome, record.duration);
        let error = record.error.map(|error| prefix(&error.message, MOST_LINE));
        let text = error.unwrap_or_default();
        threads::push(|ring| ring.push(record.time, record.trace_id, level, source, text));
    }

    #[inline]
    fn event(&self, event: &Redacted<LogEvent<'_>>) {
        if event.level > Level::INFO {
            return;
        }
        threads::push(|ring| {
            let mut text = std::mem::take(&mut ring.scratch);
            let target_len = put_line(&mut text, event.target, event.message, event.fields);
            let source = EntrySource::Line(target_len);
            ring.push(event.time, event.trace_id, event.level, source, &text);
            ring.scratch = text;
        });
    }
}
