//! The HTTP interface: a page, and `POST /chat` with a question, which answers with server-sent events. The question is
//! the body: addresses are logged, by whatever they pass, and questions are private.
//!
//! | event | data |
//! |---|---|
//! | (none) | the next piece of the answer, as a JSON string |
//! | `failed` | why there is no more of it, as a JSON string |
//! | `done` | nothing more comes |

use std::{convert::Infallible, future, sync::Arc};

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{
        Html, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;

use crate::model::{Answer, Chunk, ModelError, Models};

/// The longest question, in bytes.
const MAX_QUESTION: usize = 2_000;

/// Returns the routes of the service.
pub(crate) fn router(models: Models) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/chat", post(chat))
        .layer(llm_observe::http::layer())
        .with_state(Arc::new(models))
}

#[derive(Deserialize)]
struct Choice {
    model: Option<String>,
}

type Refusal = (StatusCode, String);

async fn chat(
    State(models): State<Arc<Models>>,
    Query(choice): Query<Choice>,
    question: String,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let question = question.trim();
    if question.is_empty() || question.len() > MAX_QUESTION {
        return Err(bad_request("a question has 1 to 2000 bytes"));
    }
    let model = models.find(choice.model.as_deref());
    let model = model.ok_or_else(|| bad_request("there is no such model"))?;
    let answer = model.answer(question).await.map_err(refusal)?;
    // When the reader leaves, the server drops the response, this stream in it, and so ends the call.
    Ok(Sse::new(events(answer)).keep_alive(KeepAlive::default()))
}

fn events(answer: Answer) -> impl Stream<Item = Result<Event, Infallible>> {
    let pieces = answer.filter_map(|piece| future::ready(event(piece)));
    let done = Event::default().event("done").data("");
    pieces.chain(stream::iter([done])).map(Ok)
}

/// Returns the event of a piece, if it says something: the last one of OpenAI holds tokens alone.
fn event(piece: Result<Chunk, ModelError>) -> Option<Event> {
    match piece {
        Ok(chunk) => {
            let content = chunk.choices.into_iter().next()?.delta.content?;
            Event::default().json_data(content).ok()
        }
        // Without its causes, which are no business of the reader's.
        Err(error) => {
            let failed = Event::default().event("failed");
            failed.json_data(error.to_string()).ok()
        }
    }
}

fn bad_request(message: &str) -> Refusal {
    (StatusCode::BAD_REQUEST, message.to_owned())
}

fn refusal(error: ModelError) -> Refusal {
    let status = match error {
        ModelError::Server(_) => StatusCode::BAD_GATEWAY,
        ModelError::Late(_) => StatusCode::GATEWAY_TIMEOUT,
    };
    (status, error.to_string())
}
