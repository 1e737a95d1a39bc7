//! `[channels.NAME]`: where alerts go.

use std::collections::BTreeMap;

use crate::choice::choices;
use crate::endpoint::Endpoint;
use crate::secret::Secret;

/// One alert channel.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// What it is and what it needs.
    pub kind: ChannelKind,
    /// The severities it takes; empty: all.
    pub severities: Vec<Severity>,
    /// The most messages a minute, at least 1; what is beyond waits. Default: 20.
    pub max_per_minute: u32,
}

impl Channel {
    /// Returns a channel that takes every severity, at most 20 messages a minute.
    pub fn new(kind: ChannelKind) -> Self {
        Self {
            kind,
            severities: Vec::new(),
            max_per_minute: 20,
        }
    }
}

/// The kinds of channel, each with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// A Slack incoming webhook.
    Slack(Slack),
    /// E-mail over SMTP.
    Email(Email),
    /// A Prometheus Alertmanager.
    Alertmanager(Alertmanager),
    /// PagerDuty Events API v2.
    Pagerduty(Pagerduty),
    /// A POST of JSON to any URL.
    Webhook(Webhook),
}

/// A Slack incoming webhook.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Slack {
    /// The webhook's URL.
    pub webhook: Secret,
}

impl Slack {
    /// Returns the channel of one incoming webhook.
    pub fn new(webhook: Secret) -> Self {
        Self { webhook }
    }
}

/// E-mail over SMTP.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// The SMTP server's host name or address.
    pub host: String,
    /// The SMTP server's port. Default: [`Tls::default_port`].
    pub port: u16,
    /// How the connection is encrypted. Default: STARTTLS.
    pub tls: Tls,
    /// The user to sign in as; `None`: without signing in.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses, at least one.
    pub to: Vec<String>,
}

impl Email {
    /// Returns a channel over STARTTLS on port 587, without signing in.
    pub fn new(host: impl Into<String>, from: impl Into<String>, to: Vec<String>) -> Self {
        Self {
            host: host.into(),
            port: Tls::default().default_port(),
            tls: Tls::default(),
            username: None,
            password: None,
            from: from.into(),
            to,
        }
    }
}

choices! {
    /// How an SMTP connection is encrypted.
    pub enum Tls {
        /// Plain first, then upgraded; refused when the server cannot (RFC 3207).
        #[default]
        Starttls = "starttls",
        /// Encrypted from the first byte (RFC 8314).
        Tls = "tls",
        /// Not encrypted: for a relay on the same machine.
        None = "none",
    }
}

impl Tls {
    /// Returns the port that is usual for it: 587, 465 or 25.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// A Prometheus Alertmanager.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanager {
    /// The server's base URL, such as `http://alertmanager:9093`.
    pub url: Endpoint,
    /// Labels that every alert carries.
    pub labels: BTreeMap<String, String>,
}

impl Alertmanager {
    /// Returns the channel to the server at `url`, without labels of its own.
    pub fn new(url: Endpoint) -> Self {
        let labels = BTreeMap::new();
        Self { url, labels }
    }
}

/// PagerDuty Events API v2.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Pagerduty {
    /// The integration's routing key.
    pub routing_key: Secret,
    /// Another base URL than PagerDuty's own.
    pub url: Option<Endpoint>,
}

impl Pagerduty {
    /// Returns the channel of one integration at PagerDuty's own address.
    pub fn new(routing_key: Secret) -> Self {
        let url = None;
        Self { routing_key, url }
    }
}

/// A POST of JSON to any URL.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// The URL.
    pub url: Secret,
    /// The key that each body is signed with (HMAC).
    pub secret: Option<Secret>,
}

impl Webhook {
    /// Returns the channel to one URL, unsigned.
    pub fn new(url: Secret) -> Self {
        Self { url, secret: None }
    }
}

choices! {
    /// How bad an alert is, from low to high.
    pub enum Severity {
        /// For the record.
        Info = "info",
        /// To be looked at.
        Warning = "warning",
        /// A failure: what an alert is unless told otherwise.
        #[default]
        Error = "error",
        /// Somebody has to get up.
        Critical = "critical",
    }
}
