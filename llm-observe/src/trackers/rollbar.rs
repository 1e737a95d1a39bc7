//! Rollbar: `POST /api/1/item/` (docs.rollbar.com, "Create an item"), as its own clients send it.

use std::sync::Arc;

use llm_observe_config as config;
use serde_json::{Value, json};

use super::{Answer, Destination, Frame, Origin, Parcel, Report, Tracker};
use crate::{alerts::cut, error::Error, outbox::http::Post, outcome::Outcome};

const ROLLBAR: &str = "https://api.rollbar.com";
/// Limits of names, and of texts: Rollbar documents 255 for the environment and the context.
const MOST_NAME: usize = 255;
const MOST_TEXT: usize = 8_000;
const MOST_CAUSES: usize = 20;

/// Returns the tracker of a Rollbar project.
///
/// # Errors
///
/// When the access token or the URL cannot be read, or the URL is none.
pub(crate) fn tracker(
    settings: &config::Rollbar,
    origin: Origin,
) -> Result<Arc<dyn Tracker>, Error> {
    let token = settings
        .access_token
        .read()
        .map_err(|e| Error::with("trackers.rollbar.access_token", e))?;
    let key = "trackers.rollbar.url";
    let url = match &settings.url {
        Some(url) => url.read().map_err(|e| Error::with(key, e))?,
        None => ROLLBAR.to_owned(),
    };
    let url = format!("{}/api/1/item/", url.trim_end_matches('/'));
    let post = Post::new(key, &url, vec![("X-Rollbar-Access-Token", token)])?;
    Ok(Arc::new(Rollbar { origin, post }))
}

struct Rollbar {
    origin: Origin,
    post: Post,
}

impl Destination for Rollbar {
    fn name(&self) -> &str {
        "rollbar"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        Box::pin(self.post.deliver(parcel.body.clone()))
    }
}

impl Tracker for Rollbar {
    fn encode(&self, report: &Report) -> Vec<u8> {
        // Text and numbers: nothing that JSON could refuse.
        serde_json::to_vec(&item(report, &self.origin)).unwrap_or_default()
    }
}

fn item(report: &Report, origin: &Origin) -> Value {
    let environment = if origin.environment.is_empty() {
        "production"
    } else {
        &origin.environment
    };
    json!({"data": {
        "environment": cut(environment, MOST_NAME),
        "body": {"trace_chain": traces(report)},
        "level": if report.outcome == Outcome::Panic { "critical" } else { "error" },
        "timestamp": report.time / 1_000_000,
        "code_version": origin.release,
        "platform": std::env::consts::OS,
        "language": "rust",
        "framework": origin.service,
        "context": cut(&report.function, MOST_NAME),
        "uuid": report.id(),
        "fingerprint": cut(&format!("{}/{}/{}", report.event, report.type_name, report.class), 40_000),
        "title": cut(&format!("{}: {}", report.type_name, report.message), MOST_NAME),
        "server": {"host": origin.host},
        "custom": report.details(),
        "notifier": {"name": "llm-observe", "version": env!("CARGO_PKG_VERSION")},
    }})
}

/// The error, then its causes.
fn traces(report: &Report) -> Vec<Value> {
    let trace = |kind: &str, text: &str, frames: &[Frame]| {
        // Rollbar wants the outermost frame first.
        let frames: Vec<Value> = frames.iter().rev().map(frame).collect();
        json!({"frames": frames, "exception": {"class": cut(kind, MOST_NAME), "message": cut(text, MOST_TEXT)}})
    };
    let causes = report
        .chain
        .iter()
        .take(MOST_CAUSES)
        .map(|text| trace("cause", text, &[]));
    std::iter::once(trace(&report.type_name, &report.message, &report.frames))
        .chain(causes)
        .collect()
}

fn frame(frame: &Frame) -> Value {
    let file = if frame.file.is_empty() {
        "<unknown>"
    } else {
        &frame.file
    };
    json!({"filename": file, "lineno": frame.line, "colno": frame.column, "method": frame.function})
}

#[cfg(test)]
mod tests;
