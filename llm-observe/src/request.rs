//! What is known of an HTTP request: the one that a call belongs to, and the exchange that a call
//! itself is. Plain values; knows no sink and no HTTP library.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{
    record::Value,
    site::{Kind, RequestSite},
};

/// The longest request id that is accepted from outside.
const LONGEST_ID: usize = 128;

/// The id of a request: 1 to 128 visible ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    len: u8,
    bytes: [u8; LONGEST_ID],
}

impl RequestId {
    /// Returns the id that a client sent, unless it is empty, longer than 128 bytes, or has
    /// anything in it but visible ASCII.
    #[must_use]
    pub fn accept(sent: &[u8]) -> Option<RequestId> {
        let visible = !sent.is_empty() && sent.iter().all(u8::is_ascii_graphic);
        if visible { RequestId::over(sent) } else { None }
    }

    /// Returns a new random id, written as a UUID (RFC 9562, version 4).
    #[must_use]
    pub fn random() -> RequestId {
        const DASHES: [usize; 4] = [8, 13, 18, 23];
        let random = fastrand::u128(..);
        let id = (random & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
        let mut bytes = [0; LONGEST_ID];
        let mut shift = 128_u32;
        for (at, byte) in bytes.iter_mut().enumerate().take(36) {
            *byte = if DASHES.contains(&at) {
                b'-'
            } else {
                shift -= 4;
                hex_digit(id >> shift)
            };
        }
        RequestId { len: 36, bytes }
    }

    fn over(text: &[u8]) -> Option<RequestId> {
        let mut bytes = [0; LONGEST_ID];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let len = u8::try_from(text.len()).ok()?;
        Some(RequestId { len, bytes })
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

/// Returns the digit of the last four bits.
fn hex_digit(bits: u128) -> u8 {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let at = usize::try_from(bits & 15).unwrap_or_default();
    DIGITS.get(at).copied().unwrap_or(b'0')
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The HTTP request that a call or a line belongs to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// Its id: the client's, or a new one.
    pub id: RequestId,
    /// Its method; `_OTHER` for one that RFC 9110 and RFC 5789 do not know.
    pub method: &'static str,
    /// The template of its route, such as `/users/{id}`, where one matched.
    pub route: Option<&'static str>,
    /// The link to the LogRocket session that it was made in.
    pub session: Option<String>,
    /// The `trace-flags` that came with it, for those that are called on its behalf.
    pub(crate) flags: u8,
    /// The `tracestate` that came with it, for the same.
    pub(crate) state: Option<String>,
}

/// The flags of a trace that starts here: sampled.
pub(crate) const SAMPLED: u8 = 1;

impl Request {
    /// Returns a request of that id, with nothing else known of it.
    #[must_use]
    pub const fn new(id: RequestId, method: &'static str) -> Request {
        Request {
            id,
            method,
            route: None,
            session: None,
            flags: SAMPLED,
            state: None,
        }
    }
}

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
    /// The `User-Agent` that came with it.
    pub user_agent: Option<String>,
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
    U64(u64),
    F64(f64),
    Ip(IpAddr),
    Peer(SocketAddr),
}

impl Fact<'_> {
    /// Returns it as a recorded value.
    pub(crate) fn to_value(self) -> Value {
        match self {
            Fact::Str(text) => Value::Str(text.to_owned()),
            Fact::U64(n) => Value::U64(n),
            Fact::F64(n) => Value::F64(n),
            Fact::Ip(address) => Value::Str(address.to_string()),
            Fact::Peer(address) => Value::Str(address.to_string()),
        }
    }
}

/// The names of a fact: the attribute's of the OpenTelemetry HTTP conventions, which JSON lines,
/// spans and reports have, and the short one of text lines; empty where they show it otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub(crate) attribute: &'static str,
    pub(crate) short: &'static str,
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

impl Exchange {
    /// Returns every text that came from outside, but for the headers.
    pub(crate) fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let all = [
            Some(&mut self.target),
            self.method.as_mut(),
            self.user_agent.as_mut(),
        ];
        all.into_iter().flatten()
    }

    /// Returns path and query.
    fn parts(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }

    /// Shows every fact that has an attribute to `see`, with its name.
    pub(crate) fn attributes(
        &self,
        site: &RequestSite,
        mut see: impl FnMut(&'static str, Fact<'_>),
    ) {
        self.facts(site, |name, fact| {
            if !name.attribute.is_empty() {
                see(name.attribute, fact);
            }
        });
    }

    /// Shows every fact that is known to `see`.
    pub(crate) fn facts(&self, site: &RequestSite, mut see: impl FnMut(Named, Fact<'_>)) {
        let server = site.kind == Kind::Server;
        let mut put = |attribute, short, fact: Option<Fact<'_>>| {
            if let Some(fact) = fact {
                see(Named { attribute, short }, fact);
            }
        };
        put("http.request.method", "", Some(Fact::Str(site.method)));
        let original = self.method.as_deref().map(Fact::Str);
        put("http.request.method_original", "method", original);
        if server {
            let (path, query) = self.parts();
            put("url.path", "", Some(Fact::Str(path)));
            put("url.query", "", query.map(Fact::Str));
        } else {
            put("url.full", "", Some(Fact::Str(&self.target)));
        }
        put("http.route", "route", site.route.map(Fact::Str));
        let status = self.status.map(|status| Fact::U64(status.into()));
        put("http.response.status_code", "", status);
        let (address, port) = if server {
            ("client.address", "client.port")
        } else {
            ("network.peer.address", "network.peer.port")
        };
        put(address, "", self.peer.map(|peer| Fact::Ip(peer.ip())));
        put(
            port,
            "",
            self.peer.map(|peer| Fact::U64(peer.port().into())),
        );
        put("", "peer", self.peer.map(Fact::Peer));
        let agent = self.user_agent.as_deref().map(Fact::Str);
        put("user_agent.original", "user_agent", agent);
        let (sent, got) = if server {
            ("bytes_in", "bytes_out")
        } else {
            ("bytes_out", "bytes_in")
        };
        put(
            "http.request.body.size",
            sent,
            self.request_bytes.map(Fact::U64),
        );
        put(
            "http.response.body.size",
            got,
            self.response_bytes.map(Fact::U64),
        );
        let first = self.first_byte.map(|first| Fact::F64(millis(first)));
        put("http.response.time_to_first_byte_ms", "ttfb_ms", first);
        for (attribute, value) in &self.headers {
            let short = attribute.strip_prefix(HEADER).unwrap_or(attribute);
            put(attribute, short, Some(Fact::Str(value)));
        }
    }
}

/// Returns milliseconds, to the microsecond.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_visible_ascii_or_none() {
        for sent in ["a", "6f1c-22", "\"x\"=y", &"x".repeat(128)] {
            assert_eq!(RequestId::accept(sent.as_bytes()).unwrap().as_str(), sent);
        }
        for sent in ["", "a b", "a\nb", "a\u{1b}[31m", "é", &"x".repeat(129)] {
            assert_eq!(RequestId::accept(sent.as_bytes()), None, "{sent:?}");
        }
    }

    #[test]
    fn a_new_id_is_a_uuid_of_version_4() {
        let (one, two) = (RequestId::random(), RequestId::random());
        assert_ne!(one, two);
        let id = one.as_str();
        assert_eq!(id.len(), 36);
        for (at, c) in id.char_indices() {
            match at {
                8 | 13 | 18 | 23 => assert_eq!(c, '-'),
                14 => assert_eq!(c, '4'),
                19 => assert!("89ab".contains(c), "{id}"),
                _ => assert!(c.is_ascii_hexdigit(), "{id}"),
            }
        }
    }
}
