//! The fields of sent requests besides their attributes: what a model's response reports, under the
//! names of the OpenTelemetry GenAI conventions (semantic conventions 1.41.1).

use std::{sync::LazyLock, time::Duration};

use super::{model::ModelRequest, model_response::ModelResponse};
use crate::{
    genai::names::{
        CACHE_CREATION, CACHE_READ, FINISH_REASONS, FIRST_CHUNK, INPUT, OPERATION, OUTPUT,
        PROVIDER, REASONING, RESPONSE_ID, RESPONSE_MODEL,
    },
    http::attributes::SPAN_ATTRIBUTES,
    kernel::value::{Fields, Value},
};

/// `http.request.resend_count` of the HTTP conventions.
pub(crate) const RESEND_COUNT: &str = "http.request.resend_count";

const FIELDS: [&str; 12] = [
    RESEND_COUNT,
    OPERATION,
    PROVIDER,
    RESPONSE_MODEL,
    RESPONSE_ID,
    FINISH_REASONS,
    FIRST_CHUNK,
    INPUT,
    OUTPUT,
    CACHE_READ,
    CACHE_CREATION,
    REASONING,
];

/// Returns the names of all attributes and fields that a span of a request can have.
pub(crate) fn span_fields() -> &'static [&'static str] {
    static ALL: LazyLock<Vec<&'static str>> = LazyLock::new(|| [SPAN_ATTRIBUTES, &FIELDS].concat());
    &ALL
}

/// Sets the fields of a request to a model.
pub(crate) fn set_request(fields: &mut Fields, request: ModelRequest) {
    fields.set(OPERATION, Value::Str(request.operation.to_owned()));
    fields.set(PROVIDER, Value::Str(request.provider.to_owned()));
}

/// Sets the fields of a model's response.
pub(crate) fn set_response(
    fields: &mut Fields,
    response: &ModelResponse,
    first_chunk: Option<Duration>,
) {
    let mut text = |name, value: &Option<String>| {
        if let Some(value) = value {
            fields.set(name, Value::Str(value.clone()));
        }
    };
    text(RESPONSE_MODEL, &response.model);
    text(RESPONSE_ID, &response.id);
    let reasons = Some(response.finish_reasons.join(",")).filter(|reasons| !reasons.is_empty());
    text(FINISH_REASONS, &reasons);
    if let Some(usage) = response.usage.map(|counts| counts.usage()) {
        for (name, count) in [
            (INPUT, usage.input),
            (OUTPUT, usage.output),
            (CACHE_READ, usage.cache_read),
            (CACHE_CREATION, usage.cache_creation),
            (REASONING, usage.reasoning),
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
