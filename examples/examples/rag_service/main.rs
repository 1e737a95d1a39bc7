//! An observed retrieval service over HTTP: ingests a folder of Markdown and answers questions from it.
//! Run it with `cargo run --example rag_service`, or see `--help`.
//!
//! `rag.rs` and `embedding.rs` show annotated functions. The rest is an ordinary service.

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

use llm_observe::Observer;
use tokio::net::TcpListener;

use crate::args::Args;
use crate::exposition::Scrape;
use crate::openai::OpenAi;
use crate::rag::Rag;

/// Any error that ends the program. Each message says what to do.
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
    // The TLS provider of the process, chosen here so that no second one is compiled in. An error means
    // that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let observer = llm_observe::init!()?;

    let listener = listen(&args.listen).await?;
    let address = listener.local_addr()?;
    let (rag, mut calls) = ingest(&args).await?;
    let serving = tokio::spawn(serve(listener, rag));
    introduce(address, &observer);

    let client = session::client()?;
    for (stage, made) in session::ask_all(&client, address).await? {
        *calls.entry(stage).or_default() += made;
    }
    let scrape = scrape(&client, &observer).await?;
    session::print_table(&scrape);
    if args.once {
        session::check(&scrape, &calls)?;
    } else {
        println!("\nserving until ctrl-c");
        serving.await??;
    }
    Ok(())
}

async fn listen(address: &str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError {
            address: address.to_owned(),
            source,
        })
}

/// Reads and ingests the documents. Returns the number of annotated calls.
async fn ingest(args: &Args) -> Result<(Rag, session::Calls), Failure> {
    let documents = match &args.docs {
        Some(folder) => corpus::read(folder)?,
        None => corpus::read_default()?,
    };
    let server = OpenAi::from_env()?.map(Arc::new);
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
        rag.embed_with(Arc::new(OpenAi::at(&dead_address()?)?));
    }
    let batches = u32::try_from(rag.chunks().div_ceil(rag::EMBEDDING_BATCH))?;
    Ok((
        rag,
        session::Calls::from([(("ingest", "ok"), 1), (("embedding", "ok"), batches)]),
    ))
}

/// Returns the URL of a free port on loopback.
fn dead_address() -> io::Result<String> {
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    Ok(format!("http://{address}/v1"))
}

/// Prints the addresses and folders.
fn introduce(service: SocketAddr, observer: &Observer) {
    let metrics = observer
        .listening()
        .map(|address| format!("http://{address}/metrics"));
    println!("service  http://{service}/ask");
    println!(
        "metrics  {}",
        metrics.as_deref().unwrap_or("not served, see above")
    );
    println!("logs     {}\n", logs());
}

/// Returns the log folder: that of the built-in configuration, unless another is used.
fn logs() -> String {
    if let Some(config) = std::env::var_os("LLM_OBSERVE_CONFIG") {
        return format!("where {} says", config.to_string_lossy());
    }
    let folder = std::path::absolute("logs").unwrap_or_else(|_| "logs".into());
    format!(
        "{}: app.log, errors.log, embedding.log, query.log, access.log",
        folder.display()
    )
}

/// Returns the text of `/metrics`, directly from the observer if the port was in use.
async fn scrape(client: &reqwest::Client, observer: &Observer) -> Result<Scrape, Failure> {
    if let Some(address) = observer.listening() {
        return Ok(session::scrape(client, address).await?);
    }
    let text = observer
        .metrics()
        .ok_or("no metrics: the feature `metrics` is off")?;
    Ok(Scrape::parse(&text))
}

/// Serves until the program is asked to stop, then finishes the running requests.
async fn serve(listener: TcpListener, rag: Rag) -> io::Result<()> {
    let router = server::router(Arc::new(rag));
    // with the clients' addresses, for the lines of requests
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(llm_observe::shutdown_signal())
        .await
}

/// Returns the messages of an error and of its causes.
fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

/// The address to serve on is not available.
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
