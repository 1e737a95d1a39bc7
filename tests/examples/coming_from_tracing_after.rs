//! The service of `coming_from_tracing_before.rs`, observed by `llm-observe`.

use std::{error::Error, io, sync::Arc};

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use llm_observe::observe;
use tracing::info;

#[observe(fields(length = question.len()))]
async fn answer(question: &str) -> io::Result<String> {
    retrieve(question).await
}

#[observe]
async fn retrieve(question: &str) -> io::Result<String> {
    info!(%question, "searching");
    if question.contains("wine") {
        return Err(io::Error::other("the documents do not answer this"));
    }
    Ok(format!("{question}: see the documents"))
}

async fn ask(Path(question): Path<String>) -> Result<String, StatusCode> {
    let answer = answer(&question).await;
    answer.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

fn main() -> Result<(), Box<dyn Error>> {
    let observer = Arc::new(llm_observe::init!()?);
    let metrics = observer.clone();
    tokio::runtime::Runtime::new()?.block_on(async {
        let app = Router::new()
            .route("/ask/{question}", get(ask))
            .layer(llm_observe::http::layer())
            .route(
                "/metrics",
                get(async move || metrics.metrics().unwrap_or_default()),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("listening {}", listener.local_addr()?);
        axum::serve(listener, app)
            .with_graceful_shutdown(stopped())
            .await?;
        Ok(())
    })
}

/// Ends when standard input does.
async fn stopped() {
    let read = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    let _ = read.await;
}
