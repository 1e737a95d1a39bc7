//! The constant facts of one annotated function, as the attribute writes them down.
//! Of what observes it, it has no more than the place where the program's observer keeps its view.

use std::{sync::OnceLock, time::Duration};

use tracing::Level;

use super::{
    alert_rule::AlertRule,
    extra::GlobalView,
    function_path,
    operation::{OperationFacts, OperationSite, SpanKind},
};

/// Texts that are the same in all lines of a site, each between two that differ.
#[derive(Debug)]
pub(crate) struct PreparedTexts {
    /// From the summary to the outcome.
    pub(crate) event: Box<str>,
    /// From the duration to the trace id.
    pub(crate) function: Box<str>,
}

/// The constant facts of one annotated function. Made by `#[observe]`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Site {
    /// The event's name, as in `[events]`.
    pub event: &'static str,
    /// The span's name; the function's name unless `name` sets another.
    pub name: &'static str,
    /// The target of its lines and span; its module unless `target` sets another.
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
    /// Whether its results are evaluated in the background.
    pub has_evaluation: bool,
    /// Whether it returns a stream, whose end is that of its calls.
    pub has_stream: bool,
    /// Whether that stream ends at a limit.
    pub has_stream_limits: bool,
    /// Whether its failures go to the error trackers.
    pub report: bool,
    /// The operation that its calls are besides, where it is an annotated function.
    pub performs: Option<&'static OperationFacts>,
    /// What it has besides when its calls are operations.
    operation: Option<&'static OperationSite>,
    /// Which copy of this crate made it, by an address.
    owner: &'static u8,
    path: fn() -> &'static str,
    function: OnceLock<String>,
    prepared: OnceLock<PreparedTexts>,
    pub(super) global: OnceLock<GlobalView>,
}

/// Its address is that of one copy of this crate in the program.
static OWNER: u8 = 0;

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
            has_evaluation: false,
            has_stream: false,
            has_stream_limits: false,
            report: true,
            performs: None,
            operation: None,
            owner: &OWNER,
            path,
            function: OnceLock::new(),
            prepared: OnceLock::new(),
            global: OnceLock::new(),
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

    /// Returns a site whose calls are operations, for the life of the program once it is leaked.
    /// `name` is both its function and its span: `GET /ask`, `orders process`. Make one for each
    /// name, and bound their number.
    #[must_use]
    pub fn for_operation(
        event: &'static str,
        name: &'static str,
        module: &'static str,
        operation: OperationSite,
    ) -> Site {
        let mut site = Site::new(event, name, module, module, 0, || "");
        site.function = OnceLock::from(name.to_owned());
        site.operation = Some(Box::leak(Box::new(operation)));
        site
    }

    /// Returns whether this copy of the crate made it: a program may have several.
    pub(crate) fn is_own(&self) -> bool {
        std::ptr::eq(self.owner, &raw const OWNER)
    }

    /// Returns whether a quality is under its `min_quality`.
    #[inline]
    pub(crate) fn is_low(&self, quality: Option<f64>) -> bool {
        matches!((quality, self.min_quality), (Some(q), Some(min)) if q < min)
    }

    /// Returns the kind of its spans.
    #[must_use]
    pub fn kind(&self) -> SpanKind {
        let own = self.performs.map(|operation| operation.kind);
        let kind = self.operation.map(OperationSite::kind).or(own);
        kind.unwrap_or_default()
    }

    /// Returns whether its calls are operations: it stands for a route, a host or a queue, and not
    /// for an annotated function.
    #[must_use]
    pub fn is_operation(&self) -> bool {
        self.operation.is_some()
    }

    /// Returns what it has besides when its calls are operations.
    #[must_use]
    pub fn operation(&self) -> Option<&'static OperationSite> {
        self.operation
    }

    /// Returns the function's module path and name, such as `rag::Store::search`; of an operation,
    /// the name it was made with.
    pub fn function(&self) -> &str {
        self.function
            .get_or_init(|| function_path::readable((self.path)()))
    }

    /// Returns the texts that its lines have in common, which `prepare` makes the first time.
    pub(crate) fn prepared(&self, prepare: impl FnOnce(&Site) -> PreparedTexts) -> &PreparedTexts {
        self.prepared.get_or_init(|| prepare(self))
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

    /// Makes it count items.
    #[must_use]
    pub const fn has_items(mut self) -> Site {
        self.has_items = true;
        self
    }

    /// Makes it score its results.
    #[must_use]
    pub const fn has_quality(mut self) -> Site {
        self.has_quality = true;
        self
    }

    /// Makes its results be evaluated.
    #[must_use]
    pub const fn has_evaluation(mut self) -> Site {
        self.has_evaluation = true;
        self
    }

    /// Makes its calls end with the stream that it returns.
    #[must_use]
    pub const fn has_stream(mut self) -> Site {
        self.has_stream = true;
        self
    }

    /// Makes that stream end at a limit.
    #[must_use]
    pub const fn has_stream_limits(mut self) -> Site {
        self.has_stream_limits = true;
        self
    }

    /// Makes its calls operations besides.
    #[must_use]
    pub const fn performs(mut self, operation: &'static OperationFacts) -> Site {
        self.performs = Some(operation);
        self
    }

    /// Sets whether its failures go to the error trackers.
    #[must_use]
    pub const fn report(mut self, report: bool) -> Site {
        self.report = report;
        self
    }
}
