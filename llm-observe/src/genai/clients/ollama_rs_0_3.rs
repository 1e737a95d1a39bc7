//! The types of `ollama-rs` 0.3: chat, completions and embeddings. Chunks are of the same types. They do not
//! have Ollama's `done_reason`.

use ollama_rs_0_3::generation::{
    chat::ChatMessageResponse, completion::GenerationResponse,
    embeddings::GenerateEmbeddingsResponse,
};

use crate::genai::{Response, Usage};

impl Response for ChatMessageResponse {
    fn model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn usage(&self) -> Option<Usage> {
        let data = self.final_data.as_ref()?;
        Some(Usage::new(data.prompt_eval_count, data.eval_count))
    }
}

impl Response for GenerationResponse {
    fn model(&self) -> Option<&str> {
        Some(&self.model)
    }

    fn usage(&self) -> Option<Usage> {
        let usage = Usage::new(self.prompt_eval_count, self.eval_count);
        (usage != Usage::default()).then_some(usage)
    }
}

/// The crate keeps nothing of the response but the embeddings.
impl Response for GenerateEmbeddingsResponse {}

#[cfg(test)]
mod tests {
    use serde_json::from_str;

    use super::*;
    use crate::genai::json::cases::body;

    #[test]
    fn its_types_say_what_the_body_says() {
        let chat: ChatMessageResponse = from_str(body("Ollama chat")).unwrap();
        assert_eq!(chat.model(), Some("llama3.2"));
        assert_eq!(chat.usage(), Some(Usage::new(26, 298)));
        let chunk: GenerationResponse = from_str(body("Ollama generate, a chunk")).unwrap();
        assert_eq!(chunk.model(), Some("llama3.2"));
        assert_eq!(chunk.usage(), None);
        let embed: GenerateEmbeddingsResponse = from_str(body("Ollama embed")).unwrap();
        assert_eq!(embed.usage(), None);
    }

    #[test]
    fn a_whole_completion_has_its_usage() {
        let body = r#"{"model":"m","created_at":"","response":"x","done":true,"eval_count":3}"#;
        let whole: GenerationResponse = from_str(body).unwrap();
        assert_eq!(whole.usage(), Some(Usage::new(None, 3)));
    }
}
