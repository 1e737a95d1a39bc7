//! Rollbar: `POST /api/1/item/` (docs.rollbar.com, "Create an item"), as its own clients send it.

use std::sync::Arc;

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
        DeliveryFuture, Destination, Parcel, http::JsonEndpoint, origin::Origin, text::truncate,
    },
    redact::Redacted,
};

const ROLLBAR: &str = "https://api.rollbar.com";
/// The longest name, in characters: Rollbar documents 255 for the environment and the context.
const MOST_NAME: usize = 255;
/// The limit of Rollbar's own clients before they raised it to 1 MB.
const MOST_BYTES: usize = 512_000;

/// Returns the tracker of a Rollbar project.
///
/// # Errors
///
/// When the access token or the URL cannot be read, or the URL is invalid.
pub(crate) fn tracker(
    settings: &config::Rollbar,
    origin: Origin,
) -> Result<Arc<dyn Tracker>, Error> {
    let token = settings
        .access_token
        .read()
        .map_err(|e| Error::with("trackers.rollbar.access_token", e))?;
    let post = JsonEndpoint::below(
        "trackers.rollbar.url",
        settings.url.as_ref(),
        ROLLBAR,
        "api/1/item/",
        vec![("X-Rollbar-Access-Token", token)],
    )?;
    Ok(Arc::new(RollbarTracker { origin, post }))
}

struct RollbarTracker {
    origin: Origin,
    post: JsonEndpoint,
}

impl Destination for RollbarTracker {
    fn name(&self) -> &str {
        "rollbar"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(self.post.deliver(parcel.body().to_vec()))
    }
}

impl Tracker for RollbarTracker {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        let id = report.id();
        report.as_ref().map(|report| {
            // Text and numbers always serialize.
            fit(MOST_BYTES, |size| {
                serde_json::to_vec(&item(report, &self.origin, &id, size)).unwrap_or_default()
            })
        })
    }
}

fn item(report: &Report, origin: &Origin, id: &str, size: ReportSize) -> Value {
    let environment = if origin.environment.is_empty() {
        "production"
    } else {
        &origin.environment
    };
    let mut item = json!({"data": {
        "environment": truncate(environment, MOST_NAME),
        "body": {"trace_chain": traces(report, size), "telemetry": telemetry(report, size)},
        "level": if report.outcome == Outcome::Panic { "critical" } else { "error" },
        "timestamp": report.time / 1_000_000,
        "code_version": truncate(&origin.release, MOST_NAME),
        "platform": std::env::consts::OS,
        "language": "rust",
        "framework": origin.service,
        "context": truncate(&report.function, MOST_NAME),
        "uuid": id,
        "fingerprint": truncate(&format!("{}/{}/{}", report.event, report.type_name, report.class), 40_000),
        "title": truncate(&format!("{}: {}", report.type_name, report.message), MOST_NAME),
        "server": {"host": origin.host},
        "custom": report.details(size),
        "notifier": {"name": "llm-observe", "version": env!("CARGO_PKG_VERSION")},
    }});
    let data = item.get_mut("data").and_then(Value::as_object_mut);
    if let (Some(request), Some(data)) = (request(report), data) {
        data.insert("request".to_owned(), request);
    }
    item
}

fn request(report: &Report) -> Option<Value> {
    let method = truncate(&report.request.as_ref()?.method, MOST_NAME);
    Some(json!({"url": report.url(), "method": method}))
}

/// The breadcrumbs, in the form of Rollbar's browser client (docs.rollbar.com, "Telemetry").
fn telemetry(report: &Report, size: ReportSize) -> Vec<Value> {
    let breadcrumb = |breadcrumb: &Breadcrumb| {
        json!({
            "level": level(breadcrumb.level),
            "type": "log",
            "source": "server",
            "timestamp_ms": breadcrumb.time / 1_000,
            "body": {"message": truncate(&format!("{}: {}", breadcrumb.category, breadcrumb.message), size.text)},
        })
    };
    report.latest_breadcrumbs(size).map(breadcrumb).collect()
}

fn level(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warning",
        _ => "info",
    }
}

/// Returns the error, then its causes.
fn traces(report: &Report, size: ReportSize) -> Vec<Value> {
    let trace = |kind: &str, text: &str, frames: &[Frame]| {
        // Rollbar expects the outermost frame first.
        let frames = frames.iter().take(size.frames).rev();
        let frames: Vec<Value> = frames.map(|one| frame(one, size)).collect();
        json!({"frames": frames, "exception": {"class": truncate(kind, size.name), "message": truncate(text, size.text)}})
    };
    let causes = report
        .chain
        .iter()
        .take(size.causes)
        .map(|text| trace("cause", text, &[]));
    std::iter::once(trace(&report.type_name, &report.message, &report.frames))
        .chain(causes)
        .collect()
}

fn frame(frame: &Frame, size: ReportSize) -> Value {
    let file = if frame.file.is_empty() {
        "<unknown>"
    } else {
        &frame.file
    };
    json!({"filename": truncate(file, size.name), "lineno": frame.line, "colno": frame.column, "method": truncate(&frame.function, size.name)})
}

#[cfg(test)]
mod tests;
