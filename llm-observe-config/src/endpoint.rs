//! Addresses of servers: a plain URL if it holds no secret, else the location of the secret.

use std::fmt;
use std::str::FromStr;

use crate::secret::{MissingSecret, Secret};

/// The address of a server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// An http or https URL without user, password and query.
    Url(String),
    /// The location of the URL.
    Secret(Secret),
}

impl Endpoint {
    /// Returns the URL, reading it when it is a secret.
    ///
    /// # Errors
    ///
    /// As [`Secret::read`].
    pub fn read(&self) -> Result<String, MissingSecret> {
        match self {
            Self::Url(url) => Ok(url.clone()),
            Self::Secret(secret) => secret.read(),
        }
    }
}

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        if text.starts_with("env:") || text.starts_with("file:") {
            let secret = text.parse::<Secret>();
            let secret = secret.map_err(|wrong| BadEndpoint::new(wrong.message(), wrong.help()));
            return secret.map(Self::Secret);
        }
        check_link(text)?;
        if text.contains('?') {
            return Err(BadEndpoint::SECRET);
        }
        Ok(Self::Url(text.to_owned()))
    }
}

/// Checks that `text` is an http or https URL with a host and without user and password.
pub(crate) fn check_link(text: &str) -> Result<(), BadEndpoint> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or(BadEndpoint::URL)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(BadEndpoint::SECRET);
    }
    let hidden = |c: char| c.is_whitespace() || c.is_control();
    if text.contains(hidden) || !valid_authority(authority) {
        return Err(BadEndpoint::URL);
    }
    Ok(())
}

/// Returns whether `authority` is a host with an optional port.
fn valid_authority(authority: &str) -> bool {
    let bracketed = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    !host.is_empty() && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Prints a URL as it is, and a secret as its location.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Secret(secret) => fmt::Display::fmt(secret, f),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error for a text that is not an address. It never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEndpoint {
    message: &'static str,
    help: &'static str,
}

impl BadEndpoint {
    const URL: Self = Self::new(
        "is not a URL",
        "write \"http://HOST:PORT\", \"https://HOST\" or \"env:NAME\"",
    );
    const SECRET: Self = Self::new(
        "must not hold a user, a password or a query",
        "write \"env:NAME\" or \"file:PATH\", and keep the URL there",
    );

    const fn new(message: &'static str, help: &'static str) -> Self {
        Self { message, help }
    }

    /// Returns what is wrong.
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// Returns what to write.
    pub const fn help(&self) -> &'static str {
        self.help
    }
}

impl fmt::Display for BadEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for BadEndpoint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_urls_and_secrets() {
        for text in [
            "http://localhost:4318",
            "https://collector.example/v1",
            "http://[::1]:9093/",
            "env:URL",
            "file:/run/url",
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), text);
        }
        assert_eq!(Endpoint::Url("http://a".into()).read().unwrap(), "http://a");
    }

    #[test]
    fn refuses_what_may_hold_a_secret() {
        for text in [
            "http://user:pw@host",
            "https://tok3n@host/",
            "https://host/?key=tok3n",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(BadEndpoint::SECRET), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_url() {
        for text in [
            "",
            "host:80",
            "http://",
            "http://:80",
            "http://a:0",
            "http://a:x",
            "ftp://a",
            "http://a b",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(BadEndpoint::URL), "{text}");
        }
        assert!("env:".parse::<Endpoint>().is_err());
    }
}
