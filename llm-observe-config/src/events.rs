//! `[events.NAME]`: the event names that `#[observe(event = ...)]` accepts.

use std::time::Duration;

use crate::channels::{self, Severity};
use crate::log::Level;
use crate::section::Section;
use crate::units;
use crate::value;
use crate::value_error::ValueError;

/// One event. A function's own attribute overrides these settings.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// A description for people.
    pub description: Option<String>,
    /// The duration beyond which a call is slow.
    pub slow: Option<Duration>,
    /// The duration beyond which a call that still runs is stalled.
    pub stalled: Option<Duration>,
    /// Whether a call that ends in error, panic or timeout alerts. Default: false.
    pub alert_on_error: bool,
    /// The channels its alerts go to; empty: `alerts.default_channels`.
    pub channels: Vec<String>,
    /// The severity of its alerts; `None`: error.
    pub severity: Option<Severity>,
    /// The event's service level objective.
    pub objective: Option<Objective>,
    /// What its calls may cost.
    pub budget: Option<Budget>,
    /// A web page that explains how to handle its alerts.
    pub runbook: Option<String>,
    /// Whether its alerts are suppressed. Default: false.
    pub mute: bool,
    /// The share of successful calls that write a log line, 0 to 1.
    pub sample: Option<f64>,
    /// The level of the line of a successful call.
    pub level: Option<Level>,
}

/// What the calls of an event may cost.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// In US dollars, above 0.
    pub usd: f64,
    /// The length of a period, 1 minute to 366 days. Periods are aligned to the Unix epoch: one of a day
    /// begins at midnight UTC.
    pub per: Duration,
}

impl Budget {
    /// Returns a budget of `usd` for each period of length `per`.
    pub const fn new(usd: f64, per: Duration) -> Self {
        Self { usd, per }
    }

    /// Returns the length of a period as the file has it: `1d`.
    pub fn period_text(&self) -> String {
        units::duration_text(self.per)
    }

    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let usd = section.required("usd", "50.0", value::amount);
        let per = section.required("per", "\"1d\"", value::period);
        Some(Self {
            usd: usd?,
            per: per?,
        })
    }
}

/// A service level objective.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The share of calls that succeed, in per cent, above 0 and below 100.
    pub success: f64,
    /// The duration that `percentile` per cent of the calls stay within.
    pub latency: Option<Duration>,
    /// The share of calls that stay within `latency`, in per cent, above 0 and below 100. Always
    /// set if `latency` was read from a file; the default is then 99.
    pub percentile: Option<f64>,
}

impl Objective {
    /// Returns an objective of `success` per cent, without one for latency.
    pub fn new(success: f64) -> Self {
        Self {
            success,
            latency: None,
            percentile: None,
        }
    }
}

impl Event {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut event = Self::default();
        section.optional("description", &mut event.description, value::raw_text);
        section.optional("slow", &mut event.slow, value::some_duration);
        section.optional("stalled", &mut event.stalled, value::some_duration);
        section.set("alert_on_error", &mut event.alert_on_error, value::boolean);
        channels::read_names(section, "channels", &mut event.channels);
        section.optional("severity", &mut event.severity, value::choice);
        event.objective = section.table("objective", Objective::read).flatten();
        event.budget = section.table("budget", Budget::read).flatten();
        section.optional("runbook", &mut event.runbook, value::link);
        section.set("mute", &mut event.mute, value::boolean);
        section.optional("sample", &mut event.sample, value::share);
        section.optional("level", &mut event.level, value::choice);
        event
    }
}

/// The percentile of a latency without one.
const USUAL_PERCENTILE: f64 = 99.0;

impl Objective {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let success = section.required("success", "99.5", value::percent);
        let (mut latency, mut percentile) = (None, None);
        section.optional("latency", &mut latency, value::some_duration);
        section.optional("percentile", &mut percentile, value::percent);
        if section.has("percentile") && !section.has("latency") {
            let error =
                ValueError::new("needs a `latency`", "write `latency = \"800ms\"` beside it");
            section.add_at("percentile", error);
        }
        Some(Self {
            success: success?,
            latency,
            percentile: percentile.or(latency.map(|_| USUAL_PERCENTILE)),
        })
    }
}
