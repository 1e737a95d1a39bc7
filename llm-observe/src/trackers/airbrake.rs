//! Airbrake: notices of API v3 (docs.airbrake.io), as its own clients send them, and what else
//! speaks it (Errbit).

use std::{sync::Arc, time::Duration};

use llm_observe_config as config;
use serde_json::{Value, json};

use super::{Answer, Delivery, Destination, Frame, Origin, Parcel, Report, Tracker};
use crate::{
    alerts::cut,
    error::Error,
    outbox::http::{Post, Reply},
    outcome::Outcome,
};

const AIRBRAKE: &str = "https://api.airbrake.io";
/// Airbrake takes 64,000 bytes; with these limits an event of usual text stays below.
const MOST_BYTES: usize = 64_000;
const MOST_TEXT: usize = 4_000;
const MOST_CAUSES: usize = 5;

/// Returns the tracker of an Airbrake project.
///
/// # Errors
///
/// When the project's key or the URL cannot be read, or the URL is none.
pub(crate) fn tracker(
    settings: &config::Airbrake,
    origin: Origin,
) -> Result<Arc<dyn Tracker>, Error> {
    let project_key = settings
        .project_key
        .read()
        .map_err(|e| Error::with("trackers.airbrake.project_key", e))?;
    let key = "trackers.airbrake.url";
    let url = match &settings.url {
        Some(url) => url.read().map_err(|e| Error::with(key, e))?,
        None => AIRBRAKE.to_owned(),
    };
    let url = format!(
        "{}/api/v3/projects/{}/notices",
        url.trim_end_matches('/'),
        settings.project_id
    );
    let post = Post::new(
        key,
        &url,
        vec![("Authorization", format!("Bearer {project_key}"))],
    )?;
    Ok(Arc::new(Airbrake { origin, post }))
}

struct Airbrake {
    origin: Origin,
    post: Post,
}

impl Destination for Airbrake {
    fn name(&self) -> &str {
        "airbrake"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        Box::pin(async move {
            match self.post.send(parcel.body.clone(), &[]).await {
                Ok(reply) => judge(&reply),
                Err(failure) => failure,
            }
        })
    }
}

impl Tracker for Airbrake {
    fn encode(&self, report: &Report) -> Vec<u8> {
        // Text and numbers: nothing that JSON could refuse.
        let whole = serde_json::to_vec(&notice(report, &self.origin, true)).unwrap_or_default();
        if whole.len() <= MOST_BYTES {
            return whole;
        }
        serde_json::to_vec(&notice(report, &self.origin, false)).unwrap_or_default()
    }
}

/// Airbrake says in a header of its own how long its limit lasts.
fn judge(reply: &Reply) -> Delivery {
    let asked = reply
        .headers
        .get("x-ratelimit-delay")
        .and_then(|v| v.to_str().ok()?.parse().ok());
    match reply.judge() {
        Delivery::Retry { after, reason } => Delivery::Retry {
            after: after.max(asked.map(Duration::from_secs)),
            reason,
        },
        other => other,
    }
}

/// `whole`: with what was recorded and the causes; without, where that is too large.
fn notice(report: &Report, origin: &Origin, whole: bool) -> Value {
    let causes = report
        .chain
        .iter()
        .take(if whole { MOST_CAUSES } else { 0 });
    let causes = causes.map(|text| error("cause", text, &[]));
    let first = error(&report.type_name, &report.message, &report.frames);
    json!({
        "errors": std::iter::once(first).chain(causes).collect::<Vec<_>>(),
        "context": {
            "notifier": {"name": "llm-observe", "version": env!("CARGO_PKG_VERSION"), "url": env!("CARGO_PKG_REPOSITORY")},
            "environment": origin.environment,
            "severity": if report.outcome == Outcome::Panic { "critical" } else { "error" },
            "hostname": origin.host,
            "version": origin.release,
            "language": "Rust",
            "os": std::env::consts::OS,
            "component": report.event,
            "action": report.function,
        },
        "environment": {},
        "session": {},
        "params": if whole { report.details() } else { json!({}) },
    })
}

fn error(kind: &str, text: &str, frames: &[Frame]) -> Value {
    let frame =
        |frame: &Frame| json!({"file": frame.file, "function": frame.function, "line": frame.line});
    json!({
        "type": cut(kind, 255),
        "message": cut(text, MOST_TEXT),
        "backtrace": frames.iter().map(frame).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
