//! The content of messages, where `[genai] capture` asks for it: in the JSON form of the conventions, with
//! secrets taken out, and of bounded length.

use llm_observe_config::{Capture, Genai};
use serde_json::{Map, Value, json};

use super::content_type::RawContent;
use crate::{
    kernel::pool::prefix,
    redact::{MARK, Redactor},
};

/// How many messages of a conversation are kept, the last ones.
const MOST_MESSAGES: usize = 64;

/// How deep a value is looked into.
const DEEPEST: usize = 32;

/// What is looked at beyond the end of a text: a secret that the end cuts in two is still recognised.
const BEYOND: usize = 4 << 10;

/// The longest role, type or reason.
const LONGEST_NAME: usize = 64;

/// What is captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct CaptureSettings {
    pub(super) input: bool,
    pub(super) output: bool,
    /// Of each message.
    max_bytes: usize,
}

impl CaptureSettings {
    pub(super) fn new(config: &Genai) -> CaptureSettings {
        CaptureSettings {
            input: matches!(config.capture, Capture::Input | Capture::Both),
            output: matches!(config.capture, Capture::Output | Capture::Both),
            max_bytes: usize::try_from(config.capture_max_bytes).unwrap_or(usize::MAX),
        }
    }
}

/// The messages of an operation.
#[derive(Debug, Default)]
pub(super) struct Content {
    input: Option<RawContent>,
    output: Option<RawContent>,
    /// The text of the chunks of a stream.
    chunks: String,
    /// Both in their final form; empty for none.
    pub(super) shown_input: String,
    pub(super) shown_output: String,
}

impl Content {
    pub(super) fn set_input(&mut self, raw: RawContent) {
        self.input = Some(raw);
    }

    pub(super) fn set_output(&mut self, raw: RawContent) {
        self.output = Some(raw);
    }

    /// Adds the text of a chunk, as far as it is kept.
    pub(super) fn add_chunk(&mut self, raw: RawContent, settings: CaptureSettings) {
        let text = match raw {
            RawContent::Json(Value::Null) | RawContent::Unknown(_) => return,
            raw => plain(raw),
        };
        let most = settings.max_bytes.saturating_add(BEYOND);
        let left = most.saturating_sub(self.chunks.len());
        self.chunks.push_str(prefix(&text, left));
    }

    /// Brings both into their final form. `is_messages`: that of messages, else text or plain JSON.
    pub(super) fn finish(
        &mut self,
        is_messages: bool,
        reason: Option<&str>,
        settings: CaptureSettings,
        redactor: &Redactor,
    ) {
        if !self.chunks.is_empty() && self.output.is_none() {
            self.output = Some(RawContent::Text(std::mem::take(&mut self.chunks)));
        }
        let cut = Cut { settings, redactor };
        let show = |raw: Option<RawContent>, role, reason| match raw {
            None => String::new(),
            Some(raw) if is_messages => cut.messages(raw, role, reason),
            Some(raw) => cut.plain(raw),
        };
        self.shown_input = show(self.input.take(), "user", None);
        self.shown_output = show(self.output.take(), "assistant", reason);
    }
}

/// Takes out secrets, and what is too long.
struct Cut<'a> {
    settings: CaptureSettings,
    redactor: &'a Redactor,
}

impl Cut<'_> {
    fn messages(&self, raw: RawContent, role: &str, reason: Option<&str>) -> String {
        let mut messages = messages(raw, role);
        let surplus = messages.len().saturating_sub(MOST_MESSAGES);
        messages.drain(..surplus);
        for message in &mut messages {
            if let (Some(reason), Some(message)) = (reason, message.as_object_mut()) {
                message
                    .entry("finish_reason")
                    .or_insert_with(|| reason.into());
            }
            let mut left = self.settings.max_bytes;
            self.value("", message, &mut left, 0);
        }
        match messages.is_empty() {
            true => String::new(),
            false => Value::from(messages).to_string(),
        }
    }

    fn plain(&self, raw: RawContent) -> String {
        let mut left = self.settings.max_bytes;
        match raw {
            RawContent::Json(mut value @ (Value::Array(_) | Value::Object(_))) => {
                self.value("", &mut value, &mut left, 0);
                value.to_string()
            }
            RawContent::Json(Value::Null) => String::new(),
            raw => self.text("", &plain(raw), &mut left),
        }
    }

    /// Cuts `value`, which is under `name`; takes the bytes that are kept from `left`.
    fn value(&self, name: &str, value: &mut Value, left: &mut usize, depth: usize) {
        match value {
            _ if depth > DEEPEST => *value = Value::Null,
            Value::String(text) if is_structure(name) => {
                *text = self.text("", text, &mut LONGEST_NAME.clone());
            }
            Value::String(text) => *text = self.text(name, text, left),
            Value::Array(items) => {
                let mut kept = 0;
                for item in &mut *items {
                    if *left == 0 {
                        break;
                    }
                    self.value(name, item, left, depth + 1);
                    *left = left.saturating_sub(1);
                    kept += 1;
                }
                items.truncate(kept);
            }
            Value::Object(members) => self.members(members, left, depth),
            Value::Number(_) if self.redactor.hides_number(name) => *value = MARK.into(),
            _ => *left = left.saturating_sub(8),
        }
    }

    fn members(&self, members: &mut Map<String, Value>, left: &mut usize, depth: usize) {
        members.retain(|name, value| {
            let keeps = *left > 0 || is_structure(name);
            if keeps {
                // Of a message of text, the text alone counts.
                let counts = !is_structure(name) && name != "content";
                *left -= if counts { name.len().min(*left) } else { 0 };
                self.value(name, value, left, depth + 1);
            }
            keeps
        });
    }

    fn text(&self, name: &str, text: &str, left: &mut usize) -> String {
        let seen = prefix(text, left.saturating_add(BEYOND));
        let clean = match name {
            "" | "content" => self.redactor.redact(seen),
            name => self.redactor.redact_field(name, seen),
        };
        let kept = prefix(&clean, *left);
        *left -= kept.len().min(*left);
        kept.to_owned()
    }
}

/// Returns whether a member says what a message is, and not what is in it. These stay.
fn is_structure(name: &str) -> bool {
    matches!(name, "role" | "type" | "finish_reason" | "parts")
}

/// Returns messages in the form of the conventions.
fn messages(raw: RawContent, role: &str) -> Vec<Value> {
    match raw {
        RawContent::Json(Value::Null) => Vec::new(),
        RawContent::Json(Value::Array(all)) if all.iter().all(has_role) => {
            all.into_iter().map(message).collect()
        }
        RawContent::Json(one) if has_role(&one) => vec![message(one)],
        raw => vec![json!({ "role": role, "parts": [text_part(&plain(raw))] })],
    }
}

fn has_role(value: &Value) -> bool {
    value.get("role").is_some_and(Value::is_string)
}

/// Returns a message as it is, or one with `content`, as most APIs have it, in the form of the conventions.
fn message(mut message: Value) -> Value {
    let Some(members) = message.as_object_mut() else {
        return message;
    };
    if !members.contains_key("parts") {
        let parts = match members.remove("content") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(parts)) => parts.into_iter().map(part).collect(),
            Some(content) => vec![part(content)],
        };
        members.insert("parts".to_owned(), parts.into());
    }
    message
}

fn part(part: Value) -> Value {
    match &part {
        Value::String(text) => text_part(text),
        part => match part.get("text").and_then(Value::as_str) {
            Some(text) => text_part(text),
            None => part.clone(),
        },
    }
}

fn text_part(text: &str) -> Value {
    json!({ "type": "text", "content": text })
}

fn plain(raw: RawContent) -> String {
    match raw {
        RawContent::Text(text) | RawContent::Json(Value::String(text)) => text,
        RawContent::Json(value) => value.to_string(),
        RawContent::Unknown(name) => format!("({name} is no text and does not serialize)"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(raw: RawContent, max_bytes: usize) -> String {
        let settings = CaptureSettings {
            input: true,
            output: true,
            max_bytes,
        };
        let mut content = Content::default();
        content.set_input(raw);
        content.finish(true, None, settings, &Redactor::default());
        content.shown_input
    }

    #[test]
    fn what_most_apis_take_becomes_the_form_of_the_conventions() {
        let text = |role: &str, text: &str| json!({"role": role, "parts": [{"type": "text", "content": text}]});
        for (raw, wanted) in [
            (
                RawContent::Text("why?".into()),
                json!([text("user", "why?")]),
            ),
            (
                RawContent::Json(json!("why?")),
                json!([text("user", "why?")]),
            ),
            (
                RawContent::Json(json!([
                    {"role": "system", "content": "be brief"},
                    {"role": "user", "content": [{"type": "text", "text": "why?"}]},
                    {"role": "assistant", "content": null},
                ])),
                json!([
                    text("system", "be brief"),
                    text("user", "why?"),
                    {"role": "assistant", "parts": []},
                ]),
            ),
            (
                RawContent::Json(json!([text("tool", "42")])),
                json!([text("tool", "42")]),
            ),
            (
                RawContent::Json(json!({"a": 1})),
                json!([text("user", "{\"a\":1}")]),
            ),
        ] {
            let shown: Value = serde_json::from_str(&shown(raw, 100)).unwrap();
            assert_eq!(shown, wanted);
        }
        assert_eq!(shown(RawContent::Json(Value::Null), 100), "");
    }

    #[test]
    fn each_message_is_cut_at_a_character_and_secrets_are_out_first() {
        let text = shown(RawContent::Text("ééé".into()), 3);
        assert!(text.contains("\"content\":\"é\""), "{text}");
        let key = format!("sk-proj-{}", "aB3dE5".repeat(6));
        for max_bytes in [10, 20, 1_000] {
            let text = shown(RawContent::Text(format!("key: {key} {key}")), max_bytes);
            assert!(!text.contains("sk-proj-a"), "{max_bytes}: {text}");
        }
        let call = json!([{"role": "assistant", "parts": [
            {"type": "tool_call", "arguments": {"password": "hunter2hunter2", "city": "Bern"}}]}]);
        let text = shown(RawContent::Json(call), 1_000);
        assert!(!text.contains("hunter2") && text.contains("Bern"), "{text}");
        let many: Vec<_> = (0..1_000)
            .map(|n| json!({"role": "user", "content": n}))
            .collect();
        let text = shown(RawContent::Json(many.into()), 100);
        assert_eq!(text.matches("role").count(), MOST_MESSAGES);
        assert!(text.contains("999"), "the last ones");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec(("(role|parts|content|text|type|[a-z]{1,9})", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_is_too_strange(value in any_json(), max_bytes in 1_usize..200) {
            let text = shown(RawContent::Json(value), max_bytes);
            prop_assert!(text.is_empty() || serde_json::from_str::<Value>(&text).unwrap().is_array());
        }
    }
}
