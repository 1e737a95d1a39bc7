//! What an answer of a model adds to the record of its request: fields under the names of the
//! OpenTelemetry GenAI conventions (semantic conventions 1.41.1).

use std::{sync::LazyLock, time::Duration};

use super::{model::Asked, usage::Reading};
use crate::{
    http::exchange::ATTRIBUTES,
    kernel::value::{Fields, Value},
};

/// `http.request.resend_count` of the HTTP conventions.
pub(crate) const RESENDS: &str = "http.request.resend_count";

const OPERATION: &str = "gen_ai.operation.name";
const PROVIDER: &str = "gen_ai.provider.name";
const MODEL: &str = "gen_ai.response.model";
const ID: &str = "gen_ai.response.id";
const REASONS: &str = "gen_ai.response.finish_reasons";
const FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
const INPUT: &str = "gen_ai.usage.input_tokens";
const OUTPUT: &str = "gen_ai.usage.output_tokens";
const CACHE_READ: &str = "gen_ai.usage.cache_read.input_tokens";
const CACHE_WRITE: &str = "gen_ai.usage.cache_creation.input_tokens";
const REASONING: &str = "gen_ai.usage.reasoning.output_tokens";

const OWN: [&str; 12] = [
    RESENDS,
    OPERATION,
    PROVIDER,
    MODEL,
    ID,
    REASONS,
    FIRST_CHUNK,
    INPUT,
    OUTPUT,
    CACHE_READ,
    CACHE_WRITE,
    REASONING,
];

/// Returns the names of all that a request may record: a span has no others.
pub(crate) fn fields() -> &'static [&'static str] {
    static ALL: LazyLock<Vec<&'static str>> = LazyLock::new(|| [ATTRIBUTES, &OWN].concat());
    &ALL
}

/// Records what was asked of a model.
pub(crate) fn asked(fields: &mut Fields, asked: Asked) {
    fields.set(OPERATION, Value::Str(asked.operation.to_owned()));
    fields.set(PROVIDER, Value::Str(asked.provider.to_owned()));
}

/// Records what it answered.
pub(crate) fn answered(fields: &mut Fields, reading: &Reading, first_chunk: Option<Duration>) {
    let mut text = |name, value: &Option<String>| {
        if let Some(value) = value {
            fields.set(name, Value::Str(value.clone()));
        }
    };
    text(MODEL, &reading.model);
    text(ID, &reading.id);
    let reasons = Some(reading.finish_reasons.join(",")).filter(|reasons| !reasons.is_empty());
    text(REASONS, &reasons);
    if let Some(usage) = reading.usage {
        for (name, count) in [
            (INPUT, usage.input()),
            (OUTPUT, usage.output()),
            (CACHE_READ, usage.cache_read()),
            (CACHE_WRITE, usage.cache_write()),
            (REASONING, usage.reasoning()),
        ] {
            if let Some(count) = count {
                fields.set(name, Value::U64(count));
            }
        }
    }
    if let Some(first) = first_chunk {
        fields.set(FIRST_CHUNK, Value::F64(first.as_secs_f64()));
    }
}
