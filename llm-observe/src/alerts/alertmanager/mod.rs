//! Prometheus Alertmanager, API v2. It suits a fleet: equal alerts of all replicas are one alert,
//! since no label names a machine.
//!
//! Alertmanager forgets an alert that is not sent again before its `endsAt`, so active alerts are
//! sent every minute (prometheus/alertmanager, doc/alerts_api.md). An explicit end closes the alert
//! for all senders: with `shared` none is sent, and the alert ends three minutes after the last
//! replica stopped sending it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use llm_observe_config as config;
use serde_json::{Value, json};

use super::{
    channel::Channel,
    error_group::ErrorGroup,
    notice::{Notice, NoticeStatus},
};
use crate::{
    error::Error,
    outbox::{
        DeliveryFuture, Destination, Parcel,
        http::JsonEndpoint,
        micros, now_micros,
        text::{rfc3339, truncate},
    },
    redact::Redacted,
};

const REFRESH: Duration = Duration::from_secs(60);

/// How long an alert stays active without a refresh: some may be lost.
const LASTS: Duration = Duration::from_secs(3 * 60);

/// Returns the channel `name` to an Alertmanager.
///
/// # Errors
///
/// When its URL cannot be read or is not a URL.
pub(crate) fn channel(
    name: &str,
    settings: &config::Alertmanager,
) -> Result<Arc<dyn Channel>, Error> {
    let key = format!("channels.{name}.url");
    let url = Some(&settings.url);
    let post = JsonEndpoint::below(&key, url, "", "api/v2/alerts", Vec::new())?;
    Ok(Arc::new(AlertmanagerChannel {
        name: name.to_owned(),
        labels: settings.labels.clone(),
        shared: settings.shared,
        post,
    }))
}

struct AlertmanagerChannel {
    name: String,
    labels: BTreeMap<String, String>,
    /// Whether other processes send the same alerts.
    shared: bool,
    post: JsonEndpoint,
}

impl Destination for AlertmanagerChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(self.post.deliver(parcel.body().to_vec()))
    }
}

impl Channel for AlertmanagerChannel {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        // Text and numbers always serialize.
        let encode =
            |notice| serde_json::to_vec(&self.alerts(notice, now_micros())).unwrap_or_default();
        notice.as_ref().map(encode)
    }

    fn takes_digests(&self) -> bool {
        false
    }

    fn refresh(&self) -> Option<Duration> {
        Some(REFRESH)
    }
}

impl AlertmanagerChannel {
    /// Returns the alerts to send. A risen severity changes the labels, which makes another alert:
    /// the former one is resolved.
    fn alerts(&self, notice: &Notice, now: u64) -> Value {
        let goes_on = notice.status != NoticeStatus::Resolved;
        let before = notice.risen_from.map(|severity| Notice {
            severity,
            ..notice.clone()
        });
        let before = before.iter().map(|before| self.alert(before, false, now));
        let mut alerts: Vec<Value> = before.collect();
        // Another process may send the same alert: it ends when none does any more.
        if goes_on || !self.shared {
            alerts.push(self.alert(notice, goes_on, now));
        }
        alerts.into()
    }

    fn alert(&self, notice: &Notice, goes_on: bool, now: u64) -> Value {
        // Alertmanager refuses an end before the start.
        let ends = match goes_on {
            true => now.saturating_add(micros(LASTS)),
            false => notice.last.max(notice.first.saturating_add(1_000)).min(now),
        };
        let mut alert = json!({
            "labels": self.labels(notice),
            "annotations": annotations(notice),
            "startsAt": rfc3339(notice.first.min(ends)),
            "endsAt": rfc3339(ends),
        });
        if let (Some(url), Some(alert)) = (&notice.dashboard, alert.as_object_mut()) {
            alert.insert("generatorURL".to_owned(), url.clone().into());
        }
        alert
    }

    /// Returns what identifies the alert: the same from firing to resolved, on every machine.
    fn labels(&self, notice: &Notice) -> BTreeMap<String, String> {
        let own = [
            ("alertname", notice.event.as_str()),
            ("trigger", notice.trigger.as_str()),
            ("severity", notice.severity.as_str()),
            ("service", &notice.service),
            ("environment", &notice.environment),
        ];
        let own = own.into_iter().filter(|(_, value)| !value.is_empty());
        let mut labels: BTreeMap<_, _> = own
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        labels.extend(self.labels.clone());
        labels
    }
}

fn annotations(notice: &Notice) -> BTreeMap<&'static str, String> {
    let errors: Vec<String> = notice.errors.iter().map(ErrorGroup::line).collect();
    let all = [
        ("summary", notice.title()),
        ("description", truncate(&errors.join("\n"), 4_000)),
        ("functions", notice.functions.join(", ")),
        ("trace_id", notice.trace_id.clone()),
        ("runbook_url", notice.runbook.clone().unwrap_or_default()),
        ("trace_url", notice.trace_url.clone().unwrap_or_default()),
        ("sentry_url", notice.sentry_url.clone().unwrap_or_default()),
        (
            "session_url",
            notice.session_url.clone().unwrap_or_default(),
        ),
        (
            "dashboard_url",
            notice.dashboard.clone().unwrap_or_default(),
        ),
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
