//! A POST of JSON to any URL, signed with HMAC-SHA-256 when there is a key.
//!
//! The header `X-Llm-Observe-Signature` has the form `t=SECONDS,v1=HEX`, over the seconds, a dot and
//! the body: a receiver can verify the sender and reject a replay.

use std::{fmt::Write as _, sync::Arc};

use llm_observe_config as config;
use ring::hmac;
use serde_json::{Value, json};

use super::{channel::Channel, error_group::ErrorGroup, notice::Notice, text};
use crate::{
    error::Error,
    outbox::{DeliveryFuture, Destination, Parcel, http::JsonEndpoint, now_micros, text::rfc3339},
    redact::Redacted,
};

const SIGNATURE: &str = "X-Llm-Observe-Signature";

/// Returns the channel `name` to a URL.
///
/// # Errors
///
/// When the URL or the key cannot be read, or the URL is invalid.
pub(crate) fn channel(name: &str, settings: &config::Webhook) -> Result<Arc<dyn Channel>, Error> {
    let key = format!("channels.{name}.url");
    let url = settings
        .url
        .read()
        .map_err(|e| Error::with(key.clone(), e))?;
    let secret = settings
        .secret
        .as_ref()
        .map(config::Secret::read)
        .transpose();
    let secret = secret.map_err(|e| Error::with(format!("channels.{name}.secret"), e))?;
    let secret = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    let post = JsonEndpoint::new(&key, &url, Vec::new())?;
    Ok(Arc::new(WebhookChannel {
        name: name.to_owned(),
        secret,
        post,
    }))
}

struct WebhookChannel {
    name: String,
    secret: Option<hmac::Key>,
    post: JsonEndpoint,
}

impl Destination for WebhookChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            let body = with_delay(parcel);
            let signed = self
                .secret
                .as_ref()
                .map(|key| signature(key, now_micros() / 1_000_000, &body));
            let headers: Vec<_> = signed.into_iter().map(|value| (SIGNATURE, value)).collect();
            match self.post.send(body, &headers).await {
                Ok(reply) => reply.classify(),
                Err(failure) => failure,
            }
        })
    }
}

impl Channel for WebhookChannel {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        // Text and numbers always serialize.
        let encode = |notice| serde_json::to_vec(&message(notice)).unwrap_or_default();
        notice.as_ref().map(encode)
    }
}

/// Adds to a delayed message how late it is.
fn with_delay(parcel: &Parcel) -> Vec<u8> {
    let marked = text::late(parcel).and_then(|late| {
        let mut message: Value = serde_json::from_slice(parcel.body()).ok()?;
        message
            .as_object_mut()?
            .insert("delivered".to_owned(), late.into());
        serde_json::to_vec(&message).ok()
    });
    marked.unwrap_or_else(|| parcel.body().to_vec())
}

fn signature(key: &hmac::Key, seconds: u64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    let mut out = format!("t={seconds},v1=");
    for byte in context.sign().as_ref() {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn message(notice: &Notice) -> Value {
    let error = |error: &ErrorGroup| {
        json!({
            "function": error.function,
            "trigger": error.trigger.as_str(),
            "type": error.type_name,
            "message": error.message,
            "class": error.class.map(|class| class.as_str()),
            "count": error.count,
        })
    };
    let held = notice.suppressed.iter().map(|held| {
        json!({"event": held.event, "status": held.status.as_str(), "severity": held.severity.as_str(), "count": held.count})
    });
    json!({
        "version": 1,
        "status": notice.status.as_str(),
        "title": notice.title(),
        "key": notice.key,
        "event": notice.event,
        "functions": notice.functions,
        "trigger": notice.trigger.as_str(),
        "severity": notice.severity.as_str(),
        "count": notice.count,
        "first": rfc3339(notice.first),
        "last": rfc3339(notice.last),
        "errors": notice.errors.iter().map(error).collect::<Vec<_>>(),
        "more": notice.more,
        "held": held.collect::<Vec<_>>(),
        "trace_id": notice.trace_id,
        "service": notice.service,
        "environment": notice.environment,
        "host": notice.host,
        "runbook": notice.runbook,
        "dashboard": notice.dashboard,
        "trace_url": notice.trace_url,
        "sentry_url": notice.sentry_url,
        "session_url": notice.session_url,
    })
}

#[cfg(test)]
mod tests;
