//! The log module when its feature is off: it writes nothing.

use std::{sync::Arc, time::Duration};

use crate::{
    error::Error,
    init::{FlushReport, Part, Settings},
    kernel::{record::Record, sink::Sink, stats::Stats},
    redact::{Redacted, Redactor},
};

pub(crate) struct Loggers(());

pub(crate) fn open(
    _: &Settings,
    _: Arc<Redactor>,
    _: &Arc<Stats>,
) -> Result<Option<Loggers>, Error> {
    Ok(None)
}

impl Loggers {
    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        Arc::new(Nowhere)
    }

    pub(crate) fn subscribe(&self) -> bool {
        true
    }

    pub(crate) fn forward_events(&self) -> impl FnOnce(&[Arc<dyn Sink>]) + 'static {
        |_| {}
    }

    pub(crate) fn publisher(&self) -> impl Fn() + Send + Sync + 'static {
        || {}
    }
}

impl Part for Loggers {
    fn flush(&self, _: Duration, _: &mut FlushReport) {}
}

struct Nowhere;

impl Sink for Nowhere {
    fn record(&self, _: &Redacted<Record<'_>>) {}
}
