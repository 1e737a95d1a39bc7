//! The HTTP client of deliveries, and what a response means for a delivery.
//!
//! URLs are credentials here: none is ever part of an error.
//!
//! It is no `reqwest` client: that would turn a feature of `reqwest` on with which the program's own
//! `reqwest::Client::new()` panics unless it has installed a provider of cryptography.

mod connector;
mod request;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, header::RETRY_AFTER};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use jiff::Timestamp;
use llm_observe_config::Endpoint;

use self::connector::Connector;
pub(crate) use self::request::HttpRequest;
use super::Delivery;
use crate::{error::Error, retry_after};

/// The longest part of a response body that is read, in bytes.
const MOST_READ: usize = 64 * 1024;

/// How long a connection is kept for the next delivery.
const IDLE: Duration = Duration::from_secs(90);

/// A client with its own connections: one for each destination, since connections belong to the
/// runtime that opened them.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: Client<Connector, Full<Bytes>>,
    connector: Connector,
}

/// A server's response, read up to a limit.
#[derive(Debug)]
pub(crate) struct HttpReply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl HttpClient {
    /// Returns a client that trusts what the system trusts and follows no redirects, which would
    /// send a credential to another server.
    pub(crate) fn new() -> Result<HttpClient, Error> {
        Ok(HttpClient::over(Connector::new(tls::config()?)))
    }

    fn over(connector: Connector) -> HttpClient {
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector.clone());
        HttpClient { client, connector }
    }

    /// Sends a request. An incomplete response is a transient failure.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpReply, Delivery> {
        let (limit, known) = (request.limit(), request.credentials());
        let request = request.build(|uri| self.connector.proxy_authorization(uri))?;
        let reply = async {
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|error| Delivery::retry(innermost(&error)))?;
            let mut reply = read(answer).await?;
            // A server may repeat what it was sent, in a 404 the path: its own credentials.
            reply.body = known.removed(&reply.body).into_owned();
            Ok(reply)
        };
        match limit {
            None => reply.await,
            Some(limit) => tokio::time::timeout(limit, reply)
                .await
                .unwrap_or_else(|_| Err(Delivery::retry("timed out".to_owned()))),
        }
    }
}

/// A URL that JSON is posted to.
#[derive(Debug)]
pub(crate) struct JsonEndpoint {
    url: String,
    headers: Vec<(&'static str, String)>,
    http: HttpClient,
}

impl JsonEndpoint {
    /// Returns the URL with headers of its own. `key` is its name in the configuration.
    ///
    /// # Errors
    ///
    /// When `url` is not an HTTP URL; the error does not contain it, since it may be a credential.
    pub(crate) fn new(
        key: &str,
        url: &str,
        headers: Vec<(&'static str, String)>,
    ) -> Result<JsonEndpoint, Error> {
        if !request::is_url(url) {
            return Err(Error::new(format!(
                "{key} is no URL: it must begin with https:// or http://"
            )));
        }
        Ok(JsonEndpoint {
            url: url.to_owned(),
            headers,
            http: HttpClient::new()?,
        })
    }

    /// Returns `path` below the base URL `base`, or below `default` where there is none. `key` is the
    /// name of the base in the configuration.
    ///
    /// # Errors
    ///
    /// When the base cannot be read, or as for [`JsonEndpoint::new`].
    pub(crate) fn below(
        key: &str,
        base: Option<&Endpoint>,
        default: &str,
        path: &str,
        headers: Vec<(&'static str, String)>,
    ) -> Result<JsonEndpoint, Error> {
        let base = match base {
            Some(base) => base.read().map_err(|e| Error::with(key.to_owned(), e))?,
            None => default.to_owned(),
        };
        let url = format!("{}/{path}", base.trim_end_matches('/'));
        JsonEndpoint::new(key, &url, headers)
    }

    /// Posts `body`, with further headers.
    pub(crate) async fn send(
        &self,
        body: Vec<u8>,
        more: &[(&'static str, String)],
    ) -> Result<HttpReply, Delivery> {
        let request = HttpRequest::post(&self.url, body).header("Content-Type", "application/json");
        let headers = self.headers.iter().chain(more);
        let request = headers.fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        self.http.send(request).await
    }

    /// Posts `body`, and returns what the status means.
    pub(crate) async fn deliver(&self, body: Vec<u8>) -> Delivery {
        match self.send(body, &[]).await {
            Ok(reply) => reply.classify(),
            Err(failure) => failure,
        }
    }
}

impl HttpReply {
    /// Returns what the status means (RFC 9110): 2xx is delivered; 408, 425, 429 and 5xx are
    /// retried, after the time in `Retry-After`; everything else is refused.
    pub(crate) fn classify(&self) -> Delivery {
        match self.status {
            200..=299 => Delivery::Delivered,
            408 | 425 | 429 | 500..=599 => Delivery::Retry {
                after: self.retry_after(),
                reason: self.reason(),
            },
            _ => Delivery::Refused {
                reason: self.reason(),
            },
        }
    }

    /// Returns the wait that `Retry-After` asks for, in seconds or as a date.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        retry_after::parse(value, Timestamp::now())
    }

    /// Returns the status and the start of the body.
    pub(crate) fn reason(&self) -> String {
        let start: String = self
            .body
            .chars()
            .filter(|c| !c.is_control())
            .take(120)
            .collect();
        let start = start.trim();
        match start.is_empty() {
            true => format!("HTTP {}", self.status),
            false => format!("HTTP {}: {start}", self.status),
        }
    }
}

async fn read(answer: Response<Incoming>) -> Result<HttpReply, Delivery> {
    let (head, mut rest) = answer.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = rest.frame().await {
        let frame = frame.map_err(|error| Delivery::retry(innermost(&error)))?;
        if let Some(piece) = frame.data_ref() {
            body.extend_from_slice(piece);
        }
        if body.len() >= MOST_READ {
            break;
        }
    }
    Ok(HttpReply {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// Returns the innermost cause of a connection's failure, with advice where there is some.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = cause.to_string();
    match cause.ends_with("UnknownIssuer") {
        true => format!(
            "{cause} (who signed it is not trusted here: add it to the system's CA certificates, \
             or on Linux to the file that SSL_CERT_FILE names)"
        ),
        false => cause,
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::client::proxy::matcher::Matcher;

    use super::*;
    use crate::listener::{Listener, Reply};

    #[tokio::test]
    async fn a_proxy_is_asked_as_its_protocol_wants() {
        let proxy = Listener::start(Reply::status(200, "from the proxy"));
        let address = proxy.url("").replace("http://", "http://me:secret@");
        let matcher = || Matcher::builder().all(address.clone()).no("inside").build();
        let client = HttpClient::over(Connector::through(matcher(), tls::config().unwrap()));
        let reply = client
            .send(HttpRequest::get("http://outside.test/a?b"))
            .await;
        assert_eq!(reply.unwrap().body, "from the proxy");
        let tunnelled = client
            .send(HttpRequest::get("https://outside.test/a"))
            .await;
        // The listener does not speak TLS.
        assert!(tunnelled.is_err());
        let requests = proxy.requests();
        let lines: Vec<_> = requests
            .iter()
            .map(|request| request.line.as_str())
            .collect();
        assert_eq!(lines[0], "GET http://outside.test/a?b HTTP/1.1");
        assert_eq!(lines[1], "CONNECT outside.test:443 HTTP/1.1");
        for request in &requests[..2] {
            let authorization = request.header("proxy-authorization");
            assert_eq!(authorization, Some("Basic bWU6c2VjcmV0"));
        }
    }

    #[test]
    fn a_server_that_repeats_its_credentials_is_quoted_without_them() {
        let url = "https://hooks.example.com/services/T0AB/B0CD/x1y2z3w4v5u6";
        let request = HttpRequest::get(url);
        let request = request.header("X-Auth", "Sentry sentry_key=0123456789abcdef");
        let known = request.credentials();
        for answer in [
            "404: no /services/T0AB/B0CD/x1y2z3w4v5u6 here",
            "bad key 0123456789abcdef",
        ] {
            let body = known.removed(answer).into_owned();
            let reply = HttpReply {
                status: 404,
                headers: HeaderMap::new(),
                body,
            };
            let reason = reply.reason();
            assert!(
                !reason.contains("x1y2") && !reason.contains("0123"),
                "{reason}"
            );
        }
    }
}
