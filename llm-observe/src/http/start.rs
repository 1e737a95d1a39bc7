//! What is read of a request that comes in, before anybody works on it.

use std::{net::SocketAddr, sync::Arc};

use http::{HeaderMap, HeaderName, Uri, header};

use super::{
    Http,
    ids::{self, TraceParent},
    method::Method,
    sites::SCHEMES,
    underway::Underway,
};
use crate::{
    call::Call,
    logrocket::session_link,
    observer::{self, Core},
    request::{Exchange, Request, RequestId},
    site::{Kind, RequestSite, Site},
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");
const SESSION: HeaderName = HeaderName::from_static("x-logrocket-url");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A text of a request that is longer is cut: no client decides how large a line gets.
const LONGEST_TEXT: usize = 4_096;

/// The event of requests that come in.
const EVENT: &str = "http_request";

/// What is known of a request that comes in.
pub(super) struct Incoming<'a> {
    pub(super) method: &'a str,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) route: Option<&'a str>,
    pub(super) peer: Option<SocketAddr>,
}

/// Returns whether anybody observes requests for that path.
pub(super) fn is_wanted(path: &str) -> bool {
    observer::with_core(|core| !core.http.policy.ignores(path)).unwrap_or(false)
}

impl Incoming<'_> {
    /// Starts observing it; `None` when nobody does.
    pub(super) fn start(&self) -> Option<Underway> {
        observer::with_core(|core| self.start_in(core)).flatten()
    }

    fn start_in(&self, core: &Core) -> Option<Underway> {
        let method = Method::of(self.method);
        let site = self.site(&core.http, method)?;
        let parent = self.bytes(&TRACE_PARENT).and_then(TraceParent::parse);
        let mut call = Call::new(site);
        let extra = call.extra();
        extra.parent = parent.map(|parent| (parent.trace, parent.span));
        extra.exchange = Some(Box::new(self.exchange(&core.http, method)));
        if !call.is_on_or_starts() {
            return None;
        }
        let mut request = Request::new(self.id(core), method.as_str());
        request.route = site.request.and_then(|request| request.route);
        if let Some(parent) = parent {
            request.flags = parent.flags;
            request.state = self.bytes(&TRACE_STATE).and_then(ids::state);
        }
        request.session = self.session(&core.http);
        let policy = core.http.policy.clone();
        Some(Underway::new(call, Arc::new(request), policy))
    }

    fn bytes(&self, name: &HeaderName) -> Option<&[u8]> {
        self.headers.get(name).map(|value| value.as_bytes())
    }

    /// The client's id, unless it is none, or looks like a secret.
    fn id(&self, core: &Core) -> RequestId {
        let sent = self.bytes(&REQUEST_ID).and_then(RequestId::accept);
        sent.filter(|id| {
            matches!(
                core.redactor.redact(id.as_str()),
                std::borrow::Cow::Borrowed(_)
            )
        })
        .unwrap_or_else(RequestId::random)
    }

    fn session(&self, http: &Http) -> Option<String> {
        let app = http.sessions.as_deref()?;
        let link = self.headers.get(SESSION)?.to_str().ok()?;
        session_link(link, Some(app))
    }

    fn site(&self, http: &Http, method: Method) -> Option<&'static Site> {
        let scheme = self.scheme();
        http.routes
            .site(self.route.unwrap_or_default(), method, scheme, |route| {
                http.policy.rule(site(method, scheme, route))
            })
    }

    /// The scheme that the client used, as far as one can tell: a proxy may have ended its TLS.
    fn scheme(&self) -> usize {
        let forwarded = self.bytes(&FORWARDED_PROTO);
        let own = self.uri.scheme_str().map(str::as_bytes);
        let name = forwarded.or(own).unwrap_or(b"http");
        let known = SCHEMES
            .iter()
            .position(|known| known.as_bytes().eq_ignore_ascii_case(name));
        known.unwrap_or_default()
    }

    fn exchange(&self, http: &Http, method: Method) -> Exchange {
        let target = match self.uri.path_and_query() {
            Some(both) => both.as_str(),
            None => self.uri.path(),
        };
        Exchange {
            target: text(target.as_bytes()),
            method: method.is_other().then(|| text(self.method.as_bytes())),
            peer: self.peer,
            user_agent: self.bytes(&header::USER_AGENT).map(text),
            request_bytes: content_length(self.headers),
            headers: self.captured(http),
            ..Exchange::default()
        }
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
fn site(method: Method, scheme: usize, route: &'static str) -> Site {
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
    let request = RequestSite {
        kind: Kind::Server,
        method,
        route,
        labels,
    };
    Site::of_requests(EVENT, name.leak(), request)
}

/// Returns how many bytes a `Content-Length` promises.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn text(value: &[u8]) -> String {
    let end = value.len().min(LONGEST_TEXT);
    String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
}
