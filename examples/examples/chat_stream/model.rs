//! The models that answer, and the one annotated function: whichever model it is, its chunks have the type of
//! `async-openai`, of which llm-observe knows where tokens, model and finish reasons are.

use std::{error, fmt};

use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, CreateChatCompletionRequest,
    CreateChatCompletionStreamResponse,
};
use futures_util::{StreamExt, stream::BoxStream};
use llm_observe::{Elapsed, observe};

use crate::{
    local::{self, Manner},
    shared::server::{Server, ServerError},
};

/// One piece of an answer.
pub(crate) type Chunk = CreateChatCompletionStreamResponse;

/// An answer, as it is written.
pub(crate) type Answer = BoxStream<'static, Result<Chunk, ModelError>>;

/// The models of the service.
#[derive(Debug, Clone)]
pub(crate) struct Models {
    /// Answers where it is there; else local code does.
    pub(crate) server: Option<Server>,
}

impl Models {
    /// Returns the model of that name; without a name, the usual one.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<Model<'_>> {
        match (name, &self.server) {
            (None, Some(server)) => Some(Model::Server(server)),
            (None, None) => Some(Model::Local(Manner::Quotes)),
            (Some(name), _) => Manner::named(name).map(Model::Local),
        }
    }
}

/// One model.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Model<'a> {
    Local(Manner),
    Server(&'a Server),
}

impl Model<'_> {
    /// Answers a question. The call ends when the answer does, however that is.
    ///
    /// # Errors
    /// The server cannot be reached or refuses. Later failures are items of the answer.
    #[observe(
        event = "chat_answer",
        operation = chat,
        provider = self.provider(),
        model = self.name(),
        stream,
        timeout(first = "20s", idle = "3s", total = "2m"),
        alert_on_error
    )]
    pub(crate) async fn answer(&self, question: &str) -> Result<Answer, ModelError> {
        match self {
            Model::Local(manner) => Ok(local::answer(question, *manner).map(Ok).boxed()),
            Model::Server(server) => ask(server, question).await,
        }
    }

    fn provider(&self) -> &'static str {
        match self {
            Model::Local(_) => "local",
            Model::Server(_) => "openai",
        }
    }

    fn name(&self) -> &str {
        match self {
            Model::Local(manner) => manner.name(),
            Model::Server(server) => &server.model,
        }
    }
}

async fn ask(server: &Server, question: &str) -> Result<Answer, ModelError> {
    let request = CreateChatCompletionRequest {
        model: server.model.clone(),
        messages: vec![ChatCompletionRequestUserMessage::from(question).into()],
        // Without it a streamed answer says nothing of its tokens.
        stream_options: Some(ChatCompletionStreamOptions {
            include_usage: Some(true),
            include_obfuscation: None,
        }),
        ..CreateChatCompletionRequest::default()
    };
    let chunks = server.client.chat().create_stream(request).await;
    let chunks = chunks.map_err(ServerError::from)?;
    let chunks = chunks.map(|chunk| Ok(chunk.map_err(ServerError::from)?));
    Ok(chunks.boxed())
}

/// Why a question is not answered, or not to its end.
#[derive(Debug)]
pub(crate) enum ModelError {
    Server(ServerError),
    /// The model took too long: for its first word, for the next one, or in all.
    Late(Elapsed),
}

impl From<ServerError> for ModelError {
    fn from(error: ServerError) -> ModelError {
        ModelError::Server(error)
    }
}

impl From<Elapsed> for ModelError {
    fn from(elapsed: Elapsed) -> ModelError {
        ModelError::Late(elapsed)
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelError::Server(_) => "the model did not answer",
            ModelError::Late(_) => "the model took too long",
        })
    }
}

impl error::Error for ModelError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            ModelError::Server(error) => Some(error),
            ModelError::Late(elapsed) => Some(elapsed),
        }
    }
}
