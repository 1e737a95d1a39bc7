//! The client of an OpenAI-compatible server. Only this file configures `async-openai`.

use std::{env, error, fmt, time::Duration};

use async_openai::{Client, config::OpenAIConfig, error::OpenAIError};
use llm_observe::http::client::{AsyncOpenAiService, propagating};

const MODEL: &str = "gpt-4.1-mini";
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A server with the OpenAI API, and the model to ask for.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) client: Client<OpenAIConfig>,
    pub(crate) model: String,
    base_url: String,
}

impl Server {
    /// Returns the server at `OPENAI_BASE_URL`, with `OPENAI_API_KEY` and `OPENAI_CHAT_MODEL`; `None` if
    /// the first is unset or empty. A key alone is not enough: nothing leaves the machine unasked.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn from_env() -> Result<Option<Server>, ServerError> {
        // The TLS provider of the process, chosen here so that no second one is compiled in. An error
        // means that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Some(base_url) = variable("OPENAI_BASE_URL") else {
            return Ok(None);
        };
        let http = reqwest::Client::builder().connect_timeout(CONNECT_LIMIT);
        let http = propagating(http).map_err(ServerError::Setup)?;
        let config = OpenAIConfig::new().with_api_base(base_url.trim_end_matches('/'));
        Ok(Some(Server {
            client: Client::build(http.as_ref().clone(), config)
                .with_http_service(AsyncOpenAiService::from(http)),
            model: variable("OPENAI_CHAT_MODEL").unwrap_or_else(|| MODEL.to_owned()),
            base_url,
        }))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.model, self.base_url)
    }
}

/// A request to the server failed.
#[derive(Debug)]
pub(crate) enum ServerError {
    /// The HTTP client could not be built.
    Setup(reqwest::Error),
    /// The request or the server failed.
    Client(OpenAIError),
    /// The response violates the API.
    Answer(serde_json::Error),
}

impl From<OpenAIError> for ServerError {
    fn from(error: OpenAIError) -> ServerError {
        match error {
            // Its message contains the whole response, which must not be logged.
            OpenAIError::JSONDeserialize(source, _content) => ServerError::Answer(source),
            other => ServerError::Client(other),
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServerError::Setup(_) => "cannot set up the HTTP client",
            ServerError::Client(_) => "the request to the OpenAI-compatible server failed",
            ServerError::Answer(_) => "the OpenAI-compatible server's answer cannot be read",
        })
    }
}

impl error::Error for ServerError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            ServerError::Setup(source) => Some(source),
            ServerError::Client(source) => Some(source),
            ServerError::Answer(source) => Some(source),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    let value = env::var(name).ok();
    value.filter(|value| !value.trim().is_empty())
}
