//! The whole of `llm-observe.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::DeTable;

use crate::alerts::Alerts;
use crate::channels::Channel;
use crate::events::Event;
use crate::findings::Findings;
use crate::genai::Genai;
use crate::http::{Http, Redact};
use crate::log::Log;
use crate::loggers::Logger;
use crate::named_tables::NamedTables;
use crate::names::{check_event, check_label};
use crate::outbox::Outbox;
use crate::outlets::{Metrics, Server, Traces};
use crate::prices::Prices;
use crate::problem::Errors;
use crate::references::Reference;
use crate::rules;
use crate::section::Section;
use crate::service::Service;
use crate::syntax::Lines;
use crate::trackers::Trackers;

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
    /// `[events.NAME]`; `None` without an `[events]` table: then every valid event name is allowed.
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
    /// `[genai]`.
    pub genai: Genai,
    /// `[prices]`.
    pub prices: Prices,
}

impl Config {
    /// Parses and checks `text`. `path` is only for the messages.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with `text`, at once.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Errors> {
        let (table, mistakes) = DeTable::parse_recoverable(text);
        let findings = Findings::default();
        report_syntax(&findings, text, &mistakes);
        let config = match mistakes.is_empty() {
            true => Self::read(&findings, table.get_ref()),
            // After a syntax error the parser guesses, so other problems are not reported.
            false => Self::default(),
        };
        match Errors::of(findings.into_problems(text, path)) {
            Some(errors) => Err(errors),
            None => Ok(config),
        }
    }

    /// Reads and parses the file at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is not UTF-8, and as [`Config::parse`].
    pub fn load(path: &Path) -> Result<Self, Errors> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) => Err(Errors::unreadable(path, &error)),
        }
    }

    fn read(findings: &Findings, table: &DeTable<'_>) -> Self {
        let config = Section::root(findings, table, |root| {
            let service = root.table("service", Service::read).unwrap_or_default();
            let log = read_log(root);
            Self {
                service,
                loggers: read_loggers(root, &log),
                log,
                events: read_events(root),
                channels: read_channels(root),
                alerts: root.table("alerts", Alerts::read).unwrap_or_default(),
                trackers: root.table("trackers", Trackers::read).unwrap_or_default(),
                server: root.table("server", Server::read).unwrap_or_default(),
                metrics: root.table("metrics", Metrics::read).unwrap_or_default(),
                traces: root.table("traces", Traces::read).unwrap_or_default(),
                http: root.table("http", Http::read).unwrap_or_default(),
                redact: root.table("redact", Redact::read).unwrap_or_default(),
                outbox: root.table("outbox", Outbox::read).unwrap_or_default(),
                genai: root.table("genai", Genai::read).unwrap_or_default(),
                prices: root.table("prices", Prices::read).unwrap_or_default(),
            }
        });
        rules::check(findings);
        config
    }
}

/// Returns the names of the tables that `text` has, whatever is in them: a table with nothing but
/// defaults is configured too.
#[must_use]
pub fn tables(text: &str) -> BTreeSet<String> {
    let (table, _) = DeTable::parse_recoverable(text);
    let names = table.get_ref().keys();
    names.map(|name| name.get_ref().to_string()).collect()
}

fn read_log(root: &Section<'_, '_>) -> Log {
    let log = root.table("log", |section| {
        let log = Log::read(section);
        section.note_log_file(&log.file);
        log
    });
    log.unwrap_or_else(|| {
        let log = Log::default();
        root.references().borrow_mut().files.push(Reference {
            name: log.file.clone(),
            location: "[log]".to_owned(),
            at: 0,
        });
        log
    })
}

fn read_loggers(root: &Section<'_, '_>, log: &Log) -> BTreeMap<String, Logger> {
    let loggers = root.tables(
        "loggers",
        &NamedTables {
            inner: &[],
            check: check_label,
            declare: &|_| (),
            read: &|section| {
                let logger = Logger::read(section)?;
                logger.resolve(log).check_total(section);
                section.note_log_file(&logger.file);
                Some(logger)
            },
        },
    );
    loggers.unwrap_or_default()
}

fn read_events(root: &Section<'_, '_>) -> Option<BTreeMap<String, Event>> {
    let names = root.references();
    if root.has("events") {
        names.borrow_mut().events = Some(BTreeSet::new());
    }
    root.tables(
        "events",
        &NamedTables {
            inner: &["objective", "budget"],
            check: check_event,
            declare: &|name| {
                let mut names = names.borrow_mut();
                names.events.get_or_insert_default().insert(name.to_owned());
            },
            read: &|section| Some(Event::read(section)),
        },
    )
}

fn read_channels(root: &Section<'_, '_>) -> BTreeMap<String, Channel> {
    let channels = root.tables(
        "channels",
        &NamedTables {
            inner: &["labels"],
            check: check_label,
            declare: &|name| {
                root.references()
                    .borrow_mut()
                    .channels
                    .insert(name.to_owned());
            },
            read: &Channel::read,
        },
    );
    channels.unwrap_or_default()
}

/// Reports syntax errors: the first of each line, because further ones mostly follow from it.
fn report_syntax(findings: &Findings, text: &str, mistakes: &[toml::de::Error]) {
    let lines = Lines::of(text);
    let mut reported = BTreeSet::new();
    for mistake in mistakes {
        let at = mistake.span().map_or(0, |span| span.start);
        if reported.insert(lines.position(at).0) {
            let twice = mistake.message() == "duplicate key";
            let help = twice.then(|| "write each key and each table once".to_owned());
            findings.add(at, mistake.message(), help);
        }
    }
}
