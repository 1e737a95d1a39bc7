//! Reads a model's response as its body passes: tokens, model, id, finish reasons, the code of an
//! error. Pure: takes the chunks of a body, and keeps these values only.
//!
//! Supports the JSON of OpenAI-compatible servers (chat, completions, embeddings, responses) and of
//! Anthropic, and the same as a stream of server-sent events. Knows nothing of HTTP requests.

mod json;
mod sse;

use std::time::Duration;

use crate::genai::{
    FinishReasons,
    answer::Answer,
    json::{INCOMPLETE, TokenCounts, UNFINISHED},
};
use json::{ResponseField, Scanner};
use sse::EventStream;

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

/// What a model's response reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ModelResponse {
    pub(crate) usage: Option<TokenCounts>,
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) finish_reasons: Vec<String>,
    /// The code of an error in the response, or its type where there is no code.
    pub(crate) error_code: Option<String>,
    error_type: Option<String>,
    unreadable: bool,
    is_incomplete_explained: bool,
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
            ResponseField::IncompleteReason => self.explain_incomplete(value),
            ResponseField::ErrorCode => replace(&mut self.error_code, value),
            ResponseField::ErrorType => replace(&mut self.error_type, value),
        }
    }

    fn set_usage(&mut self, object: Option<&[u8]>) {
        let counts = |object| TokenCounts::of(&serde_json::from_slice(object).ok()?);
        match object.and_then(counts) {
            // Streams report usage more than once, some only what is new, some cumulatively.
            Some(usage) => self.usage.get_or_insert_default().update(usage),
            None => self.unreadable = true,
        }
    }

    fn add_finish_reason(&mut self, value: Option<&[u8]>) {
        // OpenAI's responses have a state in place of a reason, from the start.
        let is = |state: &&str| value == Some(state.as_bytes());
        let is_unfinished = UNFINISHED.iter().any(is);
        let is_explained = is(&INCOMPLETE) && self.is_incomplete_explained;
        let is_full = self.finish_reasons.len() >= FinishReasons::MAX;
        if !is_unfinished && !is_explained && !is_full {
            self.finish_reasons.extend(value.and_then(text));
        }
    }

    /// Takes the reason of a response that is incomplete in place of that state, whichever comes first.
    fn explain_incomplete(&mut self, value: Option<&[u8]>) {
        self.is_incomplete_explained = true;
        self.finish_reasons.retain(|reason| reason != INCOMPLETE);
        self.add_finish_reason(value);
    }

    /// Returns whether the response has reported its end.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_done || !self.finish_reasons.is_empty()
    }

    /// Returns what it says of the answer; `first_chunk`: when that began.
    pub(crate) fn answer(&self, first_chunk: Option<Duration>) -> Answer {
        Answer {
            model: self.model.clone(),
            id: self.id.clone(),
            finish_reasons: self.finish_reasons.clone(),
            usage: self.usage.map(|counts| counts.usage()),
            first_chunk,
            ..Answer::default()
        }
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
