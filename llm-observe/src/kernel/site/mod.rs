//! The constant facts of one annotated function, as the attribute writes them down.
//! Knows nothing of observers beyond the cell in which the global one caches its own view.

mod path;

use std::{sync::OnceLock, time::Duration};

pub use llm_observe_config::Severity;
use tracing::Level;

use crate::observer::Active;

/// What a rule of `alert(on(...))` fires on: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriggerSet(u8);

impl TriggerSet {
    /// The call returned an error.
    pub const ERROR: TriggerSet = TriggerSet(1);
    /// It panicked.
    pub const PANIC: TriggerSet = TriggerSet(1 << 1);
    /// It ran into its `timeout`.
    pub const TIMEOUT: TriggerSet = TriggerSet(1 << 2);
    /// It was dropped before it finished.
    pub const CANCELLED: TriggerSet = TriggerSet(1 << 3);
    /// It took longer than `slow`.
    pub const SLOW: TriggerSet = TriggerSet(1 << 4);
    /// It is still running after `stalled`.
    pub const STALLED: TriggerSet = TriggerSet(1 << 5);
    /// Its quality is under `min_quality`.
    pub const LOW_QUALITY: TriggerSet = TriggerSet(1 << 6);
    /// Error, panic or timeout: what `alert_on_error` stands for.
    pub const FAILURE: TriggerSet = TriggerSet(0b111);

    /// Returns the union of both sets.
    #[must_use]
    pub const fn or(self, other: TriggerSet) -> TriggerSet {
        TriggerSet(self.0 | other.0)
    }

    /// Returns whether the sets have a member in common.
    #[must_use]
    pub const fn intersects(self, other: TriggerSet) -> bool {
        self.0 & other.0 != 0
    }
}

/// One `alert(...)` of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlertRule {
    /// What it fires on.
    pub on: TriggerSet,
    /// The channel it goes to; `None`: the event's channels.
    pub channel: Option<&'static str>,
    /// How many such calls within [`AlertRule::within`] it takes.
    pub after: u32,
    /// The window for [`AlertRule::after`].
    pub within: Duration,
    /// How bad it is.
    pub severity: Option<Severity>,
}

impl AlertRule {
    /// Returns a rule that fires at the first such call, to the event's channels.
    #[must_use]
    pub const fn new(on: TriggerSet) -> AlertRule {
        AlertRule {
            on,
            channel: None,
            after: 1,
            within: Duration::from_secs(60),
            severity: None,
        }
    }

    /// Sends it to that channel of the configuration.
    #[must_use]
    pub const fn channel(mut self, name: &'static str) -> AlertRule {
        self.channel = Some(name);
        self
    }

    /// Fires only at the `count`th such call within the window.
    #[must_use]
    pub const fn after(mut self, count: u32) -> AlertRule {
        self.after = count;
        self
    }

    /// Sets the window for `after`.
    #[must_use]
    pub const fn within(mut self, window: Duration) -> AlertRule {
        self.within = window;
        self
    }

    /// Sets how bad it is.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> AlertRule {
        self.severity = Some(severity);
        self
    }
}

/// What a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An annotated function.
    Function,
    /// A route of an HTTP server: its calls are requests that came in.
    Server,
    /// A host that HTTP requests are sent to.
    Client,
}

/// What a site that stands for HTTP requests has besides. Made at run time, one for each method and
/// route, and as bounded in number as those are.
#[derive(Debug)]
pub(crate) struct RequestSite {
    pub(crate) kind: Kind,
    /// The method; `_OTHER` for one that is not known.
    pub(crate) method: &'static str,
    /// The template of the route, where there is one.
    pub(crate) route: Option<&'static str>,
    /// Whether method, route and function need no escape in a line.
    pub(crate) plain: bool,
    /// The labels that all its metrics have, besides those of each response.
    pub(crate) labels: Vec<(&'static str, String)>,
}

/// The module that requests are said to be in, which `[log]` and loggers select them by.
const REQUESTS: &str = "llm_observe::http";

/// The constant facts of one annotated function. Made by `#[observe]`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Site {
    /// The event's name, as in `[events]`.
    pub event: &'static str,
    /// The span's name; the function's name unless `name` says otherwise.
    pub name: &'static str,
    /// The target of its lines and span; its module unless `target` says otherwise.
    pub target: &'static str,
    /// The module it is in.
    pub module: &'static str,
    /// The source file it is in.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// The level of the line of a successful call, and of the span.
    pub level: Level,
    /// The level of the line of a failed call, where `err(level = ...)` sets one.
    pub err_level: Option<Level>,
    /// The names of the fields that it may record.
    pub fields: &'static [&'static str],
    /// The alert rules of the attribute.
    pub alerts: &'static [AlertRule],
    /// A call longer than this is slow.
    pub slow: Option<Duration>,
    /// A call that still runs after this is stalled.
    pub stalled: Option<Duration>,
    /// A call is dropped at this limit.
    pub timeout: Option<Duration>,
    /// The share of successful calls that write a line, 0 to 1.
    pub sample: Option<f64>,
    /// Successful calls under this quality are of low quality.
    pub min_quality: Option<f64>,
    /// Whether it counts items.
    pub has_items: bool,
    /// Whether it scores its results.
    pub has_quality: bool,
    /// Whether its failures go to the error trackers.
    pub report: bool,
    /// What it has besides when it stands for HTTP requests.
    pub(crate) request: Option<&'static RequestSite>,
    path: fn() -> &'static str,
    function: OnceLock<String>,
    pub(crate) active: OnceLock<&'static Active>,
}

impl Site {
    /// Returns the facts of a function with nothing but defaults.
    #[must_use]
    pub const fn new(
        event: &'static str,
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        path: fn() -> &'static str,
    ) -> Site {
        Site {
            event,
            name,
            target: module,
            module,
            file,
            line,
            level: Level::INFO,
            err_level: None,
            fields: &[],
            alerts: &[],
            slow: None,
            stalled: None,
            timeout: None,
            sample: None,
            min_quality: None,
            has_items: false,
            has_quality: false,
            report: true,
            request: None,
            path,
            function: OnceLock::new(),
            active: OnceLock::new(),
        }
    }

    /// Returns the facts of a function whose attribute is where this is called. Two macros less to
    /// expand for each function than with `file!()` and `line!()`.
    #[must_use]
    #[track_caller]
    pub const fn here(
        event: &'static str,
        name: &'static str,
        module: &'static str,
        path: fn() -> &'static str,
    ) -> Site {
        let place = std::panic::Location::caller();
        Site::new(event, name, module, place.file(), place.line(), path)
    }

    /// Returns a new site for requests: its function and span are `name`, such as `GET /ask`. It is
    /// for the life of the program once it is leaked.
    pub(crate) fn of_requests(
        event: &'static str,
        name: &'static str,
        mut request: RequestSite,
    ) -> Site {
        let route = request.route.unwrap_or_default();
        request.plain =
            crate::kernel::request::is_plain(route) && crate::kernel::request::is_plain(name);
        let mut site = Site::new(event, name, REQUESTS, REQUESTS, 0, || "");
        site.function = OnceLock::from(name.to_owned());
        site.request = Some(Box::leak(Box::new(request)));
        site.fields = crate::kernel::request::ATTRIBUTES;
        site
    }

    /// Returns what it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.request.map_or(Kind::Function, |request| request.kind)
    }

    /// Returns the function's module path and name, such as `rag::Store::search`; of requests,
    /// method and route.
    pub fn function(&self) -> &str {
        self.function.get_or_init(|| path::readable((self.path)()))
    }

    /// Sets the span's name.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Site {
        self.name = name;
        self
    }

    /// Sets the target of lines and span.
    #[must_use]
    pub const fn target(mut self, target: &'static str) -> Site {
        self.target = target;
        self
    }

    /// Sets the level of the line of a successful call.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Site {
        self.level = level;
        self
    }

    /// Sets the level of the line of a failed call.
    #[must_use]
    pub const fn err_level(mut self, level: Level) -> Site {
        self.err_level = Some(level);
        self
    }

    /// Names the fields that it may record.
    #[must_use]
    pub const fn fields(mut self, names: &'static [&'static str]) -> Site {
        self.fields = names;
        self
    }

    /// Sets the alert rules.
    #[must_use]
    pub const fn alerts(mut self, rules: &'static [AlertRule]) -> Site {
        self.alerts = rules;
        self
    }

    /// Sets from when on a call is slow.
    #[must_use]
    pub const fn slow(mut self, limit: Duration) -> Site {
        self.slow = Some(limit);
        self
    }

    /// Sets from when on a running call is stalled.
    #[must_use]
    pub const fn stalled(mut self, limit: Duration) -> Site {
        self.stalled = Some(limit);
        self
    }

    /// Sets the limit at which a call is dropped.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Site {
        self.timeout = Some(limit);
        self
    }

    /// Sets the share of successful calls that write a line.
    #[must_use]
    pub const fn sample(mut self, share: f64) -> Site {
        self.sample = Some(share);
        self
    }

    /// Sets the quality under which a result is of low quality.
    #[must_use]
    pub const fn min_quality(mut self, min: f64) -> Site {
        self.min_quality = Some(min);
        self
    }

    /// Says that it counts items.
    #[must_use]
    pub const fn has_items(mut self) -> Site {
        self.has_items = true;
        self
    }

    /// Says that it scores its results.
    #[must_use]
    pub const fn has_quality(mut self) -> Site {
        self.has_quality = true;
        self
    }

    /// Sets whether its failures go to the error trackers.
    #[must_use]
    pub const fn report(mut self, report: bool) -> Site {
        self.report = report;
        self
    }
}
