//! The middleware for `reqwest`, by way of `reqwest-middleware`: see [`middleware`].

use std::any::Any;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Next, Result};

use super::{
    attempts::{Attempts, Reason},
    fault::Fault,
    outgoing::{Awaiting, Outgoing},
    redirects::{self, redirects},
    target::Target,
    tower,
};

/// Returns a `reqwest` client whose requests are observed, and tell the hosts of `[http] propagate`
/// which trace they belong to.
///
/// Whatever redirects `builder` was to follow, it follows those that [`redirects`] does.
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
    let client = builder.redirect(redirects()).build()?;
    let middleware = middleware().propagate();
    Ok(ClientBuilder::new(client).with(middleware).build())
}

/// Returns a middleware that observes every request that it sees.
///
/// Middleware that sends a request more than once comes before it, so that each attempt is seen,
/// with what the one before failed in:
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
    /// Tells the hosts of `[http] propagate` which trace a request belongs to (`traceparent`).
    ///
    /// `reqwest` takes headers along to where a redirect leads, whosever host that is: only for a
    /// client that follows the redirects that [`redirects`] does, or none.
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
    ) -> (Result<Response>, Option<Outgoing>) {
        let attempts = extensions.get_or_insert_default::<Attempts>().clone();
        let outgoing = start(&request, attempts);
        let spare = match &outgoing {
            Some(outgoing) if self.propagates => propagate(outgoing, &mut request),
            _ => None,
        };
        let sent = Awaiting::new(next.clone().run(request, extensions), outgoing);
        let ((result, outgoing), stopped) = redirects::watch(sent).await;
        let onward = match (&result, spare) {
            (Ok(response), Some(spare)) if stopped => redirects::onward(spare, response),
            _ => None,
        };
        match onward {
            Some(onward) => Awaiting::new(next.run(onward, extensions), outgoing).await,
            None => (result, outgoing),
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
        let (result, outgoing) = self.send(request, extensions, next).await;
        let Some(outgoing) = outgoing else {
            return result;
        };
        match result {
            Ok(response) => Ok(observe(response, outgoing, bodiless)),
            Err(error) => {
                outgoing.failed(fault(&error));
                Err(error)
            }
        }
    }
}

/// Starts observing a request, if anybody does.
fn start(request: &Request, attempts: Attempts) -> Option<Outgoing> {
    let url = request.url();
    let body = request.body();
    let known = body.and_then(Body::as_bytes).map(<[u8]>::len);
    let target = Target {
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
    Outgoing::start(&target, Some(attempts))
}

/// Says in a request which trace it belongs to, where its host may know; returns it as it was, for
/// where a redirect leads to.
fn propagate(outgoing: &Outgoing, request: &mut Request) -> Option<Request> {
    let host = request.url().host_str().unwrap_or_default().to_owned();
    if !outgoing.propagates_to(&host) {
        return None;
    }
    let spare = request.try_clone();
    outgoing.propagate(&host, request.headers_mut());
    spare
}

/// Goes on observing the body of an answer.
fn observe(response: Response, outgoing: Outgoing, bodiless: bool) -> Response {
    let url = response.url().clone();
    let observed = tower::observe(
        http::Response::<Body>::from(response),
        Some(outgoing),
        bodiless,
    );
    let (mut parts, body) = observed.into_parts();
    keep(&url, &mut parts.extensions);
    Response::from(http::Response::from_parts(parts, Body::wrap(body)))
}

/// Lets the response that is put together again have the URL that it came from.
fn keep(url: &Url, extensions: &mut Extensions) {
    if let Ok(carrier) = http::Response::builder().url(url.clone()).body(()) {
        extensions.extend(carrier.into_parts().0.extensions);
    }
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::Reqwest(error) => told(error),
        Error::Middleware(error) => {
            Fault::told(error.as_ref(), "reqwest_middleware::Error", Reason::Other)
        }
    }
}

/// Describes an error if it is one of `reqwest`'s: of a body, for one.
pub(super) fn error<E: 'static>(error: &E) -> Option<Fault> {
    let any: &dyn Any = error;
    any.downcast_ref::<reqwest::Error>().map(told)
}

fn told(error: &reqwest::Error) -> Fault {
    let reason = match error {
        error if error.is_timeout() => Reason::Timeout,
        error if error.is_connect() => Reason::Connect,
        _ => Reason::Other,
    };
    Fault::told(error, std::any::type_name::<reqwest::Error>(), reason)
}
