//! Starts the call of a received request, from the request's head.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use http::{HeaderMap, Uri};

use super::{
    grpc,
    headers::{MAX_TEXT, number, text},
    logrocket::session_link,
    server_call::ServerCall,
    state::ServerState,
    user_agents,
};
use crate::{
    http::{exchange::Exchange, http_site::HttpSite, method::Method, sites::SCHEMES},
    kernel::{
        baggage,
        call::Call,
        carried::Carried,
        context::{self, Ambient},
        dispatch,
        request_context::{RequestContext, RequestId, SAMPLED},
        trace_parent::{self, TraceParent},
    },
};

/// The event of received requests.
const EVENT: &str = "http_request";

/// A received request, as the layer has it.
pub(super) struct IncomingRequest<'a, F> {
    pub(super) method: &'a str,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// Returns its route and its peer.
    pub(super) origin: F,
}

impl<'a, F> IncomingRequest<'a, F>
where
    F: FnOnce() -> (Option<Cow<'a, str>>, Option<SocketAddr>),
{
    /// Starts its call; `None` without an observer, and for ignored paths.
    pub(super) fn start(self) -> Option<ServerCall> {
        dispatch::with_extension(|_, state: &ServerState| {
            let ignored = state.policy.ignores(self.uri.path());
            (!ignored).then(|| self.start_in(state))?
        })
        .flatten()
    }

    fn start_in(self, state: &ServerState) -> Option<ServerCall> {
        let head = RequestHead {
            method: Method::of(self.method),
            uri: self.uri,
            headers: self.headers,
            known: KnownHeaders::find(self.headers),
        };
        let (route, peer) = (self.origin)();
        let site = head.site(state, route.as_deref().unwrap_or_default())?;
        let mut exchange = Exchange::from_pool(site);
        head.fill(&mut exchange, state);
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
        let ambient = Ambient {
            request: Some(Arc::new(head.request(state, site, parent))),
            carried: head.carried(),
        };
        let is_grpc = head.known.content_type.is_some_and(grpc::is_grpc);
        Some(ServerCall::new(call, ambient, state.policy, is_grpc))
    }
}

/// The head of a request.
struct RequestHead<'a> {
    method: Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    known: KnownHeaders<'a>,
}

/// The headers that every request is searched for. Of several with one name the first counts, except
/// for the headers of a trace.
#[derive(Default)]
struct KnownHeaders<'a> {
    request_id: Option<&'a [u8]>,
    trace_parent: Option<&'a [u8]>,
    trace_state: Option<Cow<'a, [u8]>>,
    baggage: Option<Cow<'a, [u8]>>,
    logrocket_url: Option<&'a [u8]>,
    forwarded_proto: Option<&'a [u8]>,
    content_type: Option<&'a [u8]>,
    user_agent: Option<&'a [u8]>,
    content_length: Option<&'a [u8]>,
}

impl<'a> KnownHeaders<'a> {
    /// Finds them in one pass: a request has few headers, and each look-up costs a hash.
    fn find(headers: &'a HeaderMap) -> KnownHeaders<'a> {
        let mut known = KnownHeaders::default();
        let mut parents = 0;
        for (name, value) in headers {
            let slot = match name.as_str() {
                "x-request-id" => &mut known.request_id,
                "traceparent" => {
                    parents += 1;
                    &mut known.trace_parent
                }
                "tracestate" => {
                    let value = value.as_bytes();
                    append(&mut known.trace_state, value, trace_parent::MAX_STATE);
                    continue;
                }
                "baggage" => {
                    append(&mut known.baggage, value.as_bytes(), baggage::MAX_BYTES);
                    continue;
                }
                "x-logrocket-url" => &mut known.logrocket_url,
                "x-forwarded-proto" => &mut known.forwarded_proto,
                "content-type" => &mut known.content_type,
                "user-agent" => &mut known.user_agent,
                "content-length" => &mut known.content_length,
                _ => continue,
            };
            slot.get_or_insert(value.as_bytes());
        }
        // Of several `traceparent` headers none can be trusted.
        known.trace_parent = known.trace_parent.filter(|_| parents == 1);
        known
    }
}

/// Joins several headers of one name to one list (RFC 9110, section 5.3), unless it is too long
/// already.
fn append<'a>(list: &mut Option<Cow<'a, [u8]>>, value: &'a [u8], most: usize) {
    *list = Some(match list.take() {
        None => Cow::Borrowed(value),
        Some(before) if before.len() <= most => [&before, &b","[..], value].concat().into(),
        Some(before) => before,
    });
}

impl RequestHead<'_> {
    fn request(
        &self,
        state: &ServerState,
        site: &HttpSite,
        parent: Option<TraceParent>,
    ) -> RequestContext {
        let mut request = RequestContext::new(self.request_id(state), self.method.as_str());
        request.route = site.route;
        if let Some(parent) = parent {
            // Unknown flags are not passed on (section 3.2.2.5).
            request.flags = parent.flags & SAMPLED;
            request.state = self
                .known
                .trace_state
                .as_deref()
                .and_then(trace_parent::trace_state);
        }
        request.session_url = self.session_url(state);
        request
    }

    /// Returns the values of the surrounding context, which in a server there is none of, with those of
    /// the client's baggage. The settings of the trace are the request's own.
    fn carried(&self) -> Option<Arc<Carried>> {
        let surrounding = context::ambient().carried;
        let Some(header) = &self.known.baggage else {
            return surrounding.map(|carried| Carried::apart_from_trace(&carried));
        };
        let mut carried = surrounding.as_deref().cloned().unwrap_or_default();
        carried.add_baggage(header, dispatch::baggage_keys());
        carried.set_trace(None);
        (!carried.is_empty()).then(|| Arc::new(carried))
    }

    /// Returns the client's id, or a new one if that is missing, invalid, or looks like a secret.
    fn request_id(&self, state: &ServerState) -> RequestId {
        let sent = self.known.request_id.and_then(RequestId::accept);
        sent.filter(|id| matches!(state.redactor.redact(id.as_str()), Cow::Borrowed(_)))
            .unwrap_or_else(RequestId::random)
    }

    fn session_url(&self, state: &ServerState) -> Option<String> {
        let app = state.logrocket_app.as_deref()?;
        let link = std::str::from_utf8(self.known.logrocket_url?).ok()?;
        session_link(link, Some(app))
    }

    fn site(&self, state: &ServerState, route: &str) -> Option<&'static HttpSite> {
        let (method, scheme) = (self.method, self.scheme());
        state.routes.site(route, method, scheme, |route| {
            state.policy.apply(site(method, scheme, route))
        })
    }

    /// Returns the index in [`SCHEMES`] of the scheme that the client used. A proxy may have ended the
    /// TLS connection, so its header counts first.
    fn scheme(&self) -> usize {
        let own = self.uri.scheme_str().map(str::as_bytes);
        // Each proxy appends its own scheme, so the first is the client's.
        let proxies = self.known.forwarded_proto;
        let forwarded = proxies.and_then(|list| list.split(|byte| *byte == b',').next());
        let forwarded = forwarded.map(<[u8]>::trim_ascii);
        let name = forwarded.or(own).unwrap_or(b"http");
        let index = SCHEMES
            .iter()
            .position(|scheme| scheme.as_bytes().eq_ignore_ascii_case(name));
        index.unwrap_or_default()
    }

    fn fill(&self, exchange: &mut Exchange, state: &ServerState) {
        let target = match self.uri.path_and_query() {
            Some(both) => both.as_str(),
            None => self.uri.path(),
        };
        match target.len() {
            0..=MAX_TEXT => exchange.target.push_str(target),
            _ => exchange.target = text(target.as_bytes()),
        }
        if let Some(raw) = self.known.user_agent {
            let (clean, plain) = user_agents::clean(raw, state.number, &state.redactor);
            (exchange.user_agent, exchange.plain_user_agent) = (Some(clean), plain);
        }
        exchange.request_bytes = self.known.content_length.and_then(number);
        exchange.headers = self.captured_headers(state);
    }

    fn captured_headers(&self, state: &ServerState) -> Vec<(&'static str, String)> {
        let captured = state.policy.headers.iter();
        captured
            .filter_map(|(name, attribute)| {
                let values = self.headers.get_all(name).iter();
                let values: Vec<_> = values.map(|value| text(value.as_bytes())).collect();
                (!values.is_empty()).then(|| (*attribute, text(values.join(", ").as_bytes())))
            })
            .collect()
    }
}

/// Returns a new site of a route, with its name and labels.
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
