//! The `tower` layer and its service: a request is observed from here to the last byte of the
//! answer.

use std::{
    borrow::Cow,
    fmt,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, request::Parts};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    body::ObservedBody,
    extensions,
    response::{ResponseFuture, answer_panic},
    server_call::ServerCall,
    start::Incoming,
};

/// Returns a layer that observes every request of a server: `.layer(llm_observe::http::layer())`.
///
/// For `axum`, `hyper`, `tonic` and whatever else takes a `tower` layer. What it does is described by
/// `[http]` of `llm-observe.toml`; without an observer it does nothing.
pub fn layer() -> HttpLayer {
    HttpLayer::default()
}

/// The route of a request: the template that it matched, never the path itself.
type Route = dyn for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync;
type Peer = dyn Fn(&Parts) -> Option<SocketAddr> + Send + Sync;

/// The layer that [`layer`] returns.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a service has it"]
pub struct HttpLayer {
    route: Option<Arc<Route>>,
    peer: Option<Arc<Peer>>,
}

impl HttpLayer {
    /// Asks `route` for the template of a request's route, such as `/users/{id}`: what its line, its
    /// span and its metrics are named by. With the feature `axum` the router is asked where `route`
    /// has none.
    ///
    /// It must not return the path itself: every path that somebody tries would be a name of its own,
    /// until there are `[metrics] max_label_values` of them.
    pub fn route<F>(mut self, route: F) -> HttpLayer
    where
        F: for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    {
        self.route = Some(Arc::new(route));
        self
    }

    /// Asks `peer` who sent a request: behind a proxy, for what its header says. With the feature
    /// `axum` the `ConnectInfo` is looked at where `peer` has none.
    pub fn peer<F>(mut self, peer: F) -> HttpLayer
    where
        F: Fn(&Parts) -> Option<SocketAddr> + Send + Sync + 'static,
    {
        self.peer = Some(Arc::new(peer));
        self
    }

    /// Starts observing a request, if anybody does. It stays where it is, as far as it can: moving
    /// it about costs more than reading it.
    fn start<B>(&self, place: &mut Option<Request<B>>) -> Option<ServerCall> {
        if self.route.is_some() || self.peer.is_some() {
            // What was asked for is asked with the parts.
            let (parts, body) = place.take()?.into_parts();
            let server_call = self.start_parts(&parts);
            *place = Some(Request::from_parts(parts, body));
            return server_call;
        }
        let request = place.as_ref()?;
        let extensions = request.extensions();
        Incoming {
            method: request.method().as_str(),
            uri: request.uri(),
            headers: request.headers(),
            origin: || (extensions::route(extensions), extensions::peer(extensions)),
        }
        .start()
    }

    fn start_parts(&self, parts: &Parts) -> Option<ServerCall> {
        let extensions = &parts.extensions;
        let route = || self.route.as_ref().and_then(|route| route(parts));
        let peer = || self.peer.as_ref().and_then(|peer| peer(parts));
        Incoming {
            method: parts.method.as_str(),
            uri: &parts.uri,
            headers: &parts.headers,
            origin: || {
                (
                    route().or_else(|| extensions::route(extensions)),
                    peer().or_else(|| extensions::peer(extensions)),
                )
            },
        }
        .start()
    }
}

impl fmt::Debug for HttpLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for HttpLayer {
    type Service = HttpService<S>;

    fn layer(&self, inner: S) -> HttpService<S> {
        HttpService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service whose requests are observed: what [`layer`] makes of one.
#[derive(Clone, Debug)]
pub struct HttpService<S> {
    inner: S,
    layer: HttpLayer,
}

impl<S, B, R> Service<Request<B>> for HttpService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: http_body::Body,
{
    type Response = Response<ObservedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future> {
        let bodiless = matches!(
            *request.method(),
            http::Method::HEAD | http::Method::CONNECT
        );
        let mut request = Some(request);
        let server_call = self.layer.start(&mut request);
        let inner = &mut self.inner;
        let mut future = None;
        // A service may work, and panic, before it returns its future.
        let mut call = || future = request.take().map(|request| inner.call(request));
        let panicked = match server_call {
            None => {
                call();
                return ResponseFuture::new(future, None, bodiless);
            }
            Some(mut server_call) => match server_call.inside(call) {
                Ok(()) => return ResponseFuture::new(future, Some(server_call), bodiless),
                Err(_) => answer_panic(server_call),
            },
        };
        ResponseFuture::panicked(panicked)
    }
}
