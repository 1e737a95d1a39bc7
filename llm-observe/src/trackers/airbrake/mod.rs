//! Airbrake: notices of API v3 (docs.airbrake.io), as its own clients send them. Errbit accepts them
//! too.

use std::{sync::Arc, time::Duration};

use llm_observe_config as config;
use serde_json::{Value, json};

use super::{
    frames::Frame,
    report::Report,
    size::{ReportSize, fit},
    tracker::Tracker,
};
use crate::{
    breadcrumbs::Breadcrumb,
    error::Error,
    kernel::outcome::Outcome,
    outbox::{
        Delivery, DeliveryFuture, Destination, Parcel,
        http::{HttpReply, JsonEndpoint},
        origin::Origin,
        text::{rfc3339, truncate},
    },
    redact::Redacted,
};

const AIRBRAKE: &str = "https://api.airbrake.io";
/// Airbrake accepts 64,000 bytes.
const MOST_BYTES: usize = 64_000;

/// Returns the tracker of an Airbrake project.
///
/// # Errors
///
/// When the project's key or the URL cannot be read, or the URL is invalid.
pub(crate) fn tracker(
    settings: &config::Airbrake,
    origin: Origin,
) -> Result<Arc<dyn Tracker>, Error> {
    let project_key = settings
        .project_key
        .read()
        .map_err(|e| Error::with("trackers.airbrake.project_key", e))?;
    let post = JsonEndpoint::below(
        "trackers.airbrake.url",
        settings.url.as_ref(),
        AIRBRAKE,
        &format!("api/v3/projects/{}/notices", settings.project_id),
        vec![("Authorization", format!("Bearer {project_key}"))],
    )?;
    Ok(Arc::new(AirbrakeTracker { origin, post }))
}

struct AirbrakeTracker {
    origin: Origin,
    post: JsonEndpoint,
}

impl Destination for AirbrakeTracker {
    fn name(&self) -> &str {
        "airbrake"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            match self.post.send(parcel.body().to_vec(), &[]).await {
                Ok(reply) => classify(&reply),
                Err(failure) => failure,
            }
        })
    }
}

impl Tracker for AirbrakeTracker {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        report.as_ref().map(|report| {
            // Text and numbers always serialize.
            fit(MOST_BYTES, |size| {
                serde_json::to_vec(&notice(report, &self.origin, size)).unwrap_or_default()
            })
        })
    }
}

/// Airbrake has its own header for the duration of its rate limit.
fn classify(reply: &HttpReply) -> Delivery {
    let asked = reply
        .headers
        .get("x-ratelimit-delay")
        .and_then(|v| v.to_str().ok()?.parse().ok());
    reply
        .classify()
        .wait_at_least(asked.map(Duration::from_secs))
}

fn notice(report: &Report, origin: &Origin, size: ReportSize) -> Value {
    let causes = report.chain.iter().take(size.causes);
    let causes = causes.map(|text| error("cause", text, &[], size));
    let first = error(&report.type_name, &report.message, &report.frames, size);
    let name = |text: &str| truncate(text, 255);
    let mut context = json!({
        "notifier": {"name": "llm-observe", "version": env!("CARGO_PKG_VERSION"), "url": env!("CARGO_PKG_REPOSITORY")},
        "environment": name(&origin.environment),
        "severity": if report.outcome == Outcome::Panic { "critical" } else { "error" },
        "hostname": name(&origin.host),
        "version": name(&origin.release),
        "language": "Rust",
        "os": std::env::consts::OS,
        "component": name(&report.event),
        "action": name(&report.function),
        "history": history(report, size),
    });
    if let (Some(request), Some(context)) = (&report.request, context.as_object_mut()) {
        context.insert("httpMethod".to_owned(), name(&request.method).into());
        context.insert("route".to_owned(), name(&request.route).into());
        context.insert("url".to_owned(), report.url().into());
    }
    json!({
        "errors": std::iter::once(first).chain(causes).collect::<Vec<_>>(),
        "context": context,
        "environment": {},
        "session": {},
        "params": report.details(size),
    })
}

/// The breadcrumbs, in the form of Airbrake's browser client.
fn history(report: &Report, size: ReportSize) -> Vec<Value> {
    let breadcrumb = |breadcrumb: &Breadcrumb| {
        json!({
            "type": "log",
            "severity": breadcrumb.level.as_str().to_lowercase(),
            "date": rfc3339(breadcrumb.time),
            "arguments": [truncate(&format!("{}: {}", breadcrumb.category, breadcrumb.message), size.text)],
        })
    };
    report.latest_breadcrumbs(size).map(breadcrumb).collect()
}

fn error(kind: &str, text: &str, frames: &[Frame], size: ReportSize) -> Value {
    let frame = |frame: &Frame| json!({"file": truncate(&frame.file, size.name), "function": truncate(&frame.function, size.name), "line": frame.line});
    json!({
        "type": truncate(kind, size.name),
        "message": truncate(text, size.text),
        "backtrace": frames.iter().take(size.frames).map(frame).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
