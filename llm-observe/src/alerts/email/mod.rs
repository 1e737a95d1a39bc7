//! E-mail over SMTP: text and HTML, one thread for each alert.
//!
//! Every message has its own connection. Alerts are rare, and a pooled connection is dead after the
//! server's idle timeout (lettre/lettre#743). With TLS, it trusts what the system trusts (on Linux
//! also what `SSL_CERT_FILE` names), and sends nothing to a server that is not trusted.

use std::{sync::Arc, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        response::Severity as Reply,
    },
};
use llm_observe_config as config;

use super::{
    channel::Channel,
    error_group::ErrorGroup,
    notice::{Notice, NoticeStatus},
    text,
};
use crate::{
    error::Error,
    outbox::{Delivery, DeliveryFuture, Destination, Parcel, http::innermost, text::truncate},
    redact::Redacted,
};

const TIMEOUT: Duration = Duration::from_secs(15);
const MOST_SUBJECT: usize = 200;

/// Returns the channel `name` to the receivers of an SMTP server.
///
/// # Errors
///
/// When an address is invalid, or the password cannot be read.
pub(crate) fn channel(name: &str, settings: &config::Email) -> Result<Arc<dyn Channel>, Error> {
    let mailbox = |key: &str, text: &str| {
        let wrong = |e| Error::with(format!("channels.{name}.{key}: `{text}` is no address"), e);
        text.parse::<Mailbox>().map_err(wrong)
    };
    let from = mailbox("from", &settings.from)?;
    let to = settings
        .to
        .iter()
        .map(|text| mailbox("to", text))
        .collect::<Result<Vec<_>, _>>()?;
    let receivers: Vec<Address> = to.iter().map(|mailbox| mailbox.email.clone()).collect();
    let envelope = Envelope::new(Some(from.email.clone()), receivers)
        .map_err(|e| Error::with(format!("channels.{name}.to"), e))?;
    let smtp = transport(name, settings)?;
    Ok(Arc::new(EmailChannel {
        name: name.to_owned(),
        from,
        to,
        envelope,
        smtp,
    }))
}

fn transport(
    name: &str,
    settings: &config::Email,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
    let parameters = || {
        TlsParameters::new_rustls(settings.host.clone())
            .map_err(|e| Error::with(format!("channels.{name}: cannot set up TLS"), e))
    };
    let tls = match settings.tls {
        config::Tls::None => Tls::None,
        config::Tls::Starttls => Tls::Required(parameters()?),
        config::Tls::Tls => Tls::Wrapper(parameters()?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
        .port(settings.port)
        .timeout(Some(TIMEOUT))
        .tls(tls);
    let password = settings
        .password
        .as_ref()
        .map(config::Secret::read)
        .transpose();
    let password = password.map_err(|e| Error::with(format!("channels.{name}.password"), e))?;
    Ok(match &settings.username {
        Some(user) => builder
            .credentials(Credentials::new(user.clone(), password.unwrap_or_default()))
            .build(),
        None => builder.build(),
    })
}

struct EmailChannel {
    name: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    envelope: Envelope,
    smtp: AsyncSmtpTransport<Tokio1Executor>,
}

impl Destination for EmailChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            if parcel.body().is_empty() {
                return Delivery::refused("the message could not be built");
            }
            let message = with_delay(parcel);
            match self.send(&self.envelope, &message).await {
                // One refused receiver ends the whole transaction.
                Delivery::Refused { .. } if self.to.len() > 1 => self.each(&message).await,
                other => other,
            }
        })
    }
}

impl EmailChannel {
    async fn send(&self, envelope: &Envelope, message: &[u8]) -> Delivery {
        match self.smtp.send_raw(envelope, message).await {
            Ok(reply) if reply.code().severity == Reply::PositiveCompletion => Delivery::Delivered,
            Ok(reply) => Delivery::retry(format!("SMTP {}", reply.code())),
            Err(error) => classify(&error),
        }
    }

    /// Sends it to each receiver separately. It is delivered when one of them has it. After a
    /// transient failure of one, all get it again, with the same message id.
    async fn each(&self, message: &[u8]) -> Delivery {
        let mut worst = Delivery::refused("no receiver");
        let mut delivered = false;
        for to in self.envelope.to() {
            let from = self.envelope.from().cloned();
            let Ok(envelope) = Envelope::new(from, vec![to.clone()]) else {
                continue;
            };
            match self.send(&envelope, message).await {
                Delivery::Delivered => delivered = true,
                later @ Delivery::Retry { .. } => return later,
                refused => {
                    tracing::warn!(target: "llm_observe::outbox", destination = self.name, answer = ?refused, "one receiver of an alert was refused");
                    worst = refused;
                }
            }
        }
        match delivered {
            true => Delivery::Delivered,
            false => worst,
        }
    }
}

/// Adds to the subject of a delayed message how late it is.
fn with_delay(parcel: &Parcel) -> Vec<u8> {
    const SUBJECT: &[u8] = b"Subject: ";
    let message = parcel.body();
    let starts = |at: &usize| message.get(*at..).is_some_and(|m| m.starts_with(SUBJECT));
    let lines = message.split_inclusive(|byte| *byte == b'\n');
    // The first such line is the header, which precedes the body.
    let subject = lines
        .scan(0, |end, line| {
            Some(std::mem::replace(end, *end + line.len()))
        })
        .find(starts);
    let (Some(late), Some(subject)) = (text::late(parcel), subject) else {
        return message.to_vec();
    };
    let (head, rest) = message.split_at(subject + SUBJECT.len());
    [head, format!("[{late}] ").as_bytes(), rest].concat()
}

/// RFC 5321: 5yz is permanent; 4yz and failures of the connection are transient.
fn classify(error: &lettre::transport::smtp::Error) -> Delivery {
    let reason = match error.status() {
        Some(_) => error.to_string(),
        None => innermost(error),
    };
    let reason = truncate(&reason, 300);
    if error.is_permanent() {
        Delivery::refused(reason)
    } else {
        Delivery::retry(reason)
    }
}

impl Channel for EmailChannel {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        // Addresses are checked; an empty message is refused when it is delivered.
        let encode = |notice| {
            let message = self.message(notice);
            message
                .map(|message| message.formatted())
                .unwrap_or_default()
        };
        notice.as_ref().map(encode)
    }
}

impl EmailChannel {
    fn message(&self, notice: &Notice) -> Result<Message, lettre::error::Error> {
        let place = [&notice.service, &notice.environment]
            .map(String::as_str)
            .join(" ");
        let subject = format!("[{}] {}", place.trim(), notice.title());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(truncate(&subject, MOST_SUBJECT))
            .raw_header(automatic());
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let thread = self.thread(notice);
        builder = match notice.status {
            NoticeStatus::Firing => builder.message_id(Some(thread)),
            _ => builder
                .in_reply_to(thread.clone())
                .references(thread)
                .message_id(None),
        };
        let plain = plain(notice);
        let html = html(notice, &plain);
        builder.multipart(MultiPart::alternative_plain_html(plain, html))
    }

    /// Returns the id of the alert's first message, to which the others reply.
    fn thread(&self, notice: &Notice) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let key: String = format!("{}-{}", notice.host, notice.key)
            .chars()
            .map(safe)
            .take(180)
            .collect();
        format!("<{key}@{}>", self.from.email.domain())
    }
}

/// Marks the message as automatic, so that out-of-office replies are not sent (RFC 3834).
fn automatic() -> HeaderValue {
    const NAME: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(NAME, "auto-generated".to_owned())
}

fn plain(notice: &Notice) -> String {
    let mut lines = vec![notice.title(), String::new()];
    let rows = [
        ("function", notice.functions.join(", ")),
        ("service", notice.service.clone()),
        ("environment", notice.environment.clone()),
        ("host", notice.host.clone()),
        ("began", text::time(notice.first)),
        ("last", text::time(notice.last)),
        ("trace", notice.trace_id.clone()),
    ];
    let given = rows.into_iter().filter(|(_, value)| !value.is_empty());
    lines.extend(given.map(|(name, value)| format!("{name:<12}{value}")));
    lines.push(String::new());
    let links: Vec<_> = notice.links().collect();
    lines.extend(links.iter().map(|(label, url)| format!("{label}: {url}")));
    lines.extend((!links.is_empty()).then(String::new));
    lines.extend(notice.errors.iter().map(ErrorGroup::line));
    lines.extend(notice.suppressed.iter().map(|held| {
        format!(
            "{} {}: {}",
            held.event,
            held.status.as_str(),
            text::calls(held.count)
        )
    }));
    lines.join("\r\n")
}

fn html(notice: &Notice, plain: &str) -> String {
    let link = |(label, url): (&str, &str)| {
        let url = html_escaped(url);
        format!("<a href=\"{url}\">{label}</a>")
    };
    let links: Vec<String> = notice.links().map(link).collect();
    format!(
        "<p>{}</p><pre style=\"font:14px/1.5 monospace\">{}</pre>",
        links.join(" &middot; "),
        html_escaped(plain)
    )
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
pub(super) mod tests;
