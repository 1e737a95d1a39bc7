//! The middleware for `reqwest`, through the crate `reqwest-middleware`.

use std::sync::Once;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Next, Result};

use super::{
    attempts::{Attempts, RetryReason},
    client_call::{ClientCall, SendFuture},
    failure::RequestFailure,
    redirects::{self, redirects},
    target::RequestTarget,
    tower,
};
use crate::warn::warn;

/// Returns an observed `reqwest` client. It does what `builder` says, redirects included.
///
/// Its requests carry no `traceparent`: `reqwest` sends headers to wherever a redirect leads, and which
/// redirects a builder's policy follows cannot be read. [`propagating`] returns a client that sends it.
///
/// ```
/// # fn client() -> Result<reqwest_middleware::ClientWithMiddleware, reqwest::Error> {
/// let client = llm_observe::http::client::from_builder(reqwest::Client::builder())?;
/// # Ok(client)
/// # }
/// ```
///
/// # Errors
///
/// When `builder` cannot build a client.
pub fn from_builder(
    builder: reqwest::ClientBuilder,
) -> std::result::Result<ClientWithMiddleware, reqwest::Error> {
    builder.build().map(reqwest)
}

/// Returns `client`, observed. It shares the connections of `client`.
///
/// Its requests carry no `traceparent`, as those of [`from_builder`].
///
/// ```
/// # fn observed(client: reqwest::Client) {
/// let client = llm_observe::http::client::reqwest(client);
/// # }
/// ```
#[must_use]
pub fn reqwest(client: reqwest::Client) -> ClientWithMiddleware {
    ClientBuilder::new(client).with(middleware()).build()
}

/// Returns an observed `reqwest` client whose requests to the hosts of `[http] propagate` carry
/// `traceparent`. The redirect policy of `builder` is replaced by [`redirects`].
///
/// ```
/// # fn client() -> Result<reqwest_middleware::ClientWithMiddleware, reqwest::Error> {
/// let client = llm_observe::http::client::propagating(reqwest::Client::builder())?;
/// # Ok(client)
/// # }
/// ```
///
/// # Errors
///
/// When `builder` cannot build a client.
pub fn propagating(
    builder: reqwest::ClientBuilder,
) -> std::result::Result<ClientWithMiddleware, reqwest::Error> {
    let client = builder.redirect(redirects()).build()?;
    let middleware = middleware().propagate();
    Ok(ClientBuilder::new(client).with(middleware).build())
}

/// Returns a middleware that observes every request that passes through it.
///
/// Add middleware that sends a request more than once before this one. Each attempt is then observed,
/// with the reason for the retry:
///
/// ```
/// # fn client<R: reqwest_middleware::Middleware>(retries: R) {
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     .with(retries)
///     .with(llm_observe::http::client::middleware())
///     .build();
/// # }
/// ```
#[must_use]
pub fn middleware() -> Middleware {
    Middleware { propagates: false }
}

/// The middleware that [`middleware`] returns.
#[derive(Clone, Copy, Debug)]
pub struct Middleware {
    propagates: bool,
}

impl Middleware {
    /// Adds `traceparent` to requests to the hosts of `[http] propagate`.
    ///
    /// `reqwest` sends headers to wherever a redirect leads. Use this only for a client whose redirect
    /// policy is [`redirects`], or one that follows no redirects.
    #[must_use]
    pub fn propagate(mut self) -> Middleware {
        self.propagates = true;
        self
    }

    async fn send(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> (Result<Response>, Option<ClientCall>) {
        let attempts = extensions.get_or_insert_default::<Attempts>().clone();
        let call = start(&request, attempts);
        let original = match &call {
            Some(call) if self.propagates => propagate(call, &mut request),
            Some(call) => {
                warn_of_no_trace(call, &request);
                None
            }
            None => None,
        };
        let sent = SendFuture::new(next.clone().run(request, extensions), call);
        let ((result, call), stopped) = redirects::await_stop(sent).await;
        let redirected = match (&result, original) {
            (Ok(response), Some(original)) if stopped => {
                redirects::next_request(original, response)
            }
            _ => None,
        };
        match redirected {
            Some(request) => SendFuture::new(next.run(request, extensions), call).await,
            None => (result, call),
        }
    }
}

#[async_trait]
impl reqwest_middleware::Middleware for Middleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let bodiless = request.method() == http::Method::HEAD;
        let (result, call) = self.send(request, extensions, next).await;
        let Some(call) = call else {
            return result;
        };
        match result {
            Ok(response) => Ok(observe(response, call, bodiless)),
            Err(error) => {
                call.fail(failure(&error));
                Err(error)
            }
        }
    }
}

/// Starts the call of a request; `None` without an observer.
fn start(request: &Request, attempts: Attempts) -> Option<ClientCall> {
    let url = request.url();
    let body = request.body();
    let known = body.and_then(Body::as_bytes).map(<[u8]>::len);
    let target = RequestTarget {
        method: request.method().as_str(),
        scheme: url.scheme(),
        host: url.host_str().unwrap_or_default(),
        port: url.port(),
        path: url.path(),
        query: url.query(),
        bytes: match body {
            None => Some(0),
            Some(_) => known.and_then(|bytes| u64::try_from(bytes).ok()),
        },
    };
    ClientCall::start(&target, Some(attempts))
}

/// Adds `traceparent` to a request, if its host is one of `[http] propagate`. Returns a copy of the
/// request without it, for a redirect to another host.
fn propagate(call: &ClientCall, request: &mut Request) -> Option<Request> {
    let host = request.url().host_str().unwrap_or_default().to_owned();
    if !call.propagates_to(&host) {
        return None;
    }
    let original = request.try_clone();
    call.propagate(&host, request.headers_mut());
    original
}

/// Says once that `[http] propagate` has no effect on a client.
fn warn_of_no_trace(call: &ClientCall, request: &Request) {
    static WARNED: Once = Once::new();
    let host = request.url().host_str().unwrap_or_default();
    if call.propagates_to(host) && !request.headers().contains_key("traceparent") {
        WARNED.call_once(|| {
            warn(&format!(
                "a request to {host} has no traceparent, although [http] propagate lists it: make its client \
                 with http::client::propagating(), or see Middleware::propagate()"
            ));
        });
    }
}

/// Observes the body of a response.
fn observe(response: Response, call: ClientCall, bodiless: bool) -> Response {
    let url = response.url().clone();
    let observed = tower::observe(http::Response::<Body>::from(response), Some(call), bodiless);
    let (mut parts, body) = observed.into_parts();
    keep_url(&url, &mut parts.extensions);
    Response::from(http::Response::from_parts(parts, Body::wrap(body)))
}

/// Puts the URL of a response into the extensions, where `reqwest` looks for it when the response is
/// built again.
fn keep_url(url: &Url, extensions: &mut Extensions) {
    if let Ok(carrier) = http::Response::builder().url(url.clone()).body(()) {
        extensions.extend(carrier.into_parts().0.extensions);
    }
}

fn failure(error: &Error) -> RequestFailure {
    match error {
        Error::Reqwest(error) => RequestFailure::of(error),
        Error::Middleware(error) => RequestFailure::of_error(
            error.as_ref(),
            "reqwest_middleware::Error",
            RetryReason::Other,
        ),
    }
}
