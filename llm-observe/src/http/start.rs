//! What is read of a request that comes in, before anybody works on it.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use http::{HeaderMap, HeaderName, Uri, header};

use super::{
    Http, agents,
    exchange::Exchange,
    grpc,
    http_site::HttpSite,
    ids::{self, TraceParent},
    logrocket::session_link,
    method::Method,
    server_call::ServerCall,
    sites::SCHEMES,
};
use crate::kernel::{
    call::Call,
    dispatch,
    request_context::{RequestContext, RequestId, SAMPLED},
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A text of a request that is longer is cut: no client decides how large a line gets.
const LONGEST_TEXT: usize = 4_096;

/// The event of requests that come in.
const EVENT: &str = "http_request";

/// What a request that comes in is read from.
pub(super) struct Incoming<'a, F> {
    pub(super) method: &'a str,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// Finds its route and its peer.
    pub(super) origin: F,
}

impl<'a, F> Incoming<'a, F>
where
    F: FnOnce() -> (Option<Cow<'a, str>>, Option<SocketAddr>),
{
    /// Starts observing it; `None` when nobody does.
    pub(super) fn start(self) -> Option<ServerCall> {
        dispatch::with_extension(|_, http: &Http| {
            let ignored = http.policy.ignores(self.uri.path());
            (!ignored).then(|| self.start_in(http))?
        })
        .flatten()
    }

    fn start_in(self, http: &Http) -> Option<ServerCall> {
        let head = Head {
            method: Method::of(self.method),
            uri: self.uri,
            headers: self.headers,
            known: Known::of(self.headers),
        };
        let (route, peer) = (self.origin)();
        let site = head.site(http, route.as_deref().unwrap_or_default())?;
        // Filled where it stays.
        let mut exchange = Exchange::from_pool(site);
        head.fill(&mut exchange, http);
        exchange.peer = peer;
        if head.method.is_other() {
            exchange.method = Some(text(self.method.as_bytes()));
        }
        let parent = head.known.trace_parent.and_then(TraceParent::parse);
        let mut call = Call::new(&site.site);
        let extra = call.extra();
        extra.parent = parent.map(|parent| (parent.trace, parent.span));
        extra.operation = Some(exchange);
        if !call.ensure_started() {
            return None;
        }
        let request = Arc::new(head.request(http, site, parent));
        let grpc = head.known.content_type.is_some_and(grpc::is_type);
        Some(ServerCall::new(call, request, http.policy, grpc))
    }
}

/// The head of a request.
struct Head<'a> {
    method: Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    known: Known<'a>,
}

/// The headers that are always looked for: the first of each, but for those of a trace.
#[derive(Default)]
struct Known<'a> {
    id: Option<&'a [u8]>,
    trace_parent: Option<&'a [u8]>,
    trace_state: Option<Cow<'a, [u8]>>,
    session: Option<&'a [u8]>,
    forwarded_proto: Option<&'a [u8]>,
    content_type: Option<&'a [u8]>,
    user_agent: Option<&'a [u8]>,
    content_length: Option<&'a [u8]>,
}

impl<'a> Known<'a> {
    /// Finds them in one pass: a request has few headers, and a look-up costs a hash.
    fn of(headers: &'a HeaderMap) -> Known<'a> {
        let mut known = Known::default();
        let mut parents = 0;
        for (name, value) in headers {
            let place = match name.as_str() {
                "x-request-id" => &mut known.id,
                "traceparent" => {
                    parents += 1;
                    &mut known.trace_parent
                }
                "tracestate" => {
                    known.add_state(value.as_bytes());
                    continue;
                }
                "x-logrocket-url" => &mut known.session,
                "x-forwarded-proto" => &mut known.forwarded_proto,
                "content-type" => &mut known.content_type,
                "user-agent" => &mut known.user_agent,
                "content-length" => &mut known.content_length,
                _ => continue,
            };
            place.get_or_insert(value.as_bytes());
        }
        // Which of several is meant, nobody can tell.
        known.trace_parent = known.trace_parent.filter(|_| parents == 1);
        known
    }

    /// Several are one list (W3C Trace Context, section 3.3).
    fn add_state(&mut self, value: &'a [u8]) {
        self.trace_state = Some(match self.trace_state.take() {
            None => Cow::Borrowed(value),
            Some(before) if ids::may_grow(&before) => [&before, &b","[..], value].concat().into(),
            Some(before) => before,
        });
    }
}

impl Head<'_> {
    fn request(&self, http: &Http, site: &HttpSite, parent: Option<TraceParent>) -> RequestContext {
        let mut request = RequestContext::new(self.id(http), self.method.as_str());
        request.route = site.route;
        if let Some(parent) = parent {
            // Of the other flags nothing is known, so they are not passed on (section 3.2.2.5).
            request.flags = parent.flags & SAMPLED;
            request.state = self.known.trace_state.as_deref().and_then(ids::state);
        }
        request.session_url = self.session(http);
        request
    }

    /// The client's id, unless it is none, or looks like a secret.
    fn id(&self, http: &Http) -> RequestId {
        let sent = self.known.id.and_then(RequestId::accept);
        sent.filter(|id| matches!(http.redactor.redact(id.as_str()), Cow::Borrowed(_)))
            .unwrap_or_else(RequestId::random)
    }

    fn session(&self, http: &Http) -> Option<String> {
        let app = http.sessions.as_deref()?;
        let link = std::str::from_utf8(self.known.session?).ok()?;
        session_link(link, Some(app))
    }

    fn site(&self, http: &Http, route: &str) -> Option<&'static HttpSite> {
        let (method, scheme) = (self.method, self.scheme());
        http.routes.site(route, method, scheme, |route| {
            http.policy.apply(site(method, scheme, route))
        })
    }

    /// The scheme that the client used, as far as one can tell: a proxy may have ended its TLS.
    fn scheme(&self) -> usize {
        let own = self.uri.scheme_str().map(str::as_bytes);
        // Each proxy adds its own behind those of the ones before it.
        let proxies = self.known.forwarded_proto;
        let forwarded = proxies.and_then(|list| list.split(|byte| *byte == b',').next());
        let forwarded = forwarded.map(<[u8]>::trim_ascii);
        let name = forwarded.or(own).unwrap_or(b"http");
        let known = SCHEMES
            .iter()
            .position(|known| known.as_bytes().eq_ignore_ascii_case(name));
        known.unwrap_or_default()
    }

    fn fill(&self, exchange: &mut Exchange, http: &Http) {
        let target = match self.uri.path_and_query() {
            Some(both) => both.as_str(),
            None => self.uri.path(),
        };
        match target.len() {
            0..=LONGEST_TEXT => exchange.target.push_str(target),
            _ => exchange.target = text(target.as_bytes()),
        }
        if let Some(raw) = self.known.user_agent {
            let (clean, plain) = agents::clean(raw, http.number, &http.redactor);
            (exchange.user_agent, exchange.plain_agent) = (Some(clean), plain);
        }
        exchange.request_bytes = self.known.content_length.and_then(number);
        exchange.headers = self.captured(http);
    }

    fn captured(&self, http: &Http) -> Vec<(&'static str, String)> {
        let wanted = http.policy.headers.iter();
        wanted
            .filter_map(|(name, attribute)| {
                let values: Vec<_> = self.headers.get_all(name).iter().collect();
                let values: Vec<_> = values.iter().map(|value| text(value.as_bytes())).collect();
                (!values.is_empty()).then(|| (*attribute, text(values.join(", ").as_bytes())))
            })
            .collect()
    }
}

/// Returns the site of a route, under its names and labels.
fn site(method: Method, scheme: usize, route: &'static str) -> HttpSite {
    let method = method.as_str();
    let mut labels = vec![("http_request_method", method.to_owned())];
    let scheme = SCHEMES.get(scheme).copied().unwrap_or_default();
    labels.push(("url_scheme", scheme.to_owned()));
    let route = Some(route).filter(|route| !route.is_empty());
    labels.extend(route.map(|route| ("http_route", route.to_owned())));
    let name = match route {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    };
    HttpSite::incoming(EVENT, name.leak(), method, route, labels)
}

/// Returns how many bytes a `Content-Length` promises.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    number(headers.get(header::CONTENT_LENGTH)?.as_bytes())
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

pub(super) fn text(value: &[u8]) -> String {
    let end = value.len().min(LONGEST_TEXT);
    String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
}
