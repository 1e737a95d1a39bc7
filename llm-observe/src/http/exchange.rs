//! One HTTP request and its response, as an operation. Its attributes are those of the OpenTelemetry
//! HTTP conventions (semantic conventions 1.41.1).

use std::{any::Any, borrow::Cow, cell::RefCell, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    attributes::{HEADER_PREFIX, STATUS_ERROR},
    http_site::{Direction, HttpSite},
};
use crate::{
    kernel::{
        error_info::ErrorInfo,
        operation::{Attribute, AttributeValue, Operation, SummaryWriter},
        outcome::{ErrorClass, Outcome},
        pool::{self, Pool},
    },
    redact::Redactor,
};

/// An attribute whose JSON member name is formatted at compile time.
macro_rules! attribute {
    ($name:literal) => {
        Attribute::new($name).with_member(concat!(",\"", $name, "\":"))
    };
    ($name:literal, $short:literal) => {
        attribute!($name).short($short)
    };
}

/// The record of one HTTP request and its response, received or sent.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Exchange {
    pub(super) site: Option<&'static HttpSite>,
    /// Path and query of a received request; the URL without user and password of a sent one.
    pub target: String,
    /// The method as received, where the site has `_OTHER` for it.
    pub method: Option<String>,
    /// The status of the response. `None` when no response arrived.
    pub status: Option<u16>,
    /// The client of a received request, or the server that a sent one reached.
    pub peer: Option<SocketAddr>,
    /// The `User-Agent` of a received request, redacted.
    pub user_agent: Option<Arc<str>>,
    /// Whether the user agent needs no escape in a line.
    pub(super) plain_user_agent: bool,
    /// Bytes of the request's body, where the length is known.
    pub request_bytes: Option<u64>,
    /// Bytes of the response's body that have passed so far.
    pub response_bytes: Option<u64>,
    /// Time from the start of the request to the first byte of the response's body.
    pub first_byte: Option<Duration>,
    /// The request headers that `[http] headers` lists, by attribute name.
    pub headers: Vec<(&'static str, String)>,
    /// The level of the line of a successful request, where it is not the site's.
    pub(super) ok_level: Option<tracing::Level>,
    /// Whether `[http] alert_on` lists the status.
    pub(super) alerts: bool,
}

thread_local! {
    #[allow(clippy::vec_box, reason = "the boxes are reused")]
    static POOL: Pool<Box<Exchange>> = const { RefCell::new(Vec::new()) };
}

/// The most bytes of a target that stay allocated for the next request.
const MAX_POOLED_TARGET: usize = 1_024;

impl Exchange {
    /// Returns an empty exchange of `site`, in the memory of one that has ended where possible.
    pub(super) fn from_pool(site: &'static HttpSite) -> Box<Exchange> {
        let mut exchange = pool::take(&POOL).unwrap_or_default();
        exchange.site = Some(site);
        exchange
    }

    fn is_incoming(&self) -> bool {
        self.site
            .is_some_and(|site| site.direction == Direction::Incoming)
    }

    fn path_and_query(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }

    fn visit_server(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        let (path, query) = self.path_and_query();
        visit(attribute!("url.path"), AttributeValue::Str(path));
        if let Some(query) = query {
            // The query may contain a person's question, so it is not sent to trackers.
            visit(attribute!("url.query").local(), AttributeValue::Str(query));
        }
        if let Some(peer) = self.peer {
            let (ip, port) = (peer.ip(), peer.port().into());
            visit(attribute!("client.address"), AttributeValue::Address(ip));
            visit(attribute!("client.port"), AttributeValue::U64(port));
            visit(Attribute::only_short("peer"), AttributeValue::Socket(peer));
        }
        if let Some(agent) = &self.user_agent {
            let agent = AttributeValue::known_text(agent, self.plain_user_agent);
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

    fn visit_client(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
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
    /// Visits the method first.
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
            Direction::Incoming => self.visit_server(visit),
            Direction::Outgoing => self.visit_client(visit),
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
            let short = name.strip_prefix(HEADER_PREFIX).unwrap_or(name);
            visit(
                Attribute::new(name).short(short),
                AttributeValue::Str(value),
            );
        }
    }

    /// Writes `GET /ask 200`, and the outcome where the status does not imply it.
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
        error.type_name == STATUS_ERROR
    }

    /// A sent request is an attempt: the caller may send it again.
    fn is_attempt(&self) -> bool {
        !self.is_incoming()
    }

    fn may_alert(&self, _: Outcome) -> bool {
        self.alerts
    }

    fn ok_level(&self) -> Option<tracing::Level> {
        self.ok_level
    }

    /// Returns the status of a failure that has one (5xx for a server, 4xx and 5xx for a client), or
    /// else the outcome or the class of the error.
    fn error_type(&self, outcome: Outcome, class: ErrorClass) -> Option<Cow<'static, str>> {
        let least = if self.is_incoming() { 500 } else { 400 };
        match (self.end(outcome), outcome) {
            (ExchangeEnd::Status(status), _) => {
                (status >= least).then(|| status.to_string().into())
            }
            (ExchangeEnd::Failed, Outcome::Error) => Some(class.as_str().into()),
            (ExchangeEnd::Failed, outcome) => Some(outcome.as_str().into()),
        }
    }

    fn series(&self, outcome: Outcome, class: ErrorClass) -> u64 {
        let status = u64::from(self.status.unwrap_or_default());
        match self.end(outcome) {
            ExchangeEnd::Status(_) => status,
            ExchangeEnd::Failed => status | (1 + outcome as u64) << 16 | (class as u64) << 24,
        }
    }

    fn location(&self) -> Option<Cow<'_, str>> {
        match self.is_incoming() {
            true => Some(self.path_and_query().0.into()),
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
        // The redactor decides by the header's name whether the value is secret.
        for (attribute, value) in &mut self.headers {
            let name = attribute.strip_prefix(HEADER_PREFIX).unwrap_or(attribute);
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
        target.shrink_to(MAX_POOLED_TARGET);
        *self = Exchange {
            target,
            ..Exchange::default()
        };
        pool::keep(&POOL, self);
    }
}

/// How an exchange ended, for the labels of its metrics.
enum ExchangeEnd {
    /// With this status, which implies the outcome.
    Status(u16),
    /// Without a status, or otherwise than the status implies: by a panic, cancelled, or broken off.
    Failed,
}

impl Exchange {
    fn end(&self, outcome: Outcome) -> ExchangeEnd {
        match (self.status, outcome) {
            (Some(status), Outcome::Ok) => ExchangeEnd::Status(status),
            // A body that broke off after a successful status has an error class of its own.
            (Some(status), Outcome::Error | Outcome::Timeout) if status >= 400 => {
                ExchangeEnd::Status(status)
            }
            _ => ExchangeEnd::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_stays_on_this_machine() {
        let site = HttpSite::incoming("http_request", "GET /ask", "GET", None, Vec::new());
        let exchange = Exchange {
            site: Some(Box::leak(Box::new(site))),
            target: "/ask?q=what+is+it".to_owned(),
            ..Exchange::default()
        };
        let mut local = Vec::new();
        exchange.attributes(&mut |attribute, value| {
            if value.to_value().to_string().contains("what") {
                local.push((attribute.name().to_owned(), attribute.is_local()));
            }
        });
        assert_eq!(local, [("url.query".to_owned(), true)]);
        assert_eq!(exchange.location().as_deref(), Some("/ask"));
    }
}
