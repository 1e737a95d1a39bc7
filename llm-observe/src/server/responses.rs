//! What is answered.

use http_body_util::Full;
use hyper::{
    Method, Response, StatusCode, Uri,
    body::Bytes,
    header::{self, HeaderValue},
};

use super::{
    Render,
    access::{HEALTH, READY, Refusal},
};
use crate::{
    page,
    probes::{NoMetrics, OK, PROGRAM, PROMETHEUS},
};

/// Returns the response to a request.
pub(super) fn of(method: &Method, uri: &Uri, metrics: &Render) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match uri.path() {
        "/metrics" => match metrics(uri.query() == Some("live")) {
            Some(text) => typed(StatusCode::OK, PROMETHEUS, text),
            None => plain(StatusCode::NOT_FOUND, NoMetrics::NoFeature.as_str()),
        },
        HEALTH => plain(StatusCode::OK, OK),
        READY => match PROGRAM.readiness() {
            Ok(()) => plain(StatusCode::OK, OK),
            Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, why.as_str()),
        },
        "/" => typed(StatusCode::OK, "text/html; charset=utf-8", page::HTML),
        _ => plain(
            StatusCode::NOT_FOUND,
            "there are /, /metrics, /healthz and /readyz\n",
        ),
    }
}

/// Returns the response to a request that is refused.
pub(super) fn refusal(refusal: Refusal) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::Token => unauthorized(),
        Refusal::Host => plain(
            StatusCode::FORBIDDEN,
            "this name is not one of this machine: ask for localhost or 127.0.0.1, \
             or set `token` in [server]\n",
        ),
        Refusal::Malformed => plain(StatusCode::BAD_REQUEST, "name one Host\n"),
    }
}

fn unauthorized() -> Response<Full<Bytes>> {
    let mut response = plain(
        StatusCode::UNAUTHORIZED,
        "the token of [server] is needed: `Authorization: Bearer TOKEN`, or as a password\n",
    );
    for challenge in [
        "Bearer realm=\"llm-observe\"",
        "Basic realm=\"llm-observe\", charset=\"UTF-8\"",
    ] {
        let challenge = HeaderValue::from_static(challenge);
        let headers = response.headers_mut();
        headers.append(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", text)
}

fn typed(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
             connect-src 'self'; frame-ancestors 'none'",
        ),
    );
    response
}
