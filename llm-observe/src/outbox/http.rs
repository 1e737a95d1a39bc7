//! The HTTP client of deliveries, and what a response means for a delivery.
//!
//! URLs are credentials here: none is ever part of an error.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Client, Request, RequestBuilder,
    header::{
        ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT,
    },
    redirect,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::Delivery;
use crate::{error::Error, redact::known::Known, retry_after};

/// The longest part of a response body that is read, in bytes.
const MOST_READ: usize = 64 * 1024;

/// The timeout for establishing a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A client with its own connections: one for each destination, since connections belong to the
/// runtime that opened them.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: Client,
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
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("llm-observe/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::with("cannot set up the HTTP client", e.without_url()))?;
        Ok(HttpClient { client })
    }

    /// Returns a POST to `url`, to be completed and given to [`HttpClient::send`].
    pub(crate) fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    /// Returns a GET of `url`.
    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    /// Sends a request. An incomplete response is a transient failure.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<HttpReply, Delivery> {
        let request = request.build().map_err(unreachable)?;
        let known = credentials(&request);
        let answer = self.client.execute(request).await.map_err(unreachable)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        // A server may repeat what it was sent, in a 404 the path: its own credentials.
        let body = known.removed(&read(answer).await?).into_owned();
        Ok(HttpReply {
            status,
            headers,
            body,
        })
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
        let is_url = reqwest::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https"));
        if !is_url {
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

    /// Posts `body`, with further headers.
    pub(crate) async fn send(
        &self,
        body: Vec<u8>,
        more: &[(&'static str, String)],
    ) -> Result<HttpReply, Delivery> {
        let request = self
            .http
            .post(&self.url)
            .header("Content-Type", "application/json");
        let headers = self.headers.iter().chain(more);
        let request = headers.fold(request, |request, (name, value)| {
            request.header(*name, value)
        });
        self.http.send(request.body(body)).await
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

/// Returns the credentials that a request has: its URL, and its headers but the usual ones.
fn credentials(request: &Request) -> Known {
    let usual = [
        ACCEPT,
        CONTENT_TYPE,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        USER_AGENT,
    ];
    let own = request.headers().iter();
    let own = own.filter(|(name, _)| !usual.contains(name));
    own.filter_map(|(_, value)| value.to_str().ok())
        .fold(Known::default().url(request.url().as_str()), Known::header)
}

async fn read(mut answer: reqwest::Response) -> Result<String, Delivery> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&piece);
        if body.len() >= MOST_READ {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Returns a failure with the innermost cause ("connection refused") and never the URL.
fn unreachable(error: reqwest::Error) -> Delivery {
    Delivery::retry(innermost(&error.without_url()))
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

/// Reads the system's certificates once per process; sets no process-wide provider.
fn tls() -> Result<ClientConfig, Error> {
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let config = tls_config().map_err(|e| Error::with("cannot set up TLS", e))?;
    Ok(CONFIG.get_or_init(|| config).clone())
}

fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()
    };
    match builder()?.with_platform_verifier() {
        Ok(verified) => Ok(verified.with_no_client_auth()),
        Err(error) => {
            // A container without certificates: plain HTTP works, and HTTPS will once it has some.
            // The program must start.
            tracing::warn!(target: "llm_observe::outbox", %error, "no HTTPS destination can be reached: install the system's CA certificates (ca-certificates)");
            Ok(builder()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_repeats_its_credentials_is_quoted_without_them() {
        let url = "https://hooks.example.com/services/T0AB/B0CD/x1y2z3w4v5u6";
        let request = HttpClient::new().unwrap().post(url);
        let request = request.header("X-Auth", "Sentry sentry_key=0123456789abcdef");
        let known = credentials(&request.build().unwrap());
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
