//! A retrieval service over HTTP, observed: ingests a folder of Markdown and answers questions from
//! it. Run it with `cargo run --example rag_service`, or see `--help`.
//!
//! Read `rag.rs` and `embedding.rs` for what observing looks like; the rest is an ordinary service.

mod answer;
mod args;
mod corpus;
mod embedding;
mod exposition;
mod index;
mod openai;
mod rag;
mod server;
mod session;
mod text;

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::args::Args;
use crate::openai::OpenAi;
use crate::rag::Rag;

/// Whatever ends the program; every one of them says what to do in its own words.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("rag_service: {}", chain(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let args = Args::parse(std::env::args_os().skip(1))?;
    if args.help {
        print!("{}", args::HELP);
        return Ok(());
    }
    // the process's TLS provider, chosen here so that no second one is compiled in; an error only
    // says that one is installed already
    let _ = rustls::crypto::ring::default_provider().install_default();

    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|source| ListenError {
            address: args.listen.clone(),
            source,
        })?;
    let (rag, ingested) = ingest(&args).await?;
    let service = listener.local_addr()?;
    serve(listener, rag);
    introduce(service);
    let _ = ingested;
    let client = session::client()?;
    session::ask_all(&client, service).await?;
    if !args.once {
        println!("serving until ctrl-c");
        stopped().await?;
    }
    Ok(())
}

/// Reads and ingests the documents, and returns the calls this made.
async fn ingest(args: &Args) -> Result<(Rag, session::Calls), Failure> {
    let documents = match &args.docs {
        Some(folder) => corpus::read(folder)?,
        None => corpus::read_default()?,
    };
    let server = OpenAi::from_env()?;
    match &server {
        Some(server) => println!("embeds and answers with {server}"),
        None => println!("embeds and answers with local code: hashed n-grams, quoted sentences"),
    }
    let mut rag = Rag::ingest(&documents, server).await?;
    println!(
        "ingested {} documents, {} chunks",
        documents.len(),
        rag.chunks()
    );
    if args.break_embedding {
        rag.embed_with(OpenAi::at(&dead_address()?)?);
    }
    let batches = u32::try_from(rag.chunks().div_ceil(rag::EMBEDDING_BATCH))?;
    Ok((
        rag,
        session::Calls::from([(("ingest", "ok"), 1), (("embedding", "ok"), batches)]),
    ))
}

/// Returns the URL of a port on loopback that was free a moment ago.
fn dead_address() -> io::Result<String> {
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    Ok(format!("http://{address}/v1"))
}

fn serve(listener: TcpListener, rag: Rag) {
    let router = server::router(Arc::new(rag));
    tokio::spawn(async move { axum::serve(listener, router).await });
}

fn introduce(service: SocketAddr) {
    println!("service  http://{service}/ask");
}

/// Waits for ctrl-c.
async fn stopped() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Returns the message of an error and of all that lie behind it.
fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

/// The address to serve on cannot be had.
#[derive(Debug)]
struct ListenError {
    address: String,
    source: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot listen on {}; choose another address with --listen",
            self.address
        )
    }
}

impl Error for ListenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
