//! The figures of requests to models, as the OpenTelemetry GenAI conventions name and label them
//! (semantic conventions 1.41.1, in the form that Prometheus gives their names and units).
//!
//! A model answers in milliseconds at best: each value goes to the recorder as it comes.

use metrics::{Key, Label};

use super::{METADATA, Metrics, names, publish::as_f64};
use crate::kernel::request::ModelCall;

/// Upper bounds of the histogram of tokens.
pub(super) const TOKEN_BUCKETS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Upper bounds of the histograms of durations, in seconds: the conventions', and beyond them what
/// long answers take.
pub(super) const DURATION_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
    327.68, 655.36,
];

impl ModelCall<'_> {
    fn labels(&self, more: Option<(&'static str, &str)>) -> Vec<Label> {
        let own = [
            Some(("gen_ai_operation_name", self.operation)),
            Some(("gen_ai_provider_name", self.provider)),
            self.model.map(|model| ("gen_ai_response_model", model)),
            more,
        ];
        let server = self
            .server
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let server = server.filter(|(name, _)| name.starts_with("server_"));
        own.into_iter()
            .flatten()
            .chain(server)
            .map(|(name, value)| Label::new(name, value.to_owned()))
            .collect()
    }
}

impl Metrics {
    /// Records a request to a model.
    pub(crate) fn model_call(&self, call: &ModelCall<'_>) {
        let error = call.error_type.map(|error| ("error_type", error));
        let seconds = call.duration.as_secs_f64();
        self.observe(names::GENAI_DURATION, call.labels(error), seconds);
        if let Some(first) = call.first_chunk {
            let labels = call.labels(error);
            self.observe(names::GENAI_FIRST_CHUNK, labels, first.as_secs_f64());
        }
        for (kind, tokens) in [("input", call.input), ("output", call.output)] {
            if let Some(tokens) = tokens {
                let labels = call.labels(Some(("gen_ai_token_type", kind)));
                self.observe(names::GENAI_TOKENS, labels, as_f64(tokens));
            }
        }
    }

    fn observe(&self, name: &'static str, labels: Vec<Label>, value: f64) {
        let key = Key::from_parts(name, labels);
        self.with_recorder(|r| r.register_histogram(&key, &METADATA).record(value));
    }
}
