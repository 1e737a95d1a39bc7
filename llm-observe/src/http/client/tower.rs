//! The `tower` layer for clients: hyper's, and whatever else takes an `http::Request` and gives an
//! `http::Response`.

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
    body::AnswerBody,
    fault::Fault,
    hyper,
    outgoing::{Awaiting, Outgoing},
    target::Target,
};

/// Returns a layer that observes every request that its service sends.
///
/// It belongs under what sends a request more than once (`tower::retry`, a layer that follows
/// redirects), so that each is seen, and is sent to a host of its own.
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

/// A client whose requests are observed: what [`layer`] makes of one.
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
    type Response = Response<AnswerBody<R>>;
    type Error = S::Error;
    type Future = AnswerFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> AnswerFuture<S::Future> {
        let bodiless = request.method() == http::Method::HEAD;
        let mut outgoing = start(&mut request);
        let inner = &mut self.inner;
        // A service may work before it returns its future.
        let future = match &mut outgoing {
            Some(outgoing) => outgoing.inside(|| inner.call(request)),
            None => inner.call(request),
        };
        AnswerFuture {
            inner: Awaiting::new(future, outgoing),
            bodiless,
        }
    }
}

/// Starts observing a request, if anybody does.
fn start<B: Body>(request: &mut Request<B>) -> Option<Outgoing> {
    let attempts = request.extensions().get::<Attempts>().cloned();
    let uri = request.uri();
    let own = request.headers().get(header::HOST);
    let own = own.and_then(|host| host.to_str().ok()?.parse().ok());
    // Over a connection of one's own the request has no host but in its header.
    let authority = uri.authority().cloned().or(own);
    let host = authority.as_ref().map_or("", |authority| authority.host());
    let outgoing = Outgoing::start(
        &Target {
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
    outgoing.propagate(host, request.headers_mut());
    Some(outgoing)
}

pin_project! {
    /// The future of the answer to an observed request.
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct AnswerFuture<F> {
        #[pin]
        inner: Awaiting<F>,
        bodiless: bool,
    }
}

impl<F, R, E> Future for AnswerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: fmt::Display + 'static,
    R: Body,
{
    type Output = Result<Response<AnswerBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (result, outgoing) = ready!(this.inner.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(observe(response, outgoing, *this.bodiless)),
            Err(error) => {
                if let Some(outgoing) = outgoing {
                    outgoing.failed(Fault::of(&error));
                }
                Err(error)
            }
        })
    }
}

impl<F> fmt::Debug for AnswerFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerFuture").finish_non_exhaustive()
    }
}

/// Goes on observing the body of an answer, where there is one to come.
pub(super) fn observe<R: Body>(
    response: Response<R>,
    outgoing: Option<Outgoing>,
    bodiless: bool,
) -> Response<AnswerBody<R>> {
    let Some(outgoing) = outgoing else {
        return response.map(|body| AnswerBody::new(body, None));
    };
    let status = response.status();
    let promised = response.body().size_hint().exact();
    let peer = hyper::peer(response.extensions());
    let answer = outgoing.answered(status.as_u16(), response.headers(), peer, promised);
    // RFC 9110, section 6.4.1; after 101 the connection is no longer HTTP's.
    let bodiless = bodiless
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || response.body().is_end_stream();
    let answer = match bodiless {
        true => {
            answer.finish();
            None
        }
        false => Some(answer),
    };
    response.map(|body| AnswerBody::new(body, answer))
}
