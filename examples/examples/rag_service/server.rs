//! The HTTP interface of the service: `POST /ask` and `GET /healthz`. Checks the input and maps errors
//! to status codes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::rag::{Question, Rag, RagError};

/// The largest request body, in bytes. Larger ones are answered with 413.
pub(crate) const MAX_BODY: usize = 16 * 1024;

/// The body of `POST /ask`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    pub(crate) question: String,
}

/// Returns the routes of the service.
pub(crate) fn router(rag: Arc<Rag>) -> Router {
    Router::new()
        .route("/ask", post(ask))
        .route("/healthz", get(async || "ok\n"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(llm_observe::http::layer())
        .with_state(rag)
}

async fn ask(State(rag): State<Arc<Rag>>, body: Bytes) -> Result<Json<Answer>, Refusal> {
    let Ask { question } = serde_json::from_slice(&body)
        .map_err(|error| Refusal::bad_request(format!("the body is not a question: {error}")))?;
    let question =
        Question::parse(&question).map_err(|error| Refusal::bad_request(error.to_string()))?;
    Ok(Json(rag.ask(&question).await?))
}

/// An error response: a status and a message, without the internal causes.
struct Refusal {
    status: StatusCode,
    message: String,
}

#[derive(Serialize)]
struct RefusalBody {
    error: String,
}

impl Refusal {
    fn bad_request(message: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message,
        }
    }
}

impl From<RagError> for Refusal {
    fn from(error: RagError) -> Self {
        let status = match error {
            RagError::Embedding(_) | RagError::Chat(_) => StatusCode::BAD_GATEWAY,
            RagError::NoText => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            message: error.to_string(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (
            self.status,
            Json(RefusalBody {
                error: self.message,
            }),
        )
            .into_response()
    }
}
