//! PagerDuty, Events API v2 (official OpenAPI): `trigger` and `resolve` under one `dedup_key`.

use std::sync::Arc;

use llm_observe_config as config;
use serde_json::{Value, json};

use super::{
    channel::Channel,
    error_group::ErrorGroup,
    notice::{Notice, NoticeStatus},
    text,
};
use crate::{
    error::Error,
    outbox::{
        Delivery, DeliveryFuture, Destination, Parcel,
        http::JsonEndpoint,
        text::{rfc3339, truncate},
    },
    redact::Redacted,
};

const PAGERDUTY: &str = "https://events.pagerduty.com";
const MOST_SUMMARY: usize = 1_024;
const MOST_KEY: usize = 255;

/// Returns the channel `name` to an integration of PagerDuty.
///
/// # Errors
///
/// When the routing key or the URL cannot be read, or the URL is invalid.
pub(crate) fn channel(name: &str, settings: &config::Pagerduty) -> Result<Arc<dyn Channel>, Error> {
    let routing_key = settings
        .routing_key
        .read()
        .map_err(|e| Error::with(format!("channels.{name}.routing_key"), e))?;
    let key = format!("channels.{name}.url");
    let url = settings.url.as_ref();
    let post = JsonEndpoint::below(&key, url, PAGERDUTY, "v2/enqueue", Vec::new())?;
    Ok(Arc::new(PagerdutyChannel {
        name: name.to_owned(),
        routing_key,
        post,
    }))
}

struct PagerdutyChannel {
    name: String,
    routing_key: String,
    post: JsonEndpoint,
}

impl Destination for PagerdutyChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            match self.completed(parcel) {
                Some(body) => self.post.deliver(body).await,
                None => Delivery::refused("the parcel is no event of PagerDuty"),
            }
        })
    }
}

impl PagerdutyChannel {
    /// Returns the event with the routing key, which must not be stored in the outbox's folder, and
    /// with how late it is.
    fn completed(&self, parcel: &Parcel) -> Option<Vec<u8>> {
        let mut event: Value = serde_json::from_slice(parcel.body()).ok()?;
        let fields = event.as_object_mut()?;
        fields.insert("routing_key".to_owned(), self.routing_key.clone().into());
        if let Some(late) = text::late(parcel) {
            let details = fields.get_mut("payload")?.get_mut("custom_details")?;
            details
                .as_object_mut()?
                .insert("delivered".to_owned(), late.into());
        }
        serde_json::to_vec(&event).ok()
    }
}

impl Channel for PagerdutyChannel {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        // Text and numbers always serialize.
        let encode = |notice| serde_json::to_vec(&event(notice)).unwrap_or_default();
        notice.as_ref().map(encode)
    }

    fn takes_digests(&self) -> bool {
        false
    }
}

fn event(notice: &Notice) -> Value {
    let action = if notice.status == NoticeStatus::Resolved {
        "resolve"
    } else {
        "trigger"
    };
    let source = [&notice.host, &notice.service]
        .into_iter()
        .find(|s| !s.is_empty());
    let errors: Vec<String> = notice.errors.iter().map(ErrorGroup::line).collect();
    let links = notice
        .links()
        .map(|(label, url)| json!({"href": url, "text": label}));
    json!({
        "event_action": action,
        // Each process has its own incidents: one that recovers must not resolve another's.
        "dedup_key": truncate(&format!("{}/{}", notice.host, notice.key), MOST_KEY),
        "client": "llm-observe",
        "client_url": notice.dashboard,
        "links": links.collect::<Vec<_>>(),
        "payload": {
            "summary": truncate(&notice.title(), MOST_SUMMARY),
            "source": source.map_or("llm-observe", |s| s.as_str()),
            "severity": notice.severity.as_str(),
            "timestamp": rfc3339(notice.first),
            "component": notice.functions.first(),
            "group": notice.service,
            "class": notice.trigger.as_str(),
            "custom_details": {
                "errors": errors,
                "calls": notice.count,
                "functions": notice.functions,
                "trace_id": notice.trace_id,
                "environment": notice.environment,
            },
        },
    })
}

#[cfg(test)]
mod tests;
