//! Keeps `traceparent` within the hosts of `[http] propagate` when `reqwest` follows redirects.
//!
//! `reqwest` sends a request's headers to wherever a redirect leads, except for a few that hold
//! credentials. The policy here stops the client at a redirect that leaves these hosts, and the
//! middleware follows that redirect without the header.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
};

use http::{HeaderMap, Method, StatusCode, header};
use reqwest::{Request, Response, Url, redirect};

use super::state::ClientState;
use crate::kernel::dispatch;

/// How many redirects are followed, as in `reqwest`.
const MAX_REDIRECTS: usize = 10;

thread_local! {
    /// Whether [`redirects`] has stopped a client that this thread polls.
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Awaits `sent`, and returns whether [`redirects`] stopped its client. Clients with another redirect
/// policy keep it.
pub(super) async fn await_stop<F: Future>(sent: F) -> (F::Output, bool) {
    let mut sent = pin!(sent);
    let mut stopped = false;
    let output = poll_fn(|cx| {
        STOPPED.set(false);
        let polled = sent.as_mut().poll(cx);
        stopped |= STOPPED.take();
        polled
    });
    (output.await, stopped)
}

/// Returns the redirect policy for a client whose requests carry `traceparent`.
///
/// The client follows up to 10 redirects, as `reqwest` does by default. It stops at a redirect from a
/// host of `[http] propagate` to another host. The [`middleware`](super::middleware()) then follows
/// that redirect without `traceparent`.
///
/// ```
/// use llm_observe::http::client::{middleware, redirects};
///
/// # fn client() -> Result<(), reqwest::Error> {
/// let client = reqwest::Client::builder().redirect(redirects()).build()?;
/// let client = reqwest_middleware::ClientBuilder::new(client)
///     .with(middleware().propagate())
///     .build();
/// # Ok(())
/// # }
/// ```
///
/// A policy of your own asks this one about the redirects that it follows:
///
/// ```
/// use llm_observe::http::client::redirects;
/// use reqwest::redirect::Policy;
///
/// let policy = Policy::custom(|attempt| match attempt.url().scheme() {
///     "https" => redirects().redirect(attempt),
///     _ => attempt.stop(),
/// });
/// # let _ = policy;
/// ```
#[must_use]
pub fn redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let first = attempt.previous().first();
        if first.is_some_and(|first| leaves_hosts(first, attempt.url())) {
            STOPPED.set(true);
            attempt.stop()
        } else if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}

/// Returns whether a redirect leads out of the hosts of `[http] propagate`.
fn leaves_hosts(from: &Url, to: &Url) -> bool {
    let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    let (from, to) = (host(from), host(to));
    dispatch::with_extension(|_, state: &ClientState| {
        let config = &state.config.http;
        config.propagates_to(&from) && !config.propagates_to(&to)
    })
    .unwrap_or(false)
}

/// Returns the request that follows the redirect at which the client stopped. `request` is the first
/// request, before `traceparent` was added.
pub(super) fn next_request(mut request: Request, response: &Response) -> Option<Request> {
    let location = response.headers().get(header::LOCATION)?;
    let next = response.url().join(location.to_str().ok()?).ok()?;
    let is_http = matches!(next.scheme(), "http" | "https");
    // After earlier redirects it is unknown whether a request still has its method and body.
    let is_unchanged =
        response.url() == request.url() || matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_http || !is_unchanged || !leaves_hosts(request.url(), &next) {
        return None;
    }
    change_method(&mut request, response.status())?;
    remove_credentials(request.headers_mut());
    *request.url_mut() = next;
    Some(request)
}

/// Changes the method as the status requires (RFC 9110, section 15.4); `None` if the status is not a
/// redirect.
fn change_method(request: &mut Request, status: StatusCode) -> Option<()> {
    let post = *request.method() == Method::POST;
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let changes = match status.as_u16() {
        301 | 302 => post,
        303 => !safe,
        307 | 308 => false,
        _ => return None,
    };
    if changes {
        *request.method_mut() = Method::GET;
        *request.body_mut() = None;
        for name in [
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::CONTENT_ENCODING,
            header::TRANSFER_ENCODING,
        ] {
            request.headers_mut().remove(name);
        }
    }
    Some(())
}

/// Removes the headers that `reqwest` removes on a redirect to another host.
fn remove_credentials(headers: &mut HeaderMap) {
    for name in [
        header::AUTHORIZATION,
        header::COOKIE,
        header::PROXY_AUTHORIZATION,
        header::WWW_AUTHENTICATE,
        header::HOST,
    ] {
        headers.remove(name);
    }
    headers.remove("cookie2");
}
