//! Slack's incoming webhooks: Block Kit within all its limits.
//!
//! Limits as in Slack's own SDK (slack_sdk 3.47 models): 50 blocks, header 150 characters,
//! section text 3,000, ten fields of 2,000, ten context elements; and one that is not
//! documented, about 13,200 characters over all blocks (slackapi/bolt-js#2509).

use std::{sync::Arc, time::Duration};

use llm_observe_config as config;
use serde_json::{Value, json};

use super::{
    channel::Channel,
    error_group::ErrorGroup,
    notice::{Notice, NoticeStatus, SuppressedAlert},
    text,
};
use crate::{
    error::Error,
    kernel::alert_rule::Severity,
    outbox::{
        Delivery, DeliveryFuture, Destination, Parcel,
        http::{HttpReply, JsonEndpoint},
    },
    redact::Redacted,
};

const MOST_HEADER: usize = 150;
const MOST_FIELD: usize = 300;
const MOST_ERROR: usize = 1_100;
const MOST_FALLBACK: usize = 600;

/// How many different errors a message shows. With [`MOST_ERROR`] characters each, the message stays
/// below the limit over all blocks.
const MOST_ERRORS: usize = 5;

/// The longest line of links; further links are left out.
const MOST_LINKS: usize = 2_000;

/// How many suppressed alerts a digest names.
const MOST_HELD: usize = 30;

/// Returns the channel `name` to an incoming webhook.
///
/// # Errors
///
/// When the webhook's URL cannot be read or is invalid.
pub(crate) fn channel(name: &str, slack: &config::Slack) -> Result<Arc<dyn Channel>, Error> {
    let secret = slack.webhook.read();
    let url = secret.map_err(|e| Error::with(format!("channels.{name}.webhook"), e))?;
    with_url(name, &url)
}

/// Returns the channel `name` to the incoming webhook at `url`.
pub(crate) fn with_url(name: &str, url: &str) -> Result<Arc<dyn Channel>, Error> {
    let post = JsonEndpoint::new(&format!("channels.{name}.webhook"), url, Vec::new())?;
    Ok(Arc::new(SlackChannel {
        name: name.to_owned(),
        post,
    }))
}

struct SlackChannel {
    name: String,
    post: JsonEndpoint,
}

impl Destination for SlackChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            let message = with_delay(parcel);
            match self.post.send(message.clone(), &[]).await {
                Ok(reply) if is_about_form(&reply) => self.plain(&message, &reply).await,
                Ok(reply) => classify(&reply),
                Err(failure) => failure,
            }
        })
    }
}

impl SlackChannel {
    /// Sends only the text of a message whose form was refused.
    async fn plain(&self, message: &[u8], refused: &HttpReply) -> Delivery {
        tracing::warn!(target: "llm_observe::outbox", destination = self.name, answer = refused.reason(), "Slack refused a message's form: its text is sent alone");
        let text = serde_json::from_slice::<Value>(message).unwrap_or_default();
        let plain = json!({"text": text.get("text")}).to_string();
        match self.post.send(plain.into_bytes(), &[]).await {
            Ok(reply) => classify(&reply),
            Err(failure) => failure,
        }
    }
}

/// Slack's `invalid_blocks`, `invalid_payload`, `msg_blocks_too_long`, `msg_too_long`.
fn is_about_form(reply: &HttpReply) -> bool {
    let words = ["block", "invalid_payload", "too_long"];
    reply.status == 400 && words.iter().any(|word| reply.body.contains(word))
}

impl Channel for SlackChannel {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        // Text and numbers always serialize.
        let encode = |notice| serde_json::to_vec(&message(notice)).unwrap_or_default();
        notice.as_ref().map(encode)
    }
}

/// Slack answers `ok` in the body. Its web API answers `"ok":false` with a status of 200.
fn classify(reply: &HttpReply) -> Delivery {
    let said = serde_json::from_str::<Value>(&reply.body).unwrap_or_default();
    let wait = said
        .get("retry_after")
        .and_then(Value::as_u64)
        .map(Duration::from_secs);
    match reply.classify() {
        Delivery::Delivered if said.get("ok") == Some(&Value::Bool(false)) => match wait {
            Some(wait) => Delivery::Retry {
                after: Some(wait),
                reason: reply.reason(),
            },
            None => Delivery::Refused {
                reason: reply.reason(),
            },
        },
        other => other.wait_at_least(wait),
    }
}

/// Returns the whole message.
fn message(notice: &Notice) -> Value {
    let title = format!("{} {}", icon(notice), notice.title());
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "text": escaped(&title, MOST_HEADER), "emoji": true},
    })];
    blocks.extend(match notice.status {
        NoticeStatus::Digest => digest(notice),
        _ => details(notice),
    });
    blocks.push(context(notice));
    json!({"text": fallback(notice, &title), "blocks": blocks})
}

fn icon(notice: &Notice) -> &'static str {
    match (notice.status, notice.severity) {
        (NoticeStatus::Resolved, _) => ":large_green_circle:",
        (NoticeStatus::Digest | NoticeStatus::Test, _) => ":information_source:",
        (_, Severity::Critical) => ":rotating_light:",
        (_, Severity::Error) => ":red_circle:",
        (_, Severity::Warning) => ":large_yellow_circle:",
        (_, Severity::Info) => ":large_blue_circle:",
    }
}

/// Returns the text that phone notifications and screen readers show.
fn fallback(notice: &Notice, title: &str) -> String {
    let first = notice
        .errors
        .first()
        .map(|e| format!(" - {}: {}", e.kind(), e.message));
    let place = format!(" [{} {}]", notice.service, notice.environment);
    escaped(
        &format!("{title}{}{place}", first.unwrap_or_default()),
        MOST_FALLBACK,
    )
}

fn details(notice: &Notice) -> Vec<Value> {
    let mut blocks = Vec::new();
    let fields = fields(notice);
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    blocks.extend(
        notice
            .errors
            .iter()
            .take(MOST_ERRORS)
            .map(|e| section(&error(e))),
    );
    let shown: u64 = notice
        .errors
        .iter()
        .take(MOST_ERRORS)
        .map(|e| e.count)
        .sum();
    let rest = notice.count.saturating_sub(shown);
    if rest > 0 && !notice.errors.is_empty() {
        blocks.push(section(&format!(
            "and {rest} more calls that failed in other ways"
        )));
    }
    let links = links(notice);
    if !links.is_empty() {
        blocks.push(section(&links));
    }
    blocks
}

fn fields(notice: &Notice) -> Vec<Value> {
    let functions = notice.functions.join(", ");
    let classes = classes(notice);
    let rows = [
        ("Function", functions),
        ("Kind", classes),
        (
            "Severity",
            if notice.functions.is_empty() {
                String::new()
            } else {
                notice.severity.to_string()
            },
        ),
        (
            "Calls",
            if notice.count > 0 {
                notice.count.to_string()
            } else {
                String::new()
            },
        ),
        ("Began", text::time(notice.first)),
        (
            "Last",
            if notice.last > notice.first {
                text::time(notice.last)
            } else {
                String::new()
            },
        ),
        ("Trace", notice.trace_id.clone()),
        ("One of the calls", attributes(notice)),
    ];
    let field = |(label, value): (&str, String)| json!({"type": "mrkdwn", "text": format!("*{label}*\n{}", escaped(&value, MOST_FIELD))});
    rows.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(field)
        .collect()
}

/// Returns what one of the calls shows of its operation: `model=gpt-4o in=812 out=203 cost=$0.0041`.
fn attributes(notice: &Notice) -> String {
    let all = notice.attributes.iter();
    let all: Vec<_> = all.map(|(name, value)| format!("{name}={value}")).collect();
    all.join(" ")
}

fn classes(notice: &Notice) -> String {
    let mut classes: Vec<&str> = notice
        .errors
        .iter()
        .filter_map(|e| e.class)
        .map(|c| c.as_str())
        .collect();
    classes.sort_unstable();
    classes.dedup();
    classes.join(", ")
}

/// Returns the error's type and number, and its text in a code block.
fn error(error: &ErrorGroup) -> String {
    let often = if error.count > 1 {
        format!("*{} ×* ", error.count)
    } else {
        String::new()
    };
    let head = format!(
        "{often}`{}` in `{}`",
        escaped(error.kind(), 200),
        escaped(&error.function, 200)
    );
    // Three backquotes would end the block.
    let text = error.message.replace("```", "'''");
    match text.trim() {
        "" => head,
        text => format!("{head}\n```{}```", escaped(text, MOST_ERROR)),
    }
}

fn digest(notice: &Notice) -> Vec<Value> {
    let line = |held: &SuppressedAlert| {
        let event = escaped(&held.event, 100);
        format!(
            "• *{event}* {} ({}), {}",
            held.status.as_str(),
            held.severity,
            text::calls(held.count)
        )
    };
    let mut lines: Vec<String> = notice.suppressed.iter().take(MOST_HELD).map(line).collect();
    let named = u64::try_from(lines.len()).unwrap_or_default();
    let rest = (u64::try_from(notice.suppressed.len()).unwrap_or_default() + notice.more)
        .saturating_sub(named);
    if rest > 0 {
        lines.push(format!("and {rest} more"));
    }
    lines
        .chunks(10)
        .map(|ten| section(&ten.join("\n")))
        .collect()
}

/// Returns the links that fit, each complete.
fn links(notice: &Notice) -> String {
    const BETWEEN: &str = "  ·  ";
    let mut out = String::new();
    let mut left = MOST_LINKS;
    for (label, url) in notice.links() {
        // `|` and `>` would end the link; a well-formed URL does not contain them.
        let url = escaped(&url.replace(['|', '<', '>'], ""), usize::MAX);
        let link = format!("<{url}|{label}>");
        let length = link.chars().count() + BETWEEN.len();
        if length > left {
            continue;
        }
        left -= length;
        if !out.is_empty() {
            out.push_str(BETWEEN);
        }
        out.push_str(&link);
    }
    out
}

fn context(notice: &Notice) -> Value {
    let place = [&notice.service, &notice.environment, &notice.host];
    let place: Vec<String> = place
        .into_iter()
        .filter(|p| !p.is_empty())
        .map(|p| escaped(p, 100))
        .collect();
    let place = if place.is_empty() {
        "llm-observe".to_owned()
    } else {
        place.join("  ·  ")
    };
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": place}]})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

/// Escapes as Slack requires (`&`, `<`, `>`, so that no text can mention a channel or make a link),
/// removes control characters, and truncates to `most` characters without splitting an escape.
fn escaped(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most));
    let mut left = most.saturating_sub(1);
    for c in text.chars() {
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c if c.is_control() && c != '\n' => continue,
            _ => "",
        };
        let length = piece.len().max(1);
        if length > left {
            out.push('…');
            break;
        }
        left -= length;
        if piece.is_empty() {
            out.push(c)
        } else {
            out.push_str(piece)
        }
    }
    out
}

/// Adds to a delayed message how late it is.
fn with_delay(parcel: &Parcel) -> Vec<u8> {
    let Some(late) = text::late(parcel) else {
        return parcel.body().to_vec();
    };
    let note = format!("delivered {late}");
    let marked = serde_json::from_slice::<Value>(parcel.body())
        .ok()
        .and_then(|mut message| {
            let blocks = message.get_mut("blocks")?.as_array_mut()?;
            let element = json!({"type": "mrkdwn", "text": format!(":hourglass: {note}")});
            blocks.push(json!({"type": "context", "elements": [element]}));
            serde_json::to_vec(&message).ok()
        });
    marked.unwrap_or_else(|| parcel.body().to_vec())
}

#[cfg(test)]
mod tests;
