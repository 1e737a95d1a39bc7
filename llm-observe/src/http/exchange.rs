//! One HTTP exchange: what was asked and answered, as an operation. Its attributes are those of the
//! OpenTelemetry HTTP conventions (semantic conventions 1.41.1).

use std::{any::Any, borrow::Cow, cell::RefCell, net::SocketAddr, sync::Arc, time::Duration};

use super::http_site::{Direction, HttpSite};
use crate::{
    kernel::{
        error_info::ErrorInfo,
        operation::{Attribute, AttributeValue, Operation, SummaryWriter, is_plain},
        outcome::{ErrorClass, Outcome},
        pool::{self, Pool},
    },
    redact::Redactor,
};

/// An attribute whose JSON member is written once, by the compiler.
macro_rules! attribute {
    ($name:literal) => {
        Attribute::new($name).with_member(concat!(",\"", $name, "\":"))
    };
    ($name:literal, $short:literal) => {
        attribute!($name).short($short)
    };
}

/// The type of an error that is no more than the status of an answer.
pub(crate) const STATUS: &str = "status";

/// What the attribute of a captured request header starts with.
pub(crate) const HEADER: &str = "http.request.header.";

/// The attributes of an exchange that a span may get; headers are in lines only.
pub(crate) const ATTRIBUTES: &[&str] = &[
    "http.request.method",
    "http.request.method_original",
    "url.path",
    "url.query",
    "url.full",
    "http.route",
    "http.response.status_code",
    "client.address",
    "client.port",
    "network.peer.address",
    "network.peer.port",
    "user_agent.original",
    "http.request.body.size",
    "http.response.body.size",
    "http.response.time_to_first_byte_ms",
];

/// One HTTP exchange, as its record has it: a request that came in, or one that was sent.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Exchange {
    pub(super) site: Option<&'static HttpSite>,
    /// Path and query of a request that came in; host, path and query of one that was sent.
    pub target: String,
    /// The method as it was, where the site's is `_OTHER`.
    pub method: Option<String>,
    /// The status of the response, once there was one.
    pub status: Option<u16>,
    /// Who sent it, or whom it was sent to.
    pub peer: Option<SocketAddr>,
    /// The `User-Agent` that came with it, redacted.
    pub user_agent: Option<Arc<str>>,
    /// Whether the user agent needs no escape.
    pub(super) plain_agent: bool,
    /// Bytes of the request's body, where they are known.
    pub request_bytes: Option<u64>,
    /// Bytes of the response's body so far.
    pub response_bytes: Option<u64>,
    /// From the start to the first byte of the response's body.
    pub first_byte: Option<Duration>,
    /// The request headers that `[http] headers` asks for, under their attributes' names.
    pub headers: Vec<(&'static str, String)>,
    /// The level of its line when it went well, where that is not the site's.
    pub(super) level: Option<tracing::Level>,
    /// Whether `[http] alert_on` names the status.
    pub(super) alerts: bool,
}

thread_local! {
    #[allow(clippy::vec_box, reason = "it is the boxes that are used again")]
    static POOL: Pool<Box<Exchange>> = const { RefCell::new(Vec::new()) };
}

/// A target that was longer leaves no memory.
const LONGEST_KEPT: usize = 1_024;

impl Exchange {
    /// Returns an empty one of that site, in the memory of one that has ended.
    pub(super) fn from_pool(site: &'static HttpSite) -> Box<Exchange> {
        let mut exchange = pool::take(&POOL).unwrap_or_default();
        exchange.site = Some(site);
        exchange
    }

    fn is_incoming(&self) -> bool {
        self.site
            .is_some_and(|site| site.direction == Direction::Incoming)
    }

    /// Returns path and query.
    fn parts(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }

    fn of_server(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        let (path, query) = self.parts();
        visit(attribute!("url.path"), AttributeValue::Str(path));
        if let Some(query) = query {
            // It may be what a person asked.
            visit(attribute!("url.query").local(), AttributeValue::Str(query));
        }
        if let Some(peer) = self.peer {
            let (ip, port) = (peer.ip(), peer.port().into());
            visit(attribute!("client.address"), AttributeValue::Address(ip));
            visit(attribute!("client.port"), AttributeValue::U64(port));
            visit(Attribute::only_short("peer"), AttributeValue::Socket(peer));
        }
        if let Some(agent) = &self.user_agent {
            let agent = AttributeValue::known_text(agent, self.plain_agent);
            visit(attribute!("user_agent.original", "user_agent"), agent);
        }
        if let Some(bytes) = self.request_bytes {
            let name = attribute!("http.request.body.size", "bytes_in");
            visit(name, AttributeValue::U64(bytes));
        }
        if let Some(bytes) = self.response_bytes {
            let name = attribute!("http.response.body.size", "bytes_out");
            visit(name, AttributeValue::U64(bytes));
        }
    }

    fn of_client(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        visit(attribute!("url.full"), AttributeValue::Str(&self.target));
        if let Some(peer) = self.peer {
            let (ip, port) = (peer.ip(), peer.port().into());
            visit(
                attribute!("network.peer.address"),
                AttributeValue::Address(ip),
            );
            visit(attribute!("network.peer.port"), AttributeValue::U64(port));
            visit(Attribute::only_short("peer"), AttributeValue::Socket(peer));
        }
        if let Some(bytes) = self.request_bytes {
            let name = attribute!("http.request.body.size", "bytes_out");
            visit(name, AttributeValue::U64(bytes));
        }
        if let Some(bytes) = self.response_bytes {
            let name = attribute!("http.response.body.size", "bytes_in");
            visit(name, AttributeValue::U64(bytes));
        }
    }
}

impl Operation for Exchange {
    /// Shows the method as the first.
    fn attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        let Some(site) = self.site else { return };
        let method = AttributeValue::Plain(site.method);
        visit(attribute!("http.request.method"), method);
        if let Some(original) = &self.method {
            let name = attribute!("http.request.method_original", "method");
            visit(name, AttributeValue::Str(original));
        }
        if let Some(route) = site.route {
            let route = AttributeValue::known_text(route, site.plain);
            visit(attribute!("http.route", "route"), route);
        }
        match site.direction {
            Direction::Incoming => self.of_server(visit),
            Direction::Outgoing => self.of_client(visit),
        }
        if let Some(status) = self.status {
            let name = attribute!("http.response.status_code").label();
            visit(name, AttributeValue::U64(status.into()));
        }
        if let Some(first) = self.first_byte {
            let name = attribute!("http.response.time_to_first_byte_ms", "ttfb_ms");
            visit(name, AttributeValue::Millis(first));
        }
        for (name, value) in &self.headers {
            let short = name.strip_prefix(HEADER).unwrap_or(name);
            visit(
                Attribute::new(name).short(short),
                AttributeValue::Str(value),
            );
        }
    }

    /// `GET /ask 200`; the outcome too where the status does not show it.
    fn summary(&self, outcome: Outcome, line: &mut dyn SummaryWriter) -> bool {
        let Some(site) = self.site else { return false };
        line.literal(site.method);
        line.literal(" ");
        line.text(&self.target);
        if let Some(status) = self.status {
            line.literal(" ");
            line.number(status.into());
        }
        let shown = matches!(outcome, Outcome::Ok | Outcome::Error | Outcome::Timeout);
        let broken = outcome != Outcome::Ok && self.status.is_none_or(|status| status < 400);
        if !shown || broken {
            line.literal(" ");
            line.literal(outcome.as_str());
        }
        true
    }

    fn is_bare_status(&self, error: &ErrorInfo) -> bool {
        error.type_name == STATUS
    }

    /// A request that was sent is one: whoever sent it may send it again.
    fn is_attempt(&self) -> bool {
        !self.is_incoming()
    }

    fn may_alert(&self, _: Outcome) -> bool {
        self.alerts
    }

    fn ok_level(&self) -> Option<tracing::Level> {
        self.level
    }

    /// Returns the status where that is the error, for a server's 5xx and what a client got of 4xx
    /// and 5xx; else what happened.
    fn error_type(&self, outcome: Outcome, class: ErrorClass) -> Option<Cow<'static, str>> {
        let least = if self.is_incoming() { 500 } else { 400 };
        match (self.end(outcome), outcome) {
            (End::Status(status), _) => (status >= least).then(|| status.to_string().into()),
            (End::Failed, Outcome::Error) => Some(class.as_str().into()),
            (End::Failed, outcome) => Some(outcome.as_str().into()),
        }
    }

    fn series(&self, outcome: Outcome, class: ErrorClass) -> u64 {
        let status = u64::from(self.status.unwrap_or_default());
        match self.end(outcome) {
            End::Status(_) => status,
            End::Failed => status | (1 + outcome as u64) << 16 | (class as u64) << 24,
        }
    }

    fn location(&self) -> Option<Cow<'_, str>> {
        match self.is_incoming() {
            true => Some(self.parts().0.into()),
            false => Some(self.target.as_str().into()),
        }
    }

    fn redact(&mut self, redactor: &Redactor) {
        if let Cow::Owned(clean) = redactor.redact_url(&self.target) {
            self.target = clean;
        }
        if let Some(method) = &mut self.method
            && let Cow::Owned(clean) = redactor.redact(method)
        {
            *method = clean;
        }
        // The name of a header decides whether its value is secret.
        for (attribute, value) in &mut self.headers {
            let name = attribute.strip_prefix(HEADER).unwrap_or(attribute);
            let clean = redactor.redact_header(name, value);
            if *clean != **value {
                *value = clean.into_owned();
            }
        }
    }

    fn snapshot(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(self.clone()))
    }

    fn recycle(mut self: Box<Self>) {
        let mut target = std::mem::take(&mut self.target);
        target.clear();
        target.shrink_to(LONGEST_KEPT);
        *self = Exchange {
            target,
            ..Exchange::default()
        };
        pool::keep(&POOL, self);
    }
}

/// How an exchange ended, as its metrics have it.
enum End {
    /// With a status, which shows whether that is an error.
    Status(u16),
    /// Without one, or not as the status promised: panicked, cancelled, broken off.
    Failed,
}

impl Exchange {
    fn end(&self, outcome: Outcome) -> End {
        match (self.status, outcome) {
            (Some(status), Outcome::Ok) => End::Status(status),
            // The error is the status: what broke off after a good one has the class besides.
            (Some(status), Outcome::Error | Outcome::Timeout) if status >= 400 => {
                End::Status(status)
            }
            _ => End::Failed,
        }
    }
}

/// Returns whether method, route and name need no escape in a line.
pub(super) fn are_plain(route: Option<&str>, name: &str) -> bool {
    is_plain(route.unwrap_or_default()) && is_plain(name)
}
