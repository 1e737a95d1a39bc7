//! The table of shapes that a model's answer has as JSON: how each is recognised, without knowing the
//! provider, and where its values are. The formats of the counts are in `usage_formats`, with the pages
//! that both follow.

use serde_json::Value;

use super::counts::{Path, at};

/// One shape. A path may have [`EACH`] for all elements of an array.
pub(super) struct Shape {
    /// A value with any of these marks is of this shape.
    marks: &'static [Mark],
    /// Where the answer is in the value: events of some streams wrap it.
    within: Path,
    /// Where the object with the counts may be.
    pub(super) usage: &'static [Path],
    pub(super) model: Path,
    pub(super) id: &'static [Path],
    pub(super) reasons: &'static [Path],
    /// Whether the answer has a state, which is its reason to stop once it is final.
    pub(super) has_status: bool,
}

/// Stands in a path for every element of an array.
const EACH: &str = "*";

/// What a shape is recognised by.
enum Mark {
    /// There is something at this path.
    At(Path),
    /// There is something at each of these keys.
    Keys(&'static [&'static str]),
    /// The text at this key is this one.
    Text(&'static str, &'static str),
    /// The text at this key starts so.
    Starts(&'static str, &'static str),
}

use Mark::{At, Keys, Starts, Text};

const EMPTY: Shape = Shape {
    marks: &[],
    within: &[],
    usage: &[&["usage"]],
    model: &["model"],
    id: &[&["id"]],
    reasons: &[],
    has_status: false,
};

/// The shapes in the order in which they are looked for, from the most distinct to the most general.
const SHAPES: &[Shape] = &[
    // Chat and completions of OpenAI, and chunks of their streams. Groq has the usage of a stream in
    // `x_groq` (https://console.groq.com/docs/api-reference), Moonshot in the choice
    // (https://platform.moonshot.ai/docs/api/chat).
    Shape {
        marks: &[At(&["choices"])],
        usage: &[
            &["usage"],
            &["x_groq", "usage"],
            &["choices", EACH, "usage"],
        ],
        reasons: &[&["choices", EACH, "finish_reason"]],
        ..EMPTY
    },
    // Events of OpenAI's responses and of its realtime API; the response is in the first and last ones.
    // https://platform.openai.com/docs/api-reference/responses-streaming
    Shape {
        marks: &[Starts("type", "response.")],
        within: &["response"],
        has_status: true,
        ..EMPTY
    },
    Shape {
        marks: &[Text("object", "response")],
        has_status: true,
        ..EMPTY
    },
    // The many events of streams of Anthropic and Cohere with nothing but content: looked for early.
    Shape {
        marks: &[Starts("type", "content_"), Starts("type", "content-")],
        usage: &[],
        model: &[],
        id: &[],
        ..EMPTY
    },
    // Anthropic's stream begins with the message and ends with what changed of it.
    Shape {
        marks: &[Text("type", "message_start")],
        within: &["message"],
        reasons: &[&["stop_reason"]],
        ..EMPTY
    },
    Shape {
        marks: &[Text("type", "message"), Text("type", "message_delta")],
        reasons: &[&["stop_reason"], &["delta", "stop_reason"]],
        ..EMPTY
    },
    // Gemini, whose chunks look like its whole answers.
    Shape {
        marks: &[At(&["usageMetadata"]), At(&["candidates"])],
        usage: &[&["usageMetadata"]],
        model: &["modelVersion"],
        id: &[&["responseId"]],
        reasons: &[&["candidates", EACH, "finishReason"]],
        ..EMPTY
    },
    // Ollama: chat, generate, embed, and their chunks.
    Shape {
        marks: &[
            At(&["prompt_eval_count"]),
            Keys(&["model", "created_at", "done"]),
        ],
        usage: &[&[]],
        reasons: &[&["done_reason"]],
        id: &[],
        ..EMPTY
    },
    // Converse of Bedrock, and the events of ConverseStream, with the event's name around them or without.
    // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
    Shape {
        marks: &[
            At(&["stopReason"]),
            At(&["usage", "inputTokens"]),
            At(&["messageStop", "stopReason"]),
            At(&["metadata", "usage", "inputTokens"]),
        ],
        usage: &[&["usage"], &["metadata", "usage"]],
        model: &[],
        id: &[],
        reasons: &[&["stopReason"], &["messageStop", "stopReason"]],
        ..EMPTY
    },
    // Cohere: chat, its stream (https://docs.cohere.com/reference/chat-stream), and embeddings. Version 1
    // has the usage in `meta` too, and calls the id otherwise.
    Shape {
        marks: &[
            At(&["usage", "billed_units"]),
            At(&["usage", "tokens"]),
            At(&["meta", "billed_units"]),
            Text("type", "message-start"),
            Text("type", "message-end"),
        ],
        usage: &[&["usage"], &["delta", "usage"], &["meta"]],
        id: &[&["id"], &["generation_id"]],
        reasons: &[&["finish_reason"], &["delta", "finish_reason"]],
        ..EMPTY
    },
    // Embeddings of OpenAI, and whatever else has tokens where most providers have them.
    Shape {
        marks: &[
            At(&["usage", "prompt_tokens"]),
            At(&["usage", "input_tokens"]),
            At(&["usage", "output_tokens"]),
            At(&["usage", "completion_tokens"]),
            At(&["usage", "total_tokens"]),
        ],
        reasons: &[&["stop_reason"], &["finish_reason"]],
        ..EMPTY
    },
];

/// Returns the shape of `value`, and the answer in it.
pub(super) fn find(value: &Value) -> Option<(&'static Shape, &Value)> {
    let is_of = |shape: &&Shape| shape.marks.iter().any(|mark| mark.is_on(value));
    let shape = SHAPES.iter().find(is_of)?;
    Some((shape, at(value, shape.within)?))
}

impl Mark {
    fn is_on(&self, value: &Value) -> bool {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        match self {
            At(path) => at(value, path).is_some(),
            Keys(keys) => keys.iter().all(|key| at(value, &[key]).is_some()),
            Text(key, wanted) => text(key) == Some(wanted),
            Starts(key, start) => text(key).is_some_and(|text| text.starts_with(start)),
        }
    }
}

/// Returns all that is at these paths. A path has [`EACH`] at most once.
pub(super) fn all<'v>(
    answer: &'v Value,
    paths: &'static [Path],
) -> impl Iterator<Item = &'v Value> {
    paths.iter().flat_map(move |path| {
        let mut parts = path.split(|key| *key == EACH);
        let before = parts.next().and_then(|before| at(answer, before));
        let after = parts.next();
        let single = before.filter(|_| after.is_none());
        let array = after.and(before).and_then(Value::as_array);
        let items = array.into_iter().flatten();
        single
            .into_iter()
            .chain(items.filter_map(move |item| at(item, after?)))
    })
}
