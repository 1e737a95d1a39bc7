//! The tower layer for servers, and its service.

use std::{
    borrow::Cow,
    fmt,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response, request::Parts};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    body::ObservedBody,
    response::{ResponseFuture, panic_response},
    router::RouterExtensions,
    server_call::ServerCall,
    start::IncomingRequest,
};

/// Returns a layer that observes every request of a server.
///
/// It works with `axum`, `hyper`, `tonic` and anything else that takes a tower layer. `[http]` of
/// `llm-observe.toml` configures it. Without an observer it does nothing.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # fn router() -> axum::Router {
/// use axum::{Router, routing::post};
///
/// async fn ask() -> &'static str {
///     "an answer"
/// }
///
/// let app: Router = Router::new()
///     .route("/ask/{id}", post(ask))
///     .layer(llm_observe::http::layer());
/// # app
/// # }
/// ```
pub fn layer() -> HttpLayer {
    HttpLayer::default()
}

/// Returns the route of a request: the template that it matched, never the path itself.
type RouteFn = dyn for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync;
/// Returns the client of a request.
type PeerFn = dyn Fn(&Parts) -> Option<SocketAddr> + Send + Sync;

/// The routers whose extensions are read, each behind its feature.
const ROUTERS: &[RouterExtensions] = &[
    #[cfg(feature = "axum")]
    super::axum::AXUM,
];

fn router_route(extensions: &Extensions) -> Option<Cow<'_, str>> {
    ROUTERS.iter().find_map(|router| (router.route)(extensions))
}

fn router_peer(extensions: &Extensions) -> Option<SocketAddr> {
    ROUTERS.iter().find_map(|router| (router.peer)(extensions))
}

/// The layer that [`layer`] returns.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a service has it"]
pub struct HttpLayer {
    route: Option<Arc<RouteFn>>,
    peer: Option<Arc<PeerFn>>,
}

impl HttpLayer {
    /// Sets the function that returns the template of a request's route, such as `/users/{id}`. Lines,
    /// spans and metrics are named by it. Where it returns `None`, the feature `axum` takes the route
    /// from the router.
    ///
    /// `route` must not return the path itself. Each path that a client invents would become a name of
    /// its own, up to `[metrics] max_label_values`.
    pub fn route<F>(mut self, route: F) -> HttpLayer
    where
        F: for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    {
        self.route = Some(Arc::new(route));
        self
    }

    /// Sets the function that returns the client's address, for example from a header that your proxy
    /// sets. Where it returns `None`, the feature `axum` takes the address from `ConnectInfo`.
    pub fn peer<F>(mut self, peer: F) -> HttpLayer
    where
        F: Fn(&Parts) -> Option<SocketAddr> + Send + Sync + 'static,
    {
        self.peer = Some(Arc::new(peer));
        self
    }

    /// Starts the call of a request; `None` without an observer. The request stays in its slot where
    /// possible, because moving it costs more than reading it.
    fn start<B>(&self, slot: &mut Option<Request<B>>) -> Option<ServerCall> {
        if self.route.is_some() || self.peer.is_some() {
            let (parts, body) = slot.take()?.into_parts();
            let server_call = self.start_parts(&parts);
            *slot = Some(Request::from_parts(parts, body));
            return server_call;
        }
        let request = slot.as_ref()?;
        let extensions = request.extensions();
        IncomingRequest {
            method: request.method().as_str(),
            uri: request.uri(),
            headers: request.headers(),
            origin: || (router_route(extensions), router_peer(extensions)),
        }
        .start()
    }

    fn start_parts(&self, parts: &Parts) -> Option<ServerCall> {
        let extensions = &parts.extensions;
        let route = || self.route.as_ref().and_then(|route| route(parts));
        let peer = || self.peer.as_ref().and_then(|peer| peer(parts));
        IncomingRequest {
            method: parts.method.as_str(),
            uri: &parts.uri,
            headers: &parts.headers,
            origin: || {
                (
                    route().or_else(|| router_route(extensions)),
                    peer().or_else(|| router_peer(extensions)),
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

/// The service that [`layer`] wraps around another one: its requests are observed.
#[derive(Clone, Debug)]
pub struct HttpService<S> {
    inner: S,
    layer: HttpLayer,
}

impl<S, B, R> Service<Request<B>> for HttpService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display + 'static,
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
        // A service may do work, and panic, before it returns its future.
        let mut call = || future = request.take().map(|request| inner.call(request));
        let panicked = match server_call {
            None => {
                call();
                return ResponseFuture::new(future, None, bodiless);
            }
            Some(mut server_call) => match server_call.run(call) {
                Ok(()) => return ResponseFuture::new(future, Some(server_call), bodiless),
                Err(_) => panic_response(server_call),
            },
        };
        ResponseFuture::panicked(panicked)
    }
}
