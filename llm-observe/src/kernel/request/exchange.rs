//! One HTTP exchange: what was asked and answered, and the names under which lines, spans and reports
//! show it.

use std::{
    cell::RefCell,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use crate::kernel::{
    pool::{self, Pool},
    site::{Kind, RequestSite},
    value::Value,
};

/// One HTTP exchange, as its record has it: a request that came in, or one that was sent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Exchange {
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
    pub(crate) plain_agent: bool,
    /// Bytes of the request's body, where they are known.
    pub request_bytes: Option<u64>,
    /// Bytes of the response's body so far.
    pub response_bytes: Option<u64>,
    /// From the start to the first byte of the response's body.
    pub first_byte: Option<Duration>,
    /// The request headers that `[http] headers` asks for, under their attributes' names.
    pub headers: Vec<(&'static str, String)>,
    /// The level of its line when it went well, where that is not the site's.
    pub(crate) level: Option<tracing::Level>,
    /// Whether `[http] alert_on` names the status.
    pub(crate) alerts: bool,
}

/// A fact of an exchange, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fact<'a> {
    Str(&'a str),
    /// A text that is known to need no escape, in text and in JSON.
    Plain(&'a str),
    U64(u64),
    /// Milliseconds, to the microsecond.
    Millis(Duration),
    Ip(IpAddr),
    Peer(SocketAddr),
}

impl Fact<'_> {
    /// Returns it as a recorded value.
    pub(crate) fn to_value(self) -> Value {
        match self {
            Fact::Str(text) | Fact::Plain(text) => Value::Str(text.to_owned()),
            Fact::U64(n) => Value::U64(n),
            Fact::Millis(time) => Value::F64(millis(time)),
            Fact::Ip(address) => Value::Str(address.to_string()),
            Fact::Peer(address) => Value::Str(address.to_string()),
        }
    }
}

/// Returns a text as a fact, `plain` where it is known to be.
const fn fact(text: &str, plain: bool) -> Fact<'_> {
    if plain {
        Fact::Plain(text)
    } else {
        Fact::Str(text)
    }
}

/// Returns whether a text needs no escape anywhere: it is visible ASCII and spaces, without quotes
/// and backslashes.
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\'))
}

/// The names of a fact: the attribute's of the OpenTelemetry HTTP conventions, which JSON lines,
/// spans and reports have, and the short one of text lines; empty where they show it otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub(crate) attribute: &'static str,
    pub(crate) short: &'static str,
    /// The attribute as a further member of a JSON object, up to its value; empty where it has to
    /// be written from the attribute.
    pub(crate) member: &'static str,
}

/// Names a fact, with its attribute as JSON has it.
macro_rules! named {
    ($attribute:literal, $short:literal) => {
        Named {
            attribute: $attribute,
            short: $short,
            member: concat!(",\"", $attribute, "\":"),
        }
    };
}

/// What the attribute of a captured request header starts with.
pub(crate) const HEADER: &str = "http.request.header.";

/// The attributes of [`Exchange::facts`] that a span may get; headers are in lines only.
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

thread_local! {
    #[allow(clippy::vec_box, reason = "it is the boxes that are used again")]
    static SPARE: Pool<Box<Exchange>> = const { RefCell::new(Vec::new()) };
}

/// A target that was longer leaves no memory.
const LONGEST_KEPT: usize = 1_024;

impl Exchange {
    /// Returns an empty one, in the memory of one that has ended.
    pub(crate) fn fresh() -> Box<Exchange> {
        pool::take(&SPARE).unwrap_or_default()
    }

    /// Leaves the memory to a later one.
    pub(crate) fn end(mut self: Box<Exchange>) {
        let mut target = std::mem::take(&mut self.target);
        target.clear();
        target.shrink_to(LONGEST_KEPT);
        *self = Exchange {
            target,
            ..Exchange::default()
        };
        pool::keep(&SPARE, self);
    }

    /// Returns path and query.
    fn parts(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }

    /// Shows every fact that has an attribute to `see`, with its name.
    pub(crate) fn attributes(&self, site: &RequestSite, mut see: impl FnMut(Named, Fact<'_>)) {
        self.facts(site, |name, fact| {
            if !name.attribute.is_empty() {
                see(name, fact);
            }
        });
    }

    /// Shows every fact that is known to `see`; the method, always, as the first.
    pub(crate) fn facts(&self, site: &RequestSite, mut see: impl FnMut(Named, Fact<'_>)) {
        see(named!("http.request.method", ""), Fact::Plain(site.method));
        let mut put = |name, fact: Option<Fact<'_>>| {
            if let Some(fact) = fact {
                see(name, fact);
            }
        };
        let original = self.method.as_deref().map(Fact::Str);
        put(named!("http.request.method_original", "method"), original);
        let route = site.route.map(|route| fact(route, site.plain));
        put(named!("http.route", "route"), route);
        if site.kind == Kind::Server {
            self.facts_of_server(&mut put);
        } else {
            self.facts_of_client(&mut put);
        }
        let status = self.status.map(|status| Fact::U64(status.into()));
        put(named!("http.response.status_code", ""), status);
        let first = self.first_byte.map(Fact::Millis);
        put(
            named!("http.response.time_to_first_byte_ms", "ttfb_ms"),
            first,
        );
        for (attribute, value) in &self.headers {
            let name = Named {
                attribute,
                short: attribute.strip_prefix(HEADER).unwrap_or(attribute),
                member: "",
            };
            put(name, Some(Fact::Str(value)));
        }
    }

    fn facts_of_server(&self, put: &mut impl FnMut(Named, Option<Fact<'_>>)) {
        let (path, query) = self.parts();
        put(named!("url.path", ""), Some(Fact::Str(path)));
        put(named!("url.query", ""), query.map(Fact::Str));
        if let Some(peer) = self.peer {
            put(named!("client.address", ""), Some(Fact::Ip(peer.ip())));
            put(
                named!("client.port", ""),
                Some(Fact::U64(peer.port().into())),
            );
            put(named!("", "peer"), Some(Fact::Peer(peer)));
        }
        let agent = self.user_agent.as_deref();
        let agent = agent.map(|agent| fact(agent, self.plain_agent));
        put(named!("user_agent.original", "user_agent"), agent);
        let (sent, got) = (self.request_bytes, self.response_bytes);
        put(
            named!("http.request.body.size", "bytes_in"),
            sent.map(Fact::U64),
        );
        put(
            named!("http.response.body.size", "bytes_out"),
            got.map(Fact::U64),
        );
    }

    fn facts_of_client(&self, put: &mut impl FnMut(Named, Option<Fact<'_>>)) {
        put(named!("url.full", ""), Some(Fact::Str(&self.target)));
        if let Some(peer) = self.peer {
            put(
                named!("network.peer.address", ""),
                Some(Fact::Ip(peer.ip())),
            );
            put(
                named!("network.peer.port", ""),
                Some(Fact::U64(peer.port().into())),
            );
            put(named!("", "peer"), Some(Fact::Peer(peer)));
        }
        let (sent, got) = (self.request_bytes, self.response_bytes);
        put(
            named!("http.request.body.size", "bytes_out"),
            sent.map(Fact::U64),
        );
        put(
            named!("http.response.body.size", "bytes_in"),
            got.map(Fact::U64),
        );
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
