//! A service observed by `tracing` and its companions: where `docs/coming_from_tracing.md` starts.

use std::{error::Error, io, time::Instant};

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusBuilder;
use tower_http::trace::TraceLayer;
use tracing::{info, instrument};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

#[instrument(err, skip_all, fields(length = question.len()))]
async fn answer(question: &str) -> io::Result<String> {
    let began = Instant::now();
    let answer = retrieve(question).await;
    let outcome = if answer.is_ok() { "ok" } else { "error" };
    metrics::counter!("answers_total", "outcome" => outcome).increment(1);
    metrics::histogram!("answer_seconds", "outcome" => outcome).record(began.elapsed());
    answer
}

#[instrument(err, skip_all)]
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
    let _sentry = sentry::init(sentry::ClientOptions::new()); // SENTRY_DSN
    let files = tracing_appender::rolling::daily("logs", "app.log");
    let (files, _files) = tracing_appender::non_blocking(files);
    let filter = EnvFilter::try_from_default_env();
    tracing_subscriber::registry()
        .with(filter.unwrap_or_else(|_| EnvFilter::new("info,tower_http=debug")))
        .with(fmt::layer().with_ansi(false).with_writer(files))
        .with(sentry::integrations::tracing::ErrorLayer::new())
        .init();
    let metrics = PrometheusBuilder::new().install_recorder()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let app = Router::new()
            .route("/ask/{question}", get(ask))
            .layer(TraceLayer::new_for_http())
            .route("/metrics", get(async move || metrics.render()));
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
