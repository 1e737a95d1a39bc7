//! Redirects that leave the hosts that know of a trace.
//!
//! `reqwest` sends a request's headers along to wherever a redirect leads, except a few that hold
//! credentials, and takes nobody's advice. So it is made to stop where the next host is not to know
//! of the trace, and what is left to do is done here, without the header.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
};

use http::{HeaderMap, Method, StatusCode, header};
use reqwest::{Request, Response, Url, redirect::Policy};

use crate::{http::Http, kernel::dispatch};

/// How many redirects are followed, as `reqwest` has it.
const MOST: usize = 10;

thread_local! {
    /// Whether [`redirects`] has stopped a client.
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Awaits `sent`, and says whether [`redirects`] stopped its client: one that follows no redirects,
/// or others, is not to be sent on.
pub(super) async fn watch<F: Future>(sent: F) -> (F::Output, bool) {
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

/// Returns the redirects to follow for a client whose requests say which trace they belong to: up to
/// 10, as `reqwest` does, but for one from a host of `[http] propagate` to one that is not.
///
/// That one the middleware of this module follows, with the trace left out.
#[must_use]
pub fn redirects() -> Policy {
    Policy::custom(|attempt| {
        let first = attempt.previous().first();
        if first.is_some_and(|first| leaves(first, attempt.url())) {
            STOPPED.set(true);
            attempt.stop()
        } else if attempt.previous().len() > MOST {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}

/// Returns whether `from` knows of traces and `to` is not to.
fn leaves(from: &Url, to: &Url) -> bool {
    let knows = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    let (from, to) = (knows(from), knows(to));
    dispatch::with_extension(|_, http: &Http| {
        http.config.http.propagates_to(&from) && !http.config.http.propagates_to(&to)
    })
    .unwrap_or(false)
}

/// Returns the request that goes on to where `response` redirects `request`, which says nothing of a
/// trace yet, when that is where the client stopped.
pub(super) fn onward(mut request: Request, response: &Response) -> Option<Request> {
    let location = response.headers().get(header::LOCATION)?;
    let next = response.url().join(location.to_str().ok()?).ok()?;
    let http = matches!(next.scheme(), "http" | "https");
    // Whether it still has its method and body, after other redirects, cannot be told.
    let is_same =
        response.url() == request.url() || matches!(*request.method(), Method::GET | Method::HEAD);
    if !http || !is_same || !leaves(request.url(), &next) {
        return None;
    }
    become_get(&mut request, response.status())?;
    forget_credentials(request.headers_mut());
    *request.url_mut() = next;
    Some(request)
}

/// Changes the method where the status asks for that (RFC 9110, section 15.4); `None` for a status
/// that is no redirect.
fn become_get(request: &mut Request, status: StatusCode) -> Option<()> {
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

/// Removes what another host must not get.
fn forget_credentials(headers: &mut HeaderMap) {
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
