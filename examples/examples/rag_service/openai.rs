//! The client for OpenAI-compatible servers: embeddings and chat. Only this file
//! names `async-openai`.

use std::fmt;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError as ClientError;
use async_openai::types::chat::{
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
    CreateChatCompletionRequest,
};
use async_openai::types::embeddings::{CreateEmbeddingRequest, EmbeddingInput};

use llm_observe::http::client::{AsyncOpenAiService, propagating};

use crate::embedding::Vector;

const EMBEDDING_MODEL: &str = "text-embedding-3-small";
const CHAT_MODEL: &str = "gpt-4.1-mini";
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A server with the OpenAI API, and the models to use.
#[derive(Debug, Clone)]
pub(crate) struct OpenAi {
    client: Client<OpenAIConfig>,
    base_url: String,
    embedding_model: String,
    chat_model: String,
}

impl OpenAi {
    /// Returns the server at `OPENAI_BASE_URL`, with `OPENAI_API_KEY`, `OPENAI_EMBEDDING_MODEL` and
    /// `OPENAI_CHAT_MODEL`; `None` if the first is unset or empty.
    ///
    /// A key alone is not enough: documents leave the machine only if an address is given.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn from_env() -> Result<Option<Self>, OpenAiError> {
        variable("OPENAI_BASE_URL")
            .map(|url| Self::at(&url))
            .transpose()
    }

    /// Returns the server at `base_url`, for example `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn at(base_url: &str) -> Result<Self, OpenAiError> {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_LIMIT)
            .connect_timeout(CONNECT_LIMIT);
        let http = propagating(http).map_err(OpenAiError::Setup)?;
        let config = OpenAIConfig::new().with_api_base(base_url.trim_end_matches('/'));
        Ok(Self {
            client: Client::build(http.as_ref().clone(), config)
                .with_http_service(AsyncOpenAiService::from(http)),
            base_url: base_url.to_owned(),
            embedding_model: variable("OPENAI_EMBEDDING_MODEL")
                .unwrap_or_else(|| EMBEDDING_MODEL.to_owned()),
            chat_model: variable("OPENAI_CHAT_MODEL").unwrap_or_else(|| CHAT_MODEL.to_owned()),
        })
    }

    /// Returns the model that embeds.
    pub(crate) fn embedding_model(&self) -> &str {
        &self.embedding_model
    }

    /// Returns the model that answers.
    pub(crate) fn chat_model(&self) -> &str {
        &self.chat_model
    }

    /// Returns one vector for each text, in the order of the texts.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or sends an invalid embedding response.
    pub(crate) async fn embeddings(&self, texts: &[String]) -> Result<Vec<Vector>, OpenAiError> {
        let request = CreateEmbeddingRequest {
            model: self.embedding_model.clone(),
            input: EmbeddingInput::StringArray(texts.to_vec()),
            ..CreateEmbeddingRequest::default()
        };
        let mut response = self.client.embeddings().create(request).await?;
        // each vector has the index of its text; the API does not guarantee their order
        response.data.sort_by_key(|embedding| embedding.index);
        Ok(response
            .data
            .into_iter()
            .map(|embedding| embedding.embedding)
            .collect())
    }

    /// Returns the model's reply.
    ///
    /// # Errors
    /// As for [`OpenAi::embeddings`], and if the reply has no text (a refusal).
    pub(crate) async fn chat(&self, system: &str, user: String) -> Result<String, OpenAiError> {
        let request = CreateChatCompletionRequest {
            model: self.chat_model.clone(),
            messages: vec![
                ChatCompletionRequestSystemMessage::from(system).into(),
                ChatCompletionRequestUserMessage::from(user).into(),
            ],
            ..CreateChatCompletionRequest::default()
        };
        let response = self.client.chat().create(request).await?;
        let reply = response
            .choices
            .into_iter()
            .find_map(|choice| choice.message.content);
        reply
            .filter(|text| !text.trim().is_empty())
            .ok_or(OpenAiError::NoReply)
    }
}

impl fmt::Display for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}, {})",
            self.base_url, self.embedding_model, self.chat_model
        )
    }
}

/// A request to the server failed.
#[derive(Debug)]
pub(crate) enum OpenAiError {
    /// The HTTP client could not be built.
    Setup(reqwest::Error),
    /// The request or the server failed.
    Client(ClientError),
    /// The response violates the API.
    Answer(serde_json::Error),
    /// The model returned no text.
    NoReply,
}

impl From<ClientError> for OpenAiError {
    fn from(error: ClientError) -> Self {
        match error {
            // its message contains the whole response, which must not be logged
            ClientError::JSONDeserialize(source, _content) => Self::Answer(source),
            other => Self::Client(other),
        }
    }
}

impl fmt::Display for OpenAiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setup(_) => "cannot set up the HTTP client",
            Self::Client(_) => "the request to the OpenAI-compatible server failed",
            Self::Answer(_) => "the OpenAI-compatible server's answer cannot be read",
            Self::NoReply => "the model returned no text",
        })
    }
}

impl std::error::Error for OpenAiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Setup(source) => Some(source),
            Self::Client(source) => Some(source),
            Self::Answer(source) => Some(source),
            Self::NoReply => None,
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}
