//! `[loggers.NAME]`: separate files for some of the lines.

use std::time::Duration;

use crate::log::{BUFFER_BYTES, Format, LEAST_BYTES, Level, Log, MOST_BACKUPS, Rotate};
use crate::names;
use crate::references::Reference;
use crate::section::Section;
use crate::value;

/// A separate log file and the lines that go to it.
///
/// A line goes there if it matches every criterion that is set. A list matches if any of its entries
/// does. A setting that is `None` has the value of `[log]`.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logger {
    /// The file's name within `log.dir`.
    pub file: String,
    /// The events whose lines go there; empty: any.
    pub events: Vec<String>,
    /// The outcomes whose lines go there, each one of `ok`, `error`, `timeout`, `cancelled`,
    /// `panic`; empty: any.
    pub outcomes: Vec<String>,
    /// The lowest level that goes there; `None`: as in `[log]`.
    pub level: Option<Level>,
    /// The prefixes of the targets (module paths) whose lines go there; empty: any.
    pub targets: Vec<String>,
    /// Whether lines that go there are left out of the main file. Default: false.
    pub exclusive: bool,
    /// See [`Log::format`].
    pub format: Option<Format>,
    /// See [`Log::max_bytes`].
    pub max_bytes: Option<u64>,
    /// See [`Log::rotate`].
    pub rotate: Option<Rotate>,
    /// See [`Log::backups`].
    pub backups: Option<u32>,
    /// See [`Log::max_age`].
    pub max_age: Option<Duration>,
    /// See [`Log::max_total_bytes`].
    pub max_total_bytes: Option<u64>,
    /// See [`Log::compress`].
    pub compress: Option<bool>,
    /// See [`Log::mode`].
    pub mode: Option<u32>,
    /// See [`Log::buffer_bytes`].
    pub buffer_bytes: Option<u64>,
}

impl Logger {
    /// Returns a logger that writes every line to `file`.
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            ..Self::default()
        }
    }

    /// Returns the settings of `[log]`, overridden by this logger's own.
    pub fn resolve(&self, log: &Log) -> Log {
        Log {
            file: self.file.clone(),
            level: self.level.unwrap_or(log.level),
            format: self.format.unwrap_or(log.format),
            max_bytes: self.max_bytes.unwrap_or(log.max_bytes),
            rotate: self.rotate.unwrap_or(log.rotate),
            backups: self.backups.unwrap_or(log.backups),
            max_age: self.max_age.or(log.max_age),
            max_total_bytes: self.max_total_bytes.or(log.max_total_bytes),
            compress: self.compress.unwrap_or(log.compress),
            mode: self.mode.unwrap_or(log.mode),
            buffer_bytes: self.buffer_bytes.unwrap_or(log.buffer_bytes),
            ..log.clone()
        }
    }
}

impl Logger {
    pub(crate) fn read(section: &Section<'_, '_>) -> Option<Self> {
        let mut logger = Self::default();
        let file = section.required("file", "\"NAME.log\"", names::file);
        logger.read_selection(section);
        section.optional("format", &mut logger.format, value::choice);
        section.optional("max_bytes", &mut logger.max_bytes, value::size(LEAST_BYTES));
        section.optional("rotate", &mut logger.rotate, value::choice);
        section.optional(
            "backups",
            &mut logger.backups,
            value::whole(1, MOST_BACKUPS),
        );
        section.optional("max_age", &mut logger.max_age, value::some_duration);
        section.optional(
            "max_total_bytes",
            &mut logger.max_total_bytes,
            value::size(LEAST_BYTES),
        );
        section.optional("compress", &mut logger.compress, value::boolean);
        section.optional("mode", &mut logger.mode, value::mode);
        let buffer = value::size_within(BUFFER_BYTES);
        section.optional("buffer_bytes", &mut logger.buffer_bytes, buffer);
        logger.file = file?;
        Some(logger)
    }

    fn read_selection(&mut self, section: &Section<'_, '_>) {
        let used = |name: &String, at| {
            let location = format!("`events` in {}", section.header());
            let name = name.clone();
            section
                .references()
                .borrow_mut()
                .event_uses
                .push(Reference { name, location, at });
        };
        section.list_with("events", &mut self.events, names::event, used);
        section.list("outcomes", &mut self.outcomes, names::outcome);
        section.optional("level", &mut self.level, value::choice);
        section.list("targets", &mut self.targets, value::text);
        section.set("exclusive", &mut self.exclusive, value::boolean);
    }
}
