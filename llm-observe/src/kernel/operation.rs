//! What a call is besides a function call: a request that came in or was sent, a message from a
//! queue, the answer of a model. One trait; each protocol implements it in a folder of its own.

use std::{
    any::Any,
    borrow::Cow,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tracing::Level;

use super::{
    clock,
    error_info::ErrorInfo,
    metric::Metric,
    outcome::{ErrorClass, Outcome},
    value::Value,
};
use crate::redact::Redactor;

/// The kind of a span, by the OpenTelemetry trace specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanKind {
    /// Work inside of the program, such as an annotated function.
    #[default]
    Internal,
    /// A request that came in, whose response is awaited.
    Server,
    /// A request that was sent, whose response is awaited.
    Client,
    /// A message that was sent, to be processed later.
    Producer,
    /// A message that is processed.
    Consumer,
}

impl SpanKind {
    /// Returns the name: `internal`, `server`, `client`, `producer`, `consumer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            SpanKind::Internal => "internal",
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Producer => "producer",
            SpanKind::Consumer => "consumer",
        }
    }
}

/// What is known of an annotated function's operation before any call of it.
#[derive(Debug)]
pub struct OperationFacts {
    /// The operation's name, by its conventions.
    pub name: &'static str,
    /// The kind of its spans.
    pub kind: SpanKind,
    /// The names of all attributes that it may have.
    pub attributes: &'static [&'static str],
}

/// An attribute's value, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue<'a> {
    /// Text.
    Str(&'a str),
    /// Text of visible ASCII characters and spaces, without quotes and backslashes: it is written
    /// as it is. [`AttributeValue::text`] finds out.
    Plain(&'a str),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// A time, in milliseconds with three decimals.
    Millis(Duration),
    /// An address without a port.
    Address(IpAddr),
    /// An address with a port.
    Socket(SocketAddr),
}

impl<'a> AttributeValue<'a> {
    /// Returns `text`, as [`AttributeValue::Plain`] where it needs no escape.
    #[must_use]
    pub fn text(text: &'a str) -> AttributeValue<'a> {
        AttributeValue::known_text(text, is_plain(text))
    }

    /// Returns `text` as what it is known to be.
    pub(crate) const fn known_text(text: &'a str, plain: bool) -> AttributeValue<'a> {
        if plain {
            AttributeValue::Plain(text)
        } else {
            AttributeValue::Str(text)
        }
    }

    /// Returns it as a value of its own.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            AttributeValue::Str(text) | AttributeValue::Plain(text) => Value::Str(text.to_owned()),
            AttributeValue::I64(n) => Value::I64(n),
            AttributeValue::U64(n) => Value::U64(n),
            AttributeValue::F64(n) => Value::F64(n),
            AttributeValue::Bool(b) => Value::Bool(b),
            AttributeValue::Millis(time) => Value::F64(millis(time)),
            AttributeValue::Address(address) => Value::Str(address.to_string()),
            AttributeValue::Socket(address) => Value::Str(address.to_string()),
        }
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Returns whether a text needs no escape anywhere: it is visible ASCII and spaces, without quotes
/// and backslashes.
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\'))
}

/// An attribute: its name, and where it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    name: &'a str,
    short: &'a str,
    /// The name as a further member of a JSON object, up to its value; empty where it has to be
    /// written from the name.
    member: &'static str,
    local: bool,
    label: bool,
}

impl<'a> Attribute<'a> {
    /// Returns an attribute that JSON lines, spans and reports have under `name`, as the conventions
    /// write it: `messaging.destination.name`. It is not in text lines unless
    /// [`Attribute::short`] is called. The name has no quote and no control character in it.
    #[must_use]
    pub const fn new(name: &'a str) -> Attribute<'a> {
        Attribute {
            name,
            short: "",
            member: "",
            local: false,
            label: false,
        }
    }

    /// Returns one that only text lines have, under that name.
    #[must_use]
    pub const fn only_short(short: &'a str) -> Attribute<'a> {
        Attribute::new("").short(short)
    }

    /// Puts it into text lines, under that name.
    #[must_use]
    pub const fn short(mut self, short: &'a str) -> Attribute<'a> {
        self.short = short;
        self
    }

    /// Keeps it on this machine: it is in lines and spans, and in no report. For what may be a text
    /// that a person wrote.
    #[must_use]
    pub const fn local(mut self) -> Attribute<'a> {
        self.local = true;
        self
    }

    /// Makes it a label of the operation's metrics too, with `_` for each `.` of its name. Its
    /// values must be few.
    #[must_use]
    pub const fn label(mut self) -> Attribute<'a> {
        self.label = true;
        self
    }

    /// Sets the name as a member of a JSON object: `,"name":`.
    pub(crate) const fn with_member(mut self, member: &'static str) -> Attribute<'a> {
        self.member = member;
        self
    }

    /// Returns its name by the conventions; empty when only text lines have it.
    #[must_use]
    pub const fn name(self) -> &'a str {
        self.name
    }

    /// Returns its name in text lines; empty when they do not have it.
    #[must_use]
    pub const fn short_name(self) -> &'a str {
        self.short
    }

    /// Returns whether it stays on this machine.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.local
    }

    /// Returns whether it is a label of metrics.
    #[must_use]
    pub const fn is_label(self) -> bool {
        self.label
    }

    /// Returns the name as a member of a JSON object after another one, up to its value.
    pub(crate) const fn member(self) -> &'static str {
        self.member
    }
}

/// Writes the summary of an operation in a line.
pub trait SummaryWriter {
    /// Writes text of the program's own, as it is.
    fn literal(&mut self, text: &'static str);

    /// Writes text from outside, escaped for the line it goes to.
    fn text(&mut self, text: &str);

    /// Writes a number.
    fn number(&mut self, n: u64);
}

/// How the call of an operation ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OperationEnd {
    /// The event that its site has.
    pub event: &'static str,
    /// The site's function, with the path of its module.
    pub function: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The class of its error, where it has one.
    pub class: Option<ErrorClass>,
    /// How long it took.
    pub duration: Duration,
    /// The number of things it processed.
    pub items: Option<u64>,
    /// The score of its result.
    pub quality: Option<f64>,
}

/// An item of the stream that a call returned: when it came.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Readings of the clock: at the start of the call, at the item before (0: there was none), and now.
    pub(super) start: u64,
    pub(super) last: u64,
    pub(super) now: u64,
}

impl Chunk {
    /// Returns the time from the start of the call.
    #[must_use]
    pub fn since_start(self) -> Duration {
        clock::duration(self.start, self.now)
    }

    /// Returns the time from the item before; `None` for the first one.
    #[inline]
    #[must_use]
    pub fn since_last(self) -> Option<Duration> {
        (self.last > 0).then(|| clock::duration(self.last, self.now))
    }
}

/// What a call is besides a function call.
///
/// It is put on the call at its start, filled in while the call runs, and read when the call has
/// ended. Only [`Operation::attributes`] has to be written; the rest has the behaviour of an
/// annotated function.
pub trait Operation: Any + fmt::Debug + Send + Sync {
    /// Shows every attribute that is known, under the names of its conventions.
    fn attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>));

    /// Writes what the call was about, as lines begin with it: `GET /ask 200`. The time that it took
    /// follows. Returns `false` to have the event and the outcome instead.
    fn summary(&self, outcome: Outcome, line: &mut dyn SummaryWriter) -> bool {
        let _ = (outcome, line);
        false
    }

    /// Returns the failure that the status it ended with stands for; `None` for a success, and where
    /// there is no status.
    fn failure(&self) -> Option<(Outcome, ErrorInfo)> {
        None
    }

    /// Returns whether `error` is no more than such a status. The failure of a call below is then
    /// taken for its cause.
    fn is_bare_status(&self, error: &ErrorInfo) -> bool {
        let _ = error;
        false
    }

    /// Returns whether it is one attempt of the call above it, which decides whether its failure
    /// matters: then it is logged, and neither reported nor alerted.
    fn is_attempt(&self) -> bool {
        false
    }

    /// Returns whether a failure may alert, where the site has a rule for it.
    fn may_alert(&self, outcome: Outcome) -> bool {
        let _ = outcome;
        true
    }

    /// Returns the level of the line when it went well, where that is not the site's.
    fn ok_level(&self) -> Option<Level> {
        None
    }

    /// Returns the `error.type` of its metrics, where it failed. Few values.
    fn error_type(&self, outcome: Outcome, class: ErrorClass) -> Option<Cow<'static, str>> {
        match outcome {
            Outcome::Ok => None,
            Outcome::Error => Some(class.as_str().into()),
            outcome => Some(outcome.as_str().into()),
        }
    }

    /// Returns a number that is the same for ends with the same labels. Default: a hash of the
    /// labels among its attributes, and of [`Operation::error_type`].
    fn series(&self, outcome: Outcome, class: ErrorClass) -> u64 {
        let mut hash = DefaultHasher::new();
        self.attributes(&mut |attribute, value| {
            if attribute.is_label() {
                attribute.name().hash(&mut hash);
                value.to_value().to_string().hash(&mut hash);
            }
        });
        self.error_type(outcome, class).hash(&mut hash);
        hash.finish()
    }

    /// Takes note of an item of its stream that has come.
    fn chunk(&mut self, chunk: Chunk) {
        let _ = chunk;
    }

    /// Returns whether its stream has said that it is complete. Dropped then, it is no cancelled call.
    fn is_complete(&self) -> bool {
        false
    }

    /// Takes note of how its call ended, before anybody sees it: to complete its attributes, and to add to
    /// metrics of its own. Called once, on the caller's thread. It must not block or do I/O.
    fn ended(&mut self, end: &OperationEnd) {
        let _ = end;
    }

    /// Returns the name of its span, where that is not the site's.
    fn span_name(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Returns where it went, as a tracker's event shows it: a URL without its query, a queue.
    fn location(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Takes secrets out of every text in it that came from outside. Called once, before anybody
    /// sees it.
    fn redact(&mut self, redactor: &Redactor);

    /// Returns a copy for `testing` observers, whose calls have it as
    /// [`operation`](crate::testing::Call::operation). Default: none.
    fn snapshot(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }

    /// Leaves its memory to a later one. Default: it is freed.
    fn recycle(self: Box<Self>) {}
}

/// What an operation shares with operations below it: known by its type.
pub(crate) type Shared = Arc<dyn Any + Send + Sync>;

/// The metrics of an operation's site: those of its conventions in Prometheus form. They take the
/// place of `llm_observe_calls_*`.
#[derive(Clone, Copy, Debug)]
pub struct Instruments {
    /// The histogram of durations in seconds. Its buckets hold where
    /// [`Builder::metrics`](crate::Builder::metrics) has it.
    pub duration: &'static Metric,
    /// The gauge of those that run, where there is one. It has those of the site's labels that its
    /// own row names.
    pub active: Option<&'static Metric>,
}

/// What a site has besides when its calls are operations.
#[derive(Debug)]
pub struct OperationSite {
    kind: SpanKind,
    instruments: &'static Instruments,
    labels: Vec<(&'static str, String)>,
}

impl OperationSite {
    /// Returns one of that kind, counted by those metrics.
    #[must_use]
    pub const fn new(kind: SpanKind, instruments: &'static Instruments) -> OperationSite {
        OperationSite {
            kind,
            instruments,
            labels: Vec::new(),
        }
    }

    /// Adds a label that all its metrics have, besides those of each end.
    #[must_use]
    pub fn with_label(mut self, name: &'static str, value: impl Into<String>) -> OperationSite {
        self.labels.push((name, value.into()));
        self
    }

    /// Returns the kind of its spans.
    #[must_use]
    pub const fn kind(&self) -> SpanKind {
        self.kind
    }

    /// Returns its metrics.
    #[must_use]
    pub const fn instruments(&self) -> &'static Instruments {
        self.instruments
    }

    /// Returns the labels that all its metrics have.
    #[must_use]
    pub fn labels(&self) -> &[(&'static str, String)] {
        &self.labels
    }
}
