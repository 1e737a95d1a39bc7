//! Who is answered.
//!
//! A page of any site can have a name of its own point to 127.0.0.1 and then read what this machine
//! serves there (DNS rebinding). Its requests have that name as `Host`, so that without a token only
//! names of this machine are answered. With a token, any: no such page has it.

use std::net::{IpAddr, SocketAddr};

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::{
    Request, Version,
    header::{AUTHORIZATION, HOST},
    http::uri::Authority,
};
use llm_observe_config::Secret;
use subtle::ConstantTimeEq;

use crate::error::Error;

/// Whether the program is alive. This and [`READY`] need neither token nor `Host`: they have nothing to
/// read.
pub(super) const HEALTH: &str = "/healthz";

/// Whether the program is ready for requests.
pub(super) const READY: &str = "/readyz";

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has no token, or another.
    Token,
    /// It is meant for another host.
    Host,
    /// It does not name one host.
    Malformed,
}

/// Returns the token, if there is one.
///
/// # Errors
///
/// When it cannot be read, and when `address` can be reached from other machines without one.
pub(super) fn token(address: SocketAddr, token: Option<&Secret>) -> Result<Option<String>, Error> {
    if let Some(secret) = token {
        let token = secret.read().map_err(|missing| {
            Error::with(
                "cannot serve /metrics: [server] token cannot be read",
                missing,
            )
        })?;
        return Ok(Some(token));
    }
    match is_loopback(address.ip()) {
        true => Ok(None),
        false => Err(Error::new(format!(
            "cannot serve /metrics at {address}: other machines can reach it, so [server] needs \
             `token = \"env:LLM_OBSERVE_TOKEN\"`; or listen on 127.0.0.1"
        ))),
    }
}

/// Whom to answer.
pub(super) struct Access {
    address: SocketAddr,
    token: Option<String>,
}

impl Access {
    pub(super) fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { address, token }
    }

    /// Returns why the request is refused.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        if [HEALTH, READY].contains(&request.uri().path()) {
            return Ok(());
        }
        match &self.token {
            Some(token) if has_token(request, token) => Ok(()),
            Some(_) => Err(Refusal::Token),
            None => self.check_host(request),
        }
    }

    /// The port is not compared: behind a tunnel (`ssh -L`, `kubectl port-forward`) it is another, and
    /// no page can choose it.
    fn check_host<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let Some(authority) = authority(request)? else {
            return Ok(());
        };
        let host = authority.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let ours = match bare.parse::<IpAddr>() {
            Ok(ip) => is_loopback(ip) || ip == self.address.ip(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        };
        match ours {
            true => Ok(()),
            false => Err(Refusal::Host),
        }
    }
}

/// Returns the host and port that the request is meant for (RFC 9112, section 3.2). `None` when it does
/// not say, as only clients of HTTP/1.0 may.
fn authority<B>(request: &Request<B>) -> Result<Option<Authority>, Refusal> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host),
        (None, _) if request.version() < Version::HTTP_11 => None,
        _ => return Err(Refusal::Malformed),
    };
    if let Some(target) = request.uri().authority() {
        return Ok(Some(target.clone()));
    }
    let parsed = host.map(|host| Authority::try_from(host.as_bytes()));
    parsed.transpose().map_err(|_| Refusal::Malformed)
}

/// Returns whether the request has the token: as a bearer token (RFC 6750), or as the password of basic
/// authentication (RFC 7617), which a browser asks its user for.
fn has_token<B>(request: &Request<B>, token: &str) -> bool {
    let mut given = request.headers().get_all(AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else {
        return false;
    };
    let Some((scheme, value)) = given.to_str().ok().and_then(|given| given.split_once(' ')) else {
        return false;
    };
    let value = value.trim_ascii();
    if scheme.eq_ignore_ascii_case("bearer") {
        return is_same(value.as_bytes(), token);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let decoded = BASE64_STANDARD.decode(value).unwrap_or_default();
    let mut parts = decoded.splitn(2, |byte| *byte == b':').skip(1);
    parts
        .next()
        .is_some_and(|password| is_same(password, token))
}

/// Compares in a time that depends on the lengths only.
fn is_same(given: &[u8], token: &str) -> bool {
    given.ct_eq(token.as_bytes()).into()
}

/// `::ffff:127.0.0.1` is loopback too.
fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        at("/metrics", headers)
    }

    fn at(target: &str, headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::builder().uri(target);
        let with = |request: hyper::http::request::Builder, &(name, value): &(&str, &str)| {
            request.header(name, value)
        };
        headers.iter().fold(request, with).body(()).unwrap()
    }

    fn access(address: &str, token: Option<&str>) -> Access {
        Access::new(address.parse().unwrap(), token.map(str::to_owned))
    }

    #[test]
    fn only_names_of_this_machine_are_answered_without_a_token() {
        let local = access("127.0.0.1:9464", None);
        for host in [
            "127.0.0.1:9464",
            "127.0.0.1",
            "localhost:9464",
            "LOCALHOST:8080",
            "[::1]:9464",
            "127.8.8.8:1",
        ] {
            assert_eq!(local.check(&request(&[("host", host)])), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
            "127.0.0.1.evil.example:9464",
            "10.0.0.7:9464",
            "[fe80::1]:9464",
            "notlocalhost",
        ] {
            let refused = Err(Refusal::Host);
            assert_eq!(local.check(&request(&[("host", host)])), refused, "{host}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        let local = access("127.0.0.1:9464", None);
        let malformed = Err(Refusal::Malformed);
        assert_eq!(local.check(&request(&[])), malformed);
        assert_eq!(local.check(&request(&[("host", "a b")])), malformed);
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(local.check(&request(&two)), malformed);
        // The target wins over the header.
        let other = at("http://evil.example/metrics", &[("host", "localhost")]);
        assert_eq!(local.check(&other), Err(Refusal::Host));
        let mut old = request(&[]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(local.check(&old), Ok(()));
    }

    #[test]
    fn with_a_token_any_host_is_answered_that_has_it() {
        let open = access("0.0.0.0:9464", Some("s3cret:t"));
        let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        for right in [
            "Bearer s3cret:t".to_owned(),
            "bearer  s3cret:t ".to_owned(),
            basic("anybody:s3cret:t"),
            basic(":s3cret:t"),
        ] {
            let headers = [("host", "metrics.example"), ("authorization", &right)];
            assert_eq!(open.check(&request(&headers)), Ok(()), "{right}");
        }
        for wrong in [
            "Bearer s3cret:".to_owned(),
            "Bearer s3cret:tt".to_owned(),
            "Bearer".to_owned(),
            "s3cret:t".to_owned(),
            "Digest s3cret:t".to_owned(),
            "Basic s3cret:t".to_owned(),
            basic("s3cret"),
            basic("s3cret:t:"),
        ] {
            let headers = [("host", "localhost"), ("authorization", &wrong)];
            let refused = Err(Refusal::Token);
            assert_eq!(open.check(&request(&headers)), refused, "{wrong}");
        }
        assert_eq!(open.check(&request(&[])), Err(Refusal::Token));
        let twice = [
            ("authorization", "Bearer x"),
            ("authorization", "Bearer s3cret:t"),
        ];
        assert_eq!(open.check(&request(&twice)), Err(Refusal::Token));
    }

    #[test]
    fn probes_need_neither() {
        for access in [access("127.0.0.1:1", None), access("0.0.0.0:1", Some("t"))] {
            for path in ["/healthz", "/readyz"] {
                assert_eq!(access.check(&at(path, &[])), Ok(()), "{path}");
            }
        }
    }

    #[test]
    fn an_address_that_others_can_reach_needs_a_token() {
        for address in ["0.0.0.0:1", "[::]:1", "10.0.0.7:1", "[::ffff:10.0.0.7]:1"] {
            let error = token(address.parse().unwrap(), None)
                .unwrap_err()
                .to_string();
            assert!(error.contains("`token = "), "{error}");
        }
        for address in [
            "127.0.0.1:1",
            "[::1]:1",
            "127.3.3.3:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert_eq!(token(address.parse().unwrap(), None).unwrap(), None);
        }
        let unset = Secret::Env("LLM_OBSERVE_SURELY_UNSET".to_owned());
        assert!(token("127.0.0.1:1".parse().unwrap(), Some(&unset)).is_err());
    }
}
