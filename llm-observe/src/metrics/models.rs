//! The figures of requests to models, as the OpenTelemetry GenAI conventions name and label them
//! (semantic conventions 1.41.1, in the form that Prometheus gives their names and units).
//!
//! A model answers in milliseconds at best: each value goes to the recorder as it comes.

use super::{Metrics, publish::as_f64};
use crate::{http::metrics_table as names, kernel::request::ModelCall};

impl<'a> ModelCall<'a> {
    fn labels(&self, more: Option<(&'static str, &'a str)>) -> Vec<(&'static str, &'a str)> {
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
        own.into_iter().flatten().chain(server).collect()
    }
}

impl Metrics {
    /// Records a request to a model.
    pub(crate) fn model_call(&self, call: &ModelCall<'_>) {
        let error = call.error_type.map(|error| ("error_type", error));
        let seconds = call.duration.as_secs_f64();
        self.observe(names::GENAI_DURATION, &call.labels(error), seconds);
        if let Some(first) = call.first_chunk {
            let labels = call.labels(error);
            self.observe(names::GENAI_FIRST_CHUNK, &labels, first.as_secs_f64());
        }
        for (kind, tokens) in [("input", call.input), ("output", call.output)] {
            if let Some(tokens) = tokens {
                let labels = call.labels(Some(("gen_ai_token_type", kind)));
                self.observe(names::GENAI_TOKENS, &labels, as_f64(tokens));
            }
        }
    }
}
