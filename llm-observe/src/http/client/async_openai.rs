//! The HTTP service of `async-openai`'s clients, over an observed `reqwest` client.
//!
//! A service takes the library's own type of a request, so it is one for each version of the library.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use async_openai_0_43::{
    error::OpenAIError,
    middleware::{HttpRequestFactory, retry::OpenAIRetryLayer},
};
use http::Extensions;
use reqwest::{Client, Response};
use reqwest_middleware::{ClientWithMiddleware, Error};
use tower_layer::Layer;
use tower_service::Service;

use super::attempts::Attempts;

/// How often `async-openai` sends a request again by default.
const MAX_RETRIES: usize = 3;

/// Returns a service through which an `async_openai::Client` sends its requests, observed. It takes the
/// place of the library's own, and sends a request again as that does.
///
/// ```no_run
/// # use async_openai_0_43 as async_openai;
/// use async_openai::{Client, config::OpenAIConfig};
///
/// let client = Client::with_config(OpenAIConfig::default())
///     .with_http_service(llm_observe::http::client::async_openai(reqwest::Client::new()));
/// ```
///
/// Each attempt is observed, with the reason for the retry. Requests carry no `traceparent`; to send it,
/// make the service from a client that does:
///
/// ```no_run
/// # use async_openai_0_43 as async_openai;
/// use async_openai::{Client, config::OpenAIConfig};
/// use llm_observe::http::client::{AsyncOpenAiService, propagating};
///
/// # fn client() -> Result<(), reqwest::Error> {
/// let http = propagating(reqwest::Client::builder())?;
/// let client = Client::with_config(OpenAIConfig::default())
///     .with_http_service(AsyncOpenAiService::from(http));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn async_openai(client: Client) -> AsyncOpenAiService {
    AsyncOpenAiService::from(super::reqwest(client))
}

/// The service that [`async_openai`](async_openai()) returns.
///
/// It is also made `From` a client that is observed already: one of
/// [`propagating`](super::propagating()), or a chain of yours with [`middleware`](super::middleware()).
#[derive(Clone, Debug)]
pub struct AsyncOpenAiService {
    client: ClientWithMiddleware,
    max_retries: usize,
}

impl AsyncOpenAiService {
    /// Sets how often a request is sent again, by the rules of `async-openai`. The default is the
    /// library's: 3.
    ///
    /// With 0 a response of any status is returned as it is. Use this below a retry layer of yours.
    #[must_use]
    pub fn max_retries(mut self, max_retries: usize) -> AsyncOpenAiService {
        self.max_retries = max_retries;
        self
    }
}

impl From<ClientWithMiddleware> for AsyncOpenAiService {
    fn from(client: ClientWithMiddleware) -> AsyncOpenAiService {
        AsyncOpenAiService {
            client,
            max_retries: MAX_RETRIES,
        }
    }
}

type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

impl Service<HttpRequestFactory> for AsyncOpenAiService {
    type Response = Response;
    type Error = OpenAIError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> ResponseFuture {
        let mut sender = AttemptSender {
            client: self.client.clone(),
            attempts: Attempts::default(),
        };
        match self.max_retries {
            // The library's layer consumes the body of a 429, also when it does not retry.
            0 => sender.call(request),
            retries => OpenAIRetryLayer::new(retries).layer(sender).call(request),
        }
    }
}

/// Sends the attempts of one request.
#[derive(Clone)]
struct AttemptSender {
    client: ClientWithMiddleware,
    attempts: Attempts,
}

impl Service<HttpRequestFactory> for AttemptSender {
    type Response = Response;
    type Error = OpenAIError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> ResponseFuture {
        let AttemptSender { client, attempts } = self.clone();
        Box::pin(async move {
            let request = request.build().await?;
            let mut extensions = Extensions::new();
            extensions.insert(attempts);
            let sent = client.execute_with_extensions(request, &mut extensions);
            sent.await.map_err(error)
        })
    }
}

/// Returns the error that `async-openai` itself would have. Its retry layer looks at the type.
fn error(error: Error) -> OpenAIError {
    match error {
        Error::Reqwest(error) => OpenAIError::Reqwest(error),
        Error::Middleware(error) => OpenAIError::Boxed(error.into()),
    }
}
