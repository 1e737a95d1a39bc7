//! Airbrake: notices of API v3 (docs.airbrake.io), as its own clients send them, and what else
//! speaks it (Errbit).

use std::{sync::Arc, time::Duration};

use llm_observe_config as config;
use serde_json::{Value, json};

use super::{
    Answer, Breadcrumb, Delivery, Destination, Frame, Origin, Parcel, Report, Tracker,
    size::{Size, fit},
};
use crate::{
    alerts::{cut, rfc3339},
    error::Error,
    kernel::outcome::Outcome,
    outbox::http::{Post, Reply},
};

const AIRBRAKE: &str = "https://api.airbrake.io";
/// Airbrake takes 64,000 bytes.
const MOST_BYTES: usize = 64_000;

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
        fit(MOST_BYTES, |size| {
            serde_json::to_vec(&notice(report, &self.origin, size)).unwrap_or_default()
        })
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

fn notice(report: &Report, origin: &Origin, size: Size) -> Value {
    let causes = report.chain.iter().take(size.causes);
    let causes = causes.map(|text| error("cause", text, &[], size));
    let first = error(&report.type_name, &report.message, &report.frames, size);
    let name = |text: &str| cut(text, 255);
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

/// What came before, as Airbrake's browser client tells it.
fn history(report: &Report, size: Size) -> Vec<Value> {
    let crumb = |crumb: &Breadcrumb| {
        json!({
            "type": "log",
            "severity": crumb.level.as_str().to_lowercase(),
            "date": rfc3339(crumb.time),
            "arguments": [cut(&format!("{}: {}", crumb.category, crumb.message), size.text)],
        })
    };
    let latest = report.breadcrumbs.iter().rev().take(size.crumbs).rev();
    latest.map(crumb).collect()
}

fn error(kind: &str, text: &str, frames: &[Frame], size: Size) -> Value {
    let frame = |frame: &Frame| json!({"file": cut(&frame.file, size.name), "function": cut(&frame.function, size.name), "line": frame.line});
    json!({
        "type": cut(kind, size.name),
        "message": cut(text, size.text),
        "backtrace": frames.iter().take(size.frames).map(frame).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
