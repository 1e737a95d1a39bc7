//! A chat over HTTP: the answer of a model, word by word, as server-sent events to a browser.
//!
//! ```console
//! $ cargo run --example chat_stream              # then open http://127.0.0.1:8081/
//! $ curl -N -d 'what is lost without a volume?' http://127.0.0.1:8081/chat
//! $ cargo run --example chat_stream -- --once    # checks itself, and ends
//! ```
//!
//! `model.rs` has the one annotated function. Its call lasts as long as the answer: a reader who closes the page
//! ends it as `cancelled`, a model that stalls as `timeout`. Without `OPENAI_BASE_URL` the model is local code that
//! quotes a note; its tokens are words.

mod local;
mod model;
mod service;
mod session;

#[path = "../container/notes.rs"]
mod notes;
#[path = "../shared/mod.rs"]
mod shared;

use std::{env, error::Error};

use tokio::net::TcpListener;

use self::{model::Models, shared::server::Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let once = env::args().skip(1).any(|argument| argument == "--once");
    let observer = llm_observe::init!()?;
    let server = Server::from_env()?;
    match &server {
        Some(server) => println!("answers with {server}"),
        None => println!("answers with local code that quotes a note; its tokens are words"),
    }
    let models = Models { server };

    let address = env::var("LISTEN").unwrap_or_else(|_| {
        let port = if once { 0 } else { 8081 };
        format!("127.0.0.1:{port}")
    });
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    println!("chat     http://{address}/");
    let checks = models.clone();
    let serving = tokio::spawn(async move {
        axum::serve(listener, service::router(models))
            .with_graceful_shutdown(llm_observe::shutdown_signal())
            .await
    });
    if once {
        return session::run(&format!("http://{address}"), &checks, &observer).await;
    }
    serving.await??;
    Ok(())
}
