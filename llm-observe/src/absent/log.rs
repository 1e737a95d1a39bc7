//! The log module when its feature is off: it writes nothing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use llm_observe_config::Config;

use crate::{
    error::Error,
    kernel::{record::Record, service::Service, sink::Sink, stats::Stats},
    redact::{Redacted, Redactor},
};

pub(crate) struct Loggers(());

pub(crate) const FILES: &str = "log";

pub(crate) type Opened = (Option<Loggers>, Vec<(&'static str, Error)>);

pub(crate) fn open(
    _: &Config,
    _: &Service,
    _: Arc<Redactor>,
    _: &Arc<Stats>,
) -> Result<Opened, Error> {
    Ok((None, Vec::new()))
}

pub(crate) const fn is_layer_made() -> bool {
    false
}

impl Loggers {
    pub(crate) const fn install(&self) {}

    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        Arc::new(Nowhere)
    }

    pub(crate) fn subscribe(&self, _: bool) -> bool {
        true
    }

    pub(crate) fn forward_events(&self) -> impl FnOnce(&[Arc<dyn Sink>]) + 'static {
        |_| {}
    }

    pub(crate) fn publisher(&self) -> impl Fn() + Send + Sync + 'static {
        || {}
    }

    pub(crate) fn close(&self, _: Duration) -> u64 {
        0
    }

    pub(crate) fn attach(&self) -> impl FnMut() -> Result<String, Error> + Send + use<> {
        || Ok(String::new())
    }

    pub(crate) fn flush(&self, _: Duration) -> u64 {
        0
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn record(&self, _: &Redacted<Record<'_>>) {}
}

// Never compiled: what the compiler names the feature of.
#[cfg(feature = "log")]
pub mod read {}
#[cfg(feature = "log")]
pub struct Layer;
#[cfg(feature = "log")]
pub struct LogWriter;
