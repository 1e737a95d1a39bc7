//! `[channels.NAME]`: where alerts go.

use std::collections::BTreeMap;

use crate::choice::{Choice, choices};
use crate::endpoint::Endpoint;
use crate::names;
use crate::references::Reference;
use crate::secret::Secret;
use crate::section::Section;
use crate::value;
use crate::value_error::ValueError;

/// One alert channel.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// The kind of channel, with its settings.
    pub kind: ChannelKind,
    /// The severities it takes; empty: all.
    pub severities: Vec<Severity>,
    /// The most messages a minute, at least 1; further messages wait. Default: 20.
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
        /// Upgraded from a plain connection; an error if the server does not support it (RFC 3207).
        #[default]
        Starttls = "starttls",
        /// Encrypted from the first byte (RFC 8314).
        Tls = "tls",
        /// Not encrypted, for a relay on the same machine.
        None = "none",
    }
}

impl Tls {
    /// Returns the standard port: 587, 465 or 25.
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
    /// Whether several processes send the same alerts. Then a process that recovers does not
    /// resolve an alert of the others. Default: false.
    pub shared: bool,
}

impl Alertmanager {
    /// Returns the channel to the server at `url`, without labels of its own.
    pub fn new(url: Endpoint) -> Self {
        Self {
            url,
            labels: BTreeMap::new(),
            shared: false,
        }
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
    /// The severity of an alert, from low to high.
    pub enum Severity {
        /// Needs no action.
        Info = "info",
        /// Needs attention, not at once.
        Warning = "warning",
        /// A failure. The default of alerts.
        #[default]
        Error = "error",
        /// Needs action at once, day or night.
        Critical = "critical",
    }
}

/// Reads a list of channels, each of which must exist.
pub(crate) fn read_names(section: &Section<'_, '_>, key: &'static str, slot: &mut Vec<String>) {
    let location = format!("`{key}` in {}", section.header());
    section.list_with(key, slot, value::text, |name, at| {
        let (name, location) = (name.clone(), location.clone());
        section
            .references()
            .borrow_mut()
            .channel_uses
            .push(Reference { name, location, at });
    });
}

/// Reads the keys that only one kind has.
type ReadKind = fn(&Section<'_, '_>) -> Option<ChannelKind>;

/// The kinds by name, in the order in which messages list them.
const KINDS: [(&str, ReadKind); 5] = [
    ("slack", |section| {
        Slack::read(section).map(ChannelKind::Slack)
    }),
    ("email", |section| {
        Email::read(section).map(ChannelKind::Email)
    }),
    ("alertmanager", |section| {
        Alertmanager::read(section).map(ChannelKind::Alertmanager)
    }),
    ("pagerduty", |section| {
        Pagerduty::read(section).map(ChannelKind::Pagerduty)
    }),
    ("webhook", |section| {
        Webhook::read(section).map(ChannelKind::Webhook)
    }),
];

impl Choice for ReadKind {
    const ALL: &'static [(&'static str, Self)] = &KINDS;
}

impl Channel {
    pub(crate) fn read(section: &Section<'_, '_>) -> Option<Self> {
        let mut severities = Vec::new();
        let mut max_per_minute = 20;
        let read_kind = section.required("kind", "\"slack\"", value::choice::<ReadKind>);
        section.list("severities", &mut severities, value::choice);
        section.set(
            "max_per_minute",
            &mut max_per_minute,
            value::whole(1, 10_000),
        );
        let Some(read_kind) = read_kind else {
            section.allow_unknown_keys();
            return None;
        };
        Some(Self {
            kind: read_kind(section)?,
            severities,
            max_per_minute,
        })
    }
}

impl Slack {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let webhook = section.required("webhook", "\"env:SLACK_WEBHOOK_URL\"", value::secret);
        webhook.map(Self::new)
    }
}

impl Email {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let host = section.required("host", "\"smtp.example.org\"", names::host);
        let from = section.required("from", "\"service@example.org\"", names::address);
        let mut email = Self::new("", "", Vec::new());
        section.set("tls", &mut email.tls, value::choice);
        email.port = email.tls.default_port();
        section.set("port", &mut email.port, value::whole(1, 65_535));
        section.optional("username", &mut email.username, value::text);
        section.optional("password", &mut email.password, value::secret);
        section.list("to", &mut email.to, names::address);
        email.check(section);
        (email.host, email.from) = (host?, from?);
        Some(email)
    }

    fn check(&self, section: &Section<'_, '_>) {
        if !section.has("to") {
            section.missing("to", "[\"ops@example.org\"]");
        } else if self.to.is_empty() && section.is_clean() {
            let help = "write at least one address, such as [\"ops@example.org\"]";
            section.add_at("to", ValueError::new("is empty", help));
        }
        let lacking = match (section.has("username"), section.has("password")) {
            (true, false) => (
                "username",
                "needs a `password`",
                "write `password = \"env:NAME\"`",
            ),
            (false, true) => (
                "password",
                "needs a `username`",
                "write `username = \"NAME\"`",
            ),
            _ => return,
        };
        let (key, message, help) = lacking;
        section.add_at(key, ValueError::new(message, help));
    }
}

impl Alertmanager {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let url = section.required("url", "\"http://localhost:9093\"", value::endpoint);
        let labels = section.table("labels", |labels| {
            labels.entries(value::text, names::check_alert_label)
        });
        let labels = labels.unwrap_or_default();
        let mut shared = false;
        section.set("shared", &mut shared, value::boolean);
        url.map(|url| Self {
            url,
            labels,
            shared,
        })
    }
}

impl Pagerduty {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let mut url = None;
        let key = section.required(
            "routing_key",
            "\"env:PAGERDUTY_ROUTING_KEY\"",
            value::secret,
        );
        section.optional("url", &mut url, value::endpoint);
        key.map(|routing_key| Self { routing_key, url })
    }
}

impl Webhook {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let mut secret = None;
        let url = section.required("url", "\"env:WEBHOOK_URL\"", value::secret);
        section.optional("secret", &mut secret, value::secret);
        url.map(|url| Self { url, secret })
    }
}
