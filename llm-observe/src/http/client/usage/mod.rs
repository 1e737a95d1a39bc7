//! Reads what a model's answer says of itself while it passes by: tokens, model, id, finish
//! reasons, an error's code. Pure: takes chunks of a body, keeps a few of its values and nothing
//! else of it.
//!
//! Takes the JSON answers of OpenAI-compatible servers (chat, completions, embeddings,
//! responses) and of Anthropic, and the same as a stream of server-sent events.

mod json;
mod sse;
mod tokens;

pub(crate) use tokens::Usage;

use json::{Scanner, Target};
use sse::Events;

/// The most finish reasons that are kept: one for each choice asked for.
const MOST_REASONS: usize = 4;

/// States that are no end.
const UNDER_WAY: [&[u8]; 2] = [b"in_progress", b"queued"];

/// Why an answer says nothing of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is none in it: a stream without `stream_options.include_usage`, for one.
    Absent,
    /// The body is compressed, and nothing above this decompresses it before it gets here.
    Encoded,
    /// It is neither JSON nor a stream of events.
    ContentType,
    /// It is there and cannot be read: larger than what is kept, or without a number.
    Unreadable,
}

impl Missing {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Missing::Absent => "absent",
            Missing::Encoded => "encoded",
            Missing::ContentType => "content_type",
            Missing::Unreadable => "unreadable",
        }
    }
}

/// What an answer says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) usage: Option<Usage>,
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) finish_reasons: Vec<String>,
    /// The code, or else the type, of an error in the answer.
    pub(crate) error_code: Option<String>,
    error_type: Option<String>,
    unreadable: bool,
}

impl Reading {
    /// Takes over one value that the scanner found; `None` for one it could not keep.
    fn take(&mut self, target: Target, value: Option<&[u8]>) {
        match target {
            Target::Usage => self.take_usage(value),
            Target::Model => replace(&mut self.model, value),
            Target::Id => replace(&mut self.id, value),
            Target::FinishReason => self.take_reason(value),
            Target::ErrorCode => replace(&mut self.error_code, value),
            Target::ErrorType => replace(&mut self.error_type, value),
        }
    }

    fn take_usage(&mut self, object: Option<&[u8]>) {
        match object.and_then(Usage::parse) {
            // Streams say it more than once, some with what is new only, some cumulatively.
            Some(usage) => self.usage.get_or_insert_default().update(usage),
            None => self.unreadable = true,
        }
    }

    fn take_reason(&mut self, value: Option<&[u8]>) {
        // What OpenAI's responses have for a reason is their state, from the start.
        let is_under_way = value.is_some_and(|value| UNDER_WAY.contains(&value));
        if !is_under_way && self.finish_reasons.len() < MOST_REASONS {
            self.finish_reasons.extend(value.and_then(text));
        }
    }

    /// Returns whether the answer was said to be at its end.
    pub(crate) fn is_over(&self) -> bool {
        !self.finish_reasons.is_empty()
    }

    /// Returns why there is no usage, where there is none.
    pub(crate) fn missing(&self) -> Option<Missing> {
        match self.usage {
            Some(_) => None,
            None if self.unreadable => Some(Missing::Unreadable),
            None => Some(Missing::Absent),
        }
    }
}

fn replace(place: &mut Option<String>, value: Option<&[u8]>) {
    if let Some(text) = value.and_then(text) {
        *place = Some(text);
    }
}

/// Returns the text of a JSON string, given without its quotes.
fn text(raw: &[u8]) -> Option<String> {
    if raw.contains(&b'\\') {
        let quoted = [b"\"", raw, b"\""].concat();
        return serde_json::from_slice(&quoted).ok();
    }
    String::from_utf8(raw.to_vec()).ok()
}

/// Reads one body, chunk by chunk.
pub(crate) struct Reader {
    form: Form,
    reading: Reading,
}

enum Form {
    Json(Scanner),
    Events(Events),
    Unread(Missing),
}

impl Reader {
    /// Returns the reader for a body with those headers; `encoding` is `content-encoding`.
    pub(crate) fn new(content_type: Option<&str>, encoding: Option<&str>) -> Reader {
        let form = match content_type.map(media_type) {
            Some(_) if encoding.is_some_and(is_encoded) => Form::Unread(Missing::Encoded),
            Some(media) if is_json(media) => Form::Json(Scanner::default()),
            Some(media) if media.eq_ignore_ascii_case("text/event-stream") => {
                Form::Events(Events::default())
            }
            _ => Form::Unread(Missing::ContentType),
        };
        let reading = Reading::default();
        Reader { form, reading }
    }

    /// Returns one that reads nothing, for that reason.
    pub(crate) fn unread(why: Missing) -> Reader {
        Reader {
            form: Form::Unread(why),
            reading: Reading::default(),
        }
    }

    /// Reads the next chunk.
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        let reading = &mut self.reading;
        let found = |target, value: Option<&[u8]>| reading.take(target, value);
        match &mut self.form {
            Form::Json(scanner) => scanner.feed(chunk, found),
            Form::Events(events) => events.feed(chunk, found),
            Form::Unread(_) => {}
        }
    }

    /// Returns whether a stream has brought its first data.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(&self.form, Form::Events(events) if events.has_begun())
    }

    /// Returns what was read, and why there is no usage where there is none.
    pub(crate) fn finish(mut self) -> (Reading, Option<Missing>) {
        let missing = match self.form {
            Form::Unread(why) => Some(why),
            Form::Json(_) | Form::Events(_) => self.reading.missing(),
        };
        let kind = self.reading.error_type.take();
        self.reading.error_code = self.reading.error_code.or(kind);
        (self.reading, missing)
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
