//! The tower layer for clients: hyper's, and other services from `http::Request` to `http::Response`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    attempts::Attempts,
    body::ClientResponseBody,
    client_call::{ClientCall, SendFuture},
    failure::RequestFailure,
    hyper,
    target::RequestTarget,
};

/// Returns a layer that observes every request that a client sends.
///
/// Place it below layers that send a request more than once, such as `tower::retry` or one that
/// follows redirects. Each attempt is then observed, under the host that it goes to.
///
/// ```
/// use tower_layer::Layer;
///
/// # fn observed<S>(client: S) -> llm_observe::http::client::ClientService<S> {
/// let client = llm_observe::http::client::layer().layer(client);
/// # client
/// # }
/// ```
pub fn layer() -> ClientLayer {
    ClientLayer(())
}

/// The layer that [`layer`] returns.
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer does nothing until a service has it"]
pub struct ClientLayer(());

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService { inner }
    }
}

/// The client that [`layer`] wraps around another one: its requests are observed.
#[derive(Clone, Debug)]
pub struct ClientService<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for ClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display + 'static,
    B: Body,
    R: Body,
{
    type Response = Response<ClientResponseBody<R>>;
    type Error = S::Error;
    type Future = ClientResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> ClientResponseFuture<S::Future> {
        let bodiless = request.method() == http::Method::HEAD;
        let mut call = start(&mut request);
        let inner = &mut self.inner;
        // A service may do work before it returns its future.
        let future = match &mut call {
            Some(call) => call.run(|| inner.call(request)),
            None => inner.call(request),
        };
        ClientResponseFuture {
            inner: SendFuture::new(future, call),
            bodiless,
        }
    }
}

/// Starts the call of a request; `None` without an observer.
fn start<B: Body>(request: &mut Request<B>) -> Option<ClientCall> {
    let attempts = request.extensions().get::<Attempts>().cloned();
    let uri = request.uri();
    let header = request.headers().get(header::HOST);
    let header = header.and_then(|host| host.to_str().ok()?.parse().ok());
    // A request over a connection that the caller opened has its host in the header only.
    let authority = uri.authority().cloned().or(header);
    let host = authority.as_ref().map_or("", |authority| authority.host());
    let call = ClientCall::start(
        &RequestTarget {
            method: request.method().as_str(),
            scheme: uri.scheme_str().unwrap_or("http"),
            host,
            port: authority
                .as_ref()
                .and_then(|authority| authority.port_u16()),
            path: uri.path(),
            query: uri.query(),
            bytes: request.body().size_hint().exact(),
        },
        attempts,
    )?;
    call.propagate(host, request.headers_mut());
    Some(call)
}

pin_project! {
    /// The future of the response to an observed request.
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct ClientResponseFuture<F> {
        #[pin]
        inner: SendFuture<F>,
        bodiless: bool,
    }
}

impl<F, R, E> Future for ClientResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: fmt::Display + 'static,
    R: Body,
{
    type Output = Result<Response<ClientResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (result, call) = ready!(this.inner.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(observe(response, call, *this.bodiless)),
            Err(error) => {
                if let Some(call) = call {
                    call.fail(RequestFailure::of(&error));
                }
                Err(error)
            }
        })
    }
}

impl<F> fmt::Debug for ClientResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientResponseFuture")
            .finish_non_exhaustive()
    }
}

/// Observes the body of a response, unless it has none.
pub(super) fn observe<R: Body>(
    response: Response<R>,
    call: Option<ClientCall>,
    bodiless: bool,
) -> Response<ClientResponseBody<R>> {
    let Some(call) = call else {
        return response.map(|body| ClientResponseBody::new(body, None));
    };
    let status = response.status();
    let expected = response.body().size_hint().exact();
    let peer = hyper::peer(response.extensions());
    let observed = call.into_response(status.as_u16(), response.headers(), peer, expected);
    // RFC 9110, section 6.4.1. After 101 the connection speaks another protocol.
    let bodiless = bodiless
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || response.body().is_end_stream();
    let observed = match bodiless {
        true => {
            observed.finish();
            None
        }
        false => Some(observed),
    };
    response.map(|body| ClientResponseBody::new(body, observed))
}
