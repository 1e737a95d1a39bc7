//! Reads a model's response as its body passes: tokens, model, id, finish reasons, the code of an
//! error. Pure: takes the chunks of a body, and keeps these values only.
//!
//! Supports the JSON of OpenAI-compatible servers (chat, completions, embeddings, responses) and of
//! Anthropic, and the same as a stream of server-sent events. Knows nothing of HTTP requests.

mod json;
mod sse;
mod tokens;

use json::{ResponseField, Scanner};
use sse::EventStream;
use tokens::TokenUsage;

/// The most finish reasons that are kept. Each requested choice has one.
const MAX_FINISH_REASONS: usize = 4;

/// States of a response that has not finished.
const UNFINISHED: [&[u8]; 2] = [b"in_progress", b"queued"];

/// Why the tokens of a response are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsageMissing {
    /// The response has none. An example is a stream without `stream_options.include_usage`.
    Absent,
    /// The body is compressed.
    Encoded,
    /// The body is neither JSON nor a stream of events.
    ContentType,
    /// The usage is larger than the limit, or has no numbers.
    Unreadable,
}

impl UsageMissing {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            UsageMissing::Absent => "absent",
            UsageMissing::Encoded => "encoded",
            UsageMissing::ContentType => "content_type",
            UsageMissing::Unreadable => "unreadable",
        }
    }
}

/// What a model's response reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ModelResponse {
    pub(crate) usage: Option<TokenUsage>,
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) finish_reasons: Vec<String>,
    /// The code of an error in the response, or its type where there is no code.
    pub(crate) error_code: Option<String>,
    error_type: Option<String>,
    unreadable: bool,
    /// Whether the last event of a stream has passed.
    pub(crate) is_done: bool,
}

impl ModelResponse {
    /// Sets a value that the scanner found; `None` for one that is too long.
    fn set(&mut self, field: ResponseField, value: Option<&[u8]>) {
        match field {
            ResponseField::Usage => self.set_usage(value),
            ResponseField::Model => replace(&mut self.model, value),
            ResponseField::Id => replace(&mut self.id, value),
            ResponseField::FinishReason => self.add_finish_reason(value),
            ResponseField::ErrorCode => replace(&mut self.error_code, value),
            ResponseField::ErrorType => replace(&mut self.error_type, value),
        }
    }

    fn set_usage(&mut self, object: Option<&[u8]>) {
        match object.and_then(TokenUsage::parse) {
            // Streams report usage more than once, some only what is new, some cumulatively.
            Some(usage) => self.usage.get_or_insert_default().update(usage),
            None => self.unreadable = true,
        }
    }

    fn add_finish_reason(&mut self, value: Option<&[u8]>) {
        // OpenAI's responses have a state in place of a reason, from the start.
        let is_unfinished = value.is_some_and(|value| UNFINISHED.contains(&value));
        if !is_unfinished && self.finish_reasons.len() < MAX_FINISH_REASONS {
            self.finish_reasons.extend(value.and_then(text));
        }
    }

    /// Returns whether the response has reported its end.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_done || !self.finish_reasons.is_empty()
    }

    /// Returns why there is no usage; `None` where there is one.
    fn usage_missing(&self) -> Option<UsageMissing> {
        match self.usage {
            Some(_) => None,
            None if self.unreadable => Some(UsageMissing::Unreadable),
            None => Some(UsageMissing::Absent),
        }
    }
}

fn replace(field: &mut Option<String>, value: Option<&[u8]>) {
    if let Some(text) = value.and_then(text) {
        *field = Some(text);
    }
}

/// Decodes a JSON string that is given without its quotes.
fn text(raw: &[u8]) -> Option<String> {
    if raw.contains(&b'\\') {
        let quoted = [b"\"", raw, b"\""].concat();
        return serde_json::from_slice(&quoted).ok();
    }
    String::from_utf8(raw.to_vec()).ok()
}

/// Reads one body, chunk by chunk.
pub(crate) struct ModelResponseReader {
    format: BodyFormat,
    response: ModelResponse,
}

enum BodyFormat {
    Json(Scanner),
    Events(EventStream),
    Unread(UsageMissing),
}

impl ModelResponseReader {
    /// Returns the reader of a body with these headers. `encoding` is `content-encoding`.
    pub(crate) fn new(content_type: Option<&str>, encoding: Option<&str>) -> ModelResponseReader {
        let format = match content_type.map(media_type) {
            Some(_) if encoding.is_some_and(is_encoded) => {
                BodyFormat::Unread(UsageMissing::Encoded)
            }
            Some(media) if is_json(media) => BodyFormat::Json(Scanner::default()),
            Some(media) if media.eq_ignore_ascii_case("text/event-stream") => {
                BodyFormat::Events(EventStream::default())
            }
            _ => BodyFormat::Unread(UsageMissing::ContentType),
        };
        ModelResponseReader {
            format,
            response: ModelResponse::default(),
        }
    }

    /// Returns a reader that ignores its body, for that reason.
    pub(crate) fn unread(reason: UsageMissing) -> ModelResponseReader {
        ModelResponseReader {
            format: BodyFormat::Unread(reason),
            response: ModelResponse::default(),
        }
    }

    /// Reads the next chunk.
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        let response = &mut self.response;
        let found = |field, value: Option<&[u8]>| response.set(field, value);
        match &mut self.format {
            BodyFormat::Json(scanner) => scanner.feed(chunk, found),
            BodyFormat::Events(events) => events.feed(chunk, found),
            BodyFormat::Unread(_) => {}
        }
    }

    /// Returns whether the first data of a stream has passed.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(&self.format, BodyFormat::Events(events) if events.has_begun())
    }

    /// Returns the response, and why it has no usage, if it has none.
    pub(crate) fn finish(mut self) -> (ModelResponse, Option<UsageMissing>) {
        let missing = match self.format {
            BodyFormat::Unread(reason) => Some(reason),
            BodyFormat::Json(_) | BodyFormat::Events(_) => self.response.usage_missing(),
        };
        if let BodyFormat::Events(events) = &self.format {
            self.response.is_done = events.is_done();
        }
        let error_type = self.response.error_type.take();
        self.response.error_code = self.response.error_code.or(error_type);
        (self.response, missing)
    }
}

fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or(value).trim()
}

fn is_json(media: &str) -> bool {
    let lower = media.to_ascii_lowercase();
    lower == "application/json" || lower.ends_with("+json")
}

fn is_encoded(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && !value.eq_ignore_ascii_case("identity")
}

#[cfg(test)]
mod tests;
