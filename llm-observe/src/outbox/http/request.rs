//! A request of a delivery, from the URL as it is configured.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, PROXY_AUTHORIZATION, USER_AGENT},
};
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{outbox::Delivery, redact::known::Known};

const AGENT: &str = concat!("llm-observe/", env!("CARGO_PKG_VERSION"));

/// A request to a URL that may hold credentials.
#[derive(Debug)]
pub(crate) struct HttpRequest {
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    limit: Option<Duration>,
}

impl HttpRequest {
    /// Returns a POST of `body` to `url`.
    pub(crate) fn post(url: &str, body: Vec<u8>) -> HttpRequest {
        HttpRequest {
            method: Method::POST,
            url: url.to_owned(),
            headers: Vec::new(),
            body,
            limit: None,
        }
    }

    /// Returns a GET of `url`.
    pub(crate) fn get(url: &str) -> HttpRequest {
        HttpRequest {
            method: Method::GET,
            ..HttpRequest::post(url, Vec::new())
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> HttpRequest {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Limits the time for the request and its response.
    pub(crate) fn timeout(mut self, limit: Duration) -> HttpRequest {
        self.limit = Some(limit);
        self
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Returns the credentials that it has: its URL, and its headers but the usual ones.
    pub(super) fn credentials(&self) -> Known {
        let usual = ["content-type", "content-encoding"];
        let is_usual = |name: &str| usual.iter().any(|usual| usual.eq_ignore_ascii_case(name));
        let own = self.headers.iter().filter(|(name, _)| !is_usual(name));
        let url = Known::default().url(&self.url);
        own.fold(url, |known, (_, value)| known.header(value))
    }

    /// Returns it as it is sent. An error does not contain the URL.
    pub(super) fn build(
        self,
        proxy_authorization: impl FnOnce(&Uri) -> Option<HeaderValue>,
    ) -> Result<Request<Full<Bytes>>, Delivery> {
        let invalid = |what: &str| Delivery::retry(format!("{what} cannot be sent"));
        let (uri, authorization) = parse(&self.url).ok_or_else(|| invalid("the URL"))?;
        let mut request = Request::builder()
            .method(self.method)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "*/*");
        if let Some(value) = proxy_authorization(&uri) {
            request = request.header(PROXY_AUTHORIZATION, value);
        }
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::from(self.body));
        request.uri(uri).body(body).map_err(|_| invalid("a header"))
    }
}

/// Returns whether it is the URL of an HTTP server.
pub(super) fn is_url(url: &str) -> bool {
    parse(url).is_some()
}

/// Returns where to send a request for `url`, and the `Authorization` that its name and password make.
fn parse(url: &str) -> Option<(Uri, Option<HeaderValue>)> {
    let mut url = Url::parse(url).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let authorization = authorization(&url);
    // Neither fails for a URL that has a host.
    let _ = (url.set_username(""), url.set_password(None));
    url.set_fragment(None);
    Some((url.as_str().parse().ok()?, authorization))
}

fn authorization(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut text: Vec<u8> = percent_decode_str(url.username()).collect();
    text.push(b':');
    text.extend(percent_decode_str(url.password().unwrap_or_default()));
    let value = format!("Basic {}", BASE64_STANDARD.encode(text));
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_a_url_become_a_header() {
        let (uri, authorization) = parse("https://Aladdin:open%20sesame@host:1/a b?c#d").unwrap();
        assert_eq!(uri, "https://host:1/a%20b?c");
        let value = authorization.unwrap();
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(parse("https://host").unwrap().1.is_none());
    }

    #[test]
    fn other_urls_are_none() {
        for url in ["ftp://host", "host", "", "https://"] {
            assert!(!is_url(url), "{url}");
        }
    }
}
