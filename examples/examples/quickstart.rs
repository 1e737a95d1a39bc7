//! The quick start of the README: one call that succeeds, one that fails, and where to see both. Run it
//! with `cargo run --example quickstart`. It fails if a call was not counted.

use std::{error::Error, io};

use llm_observe::observe;
use tokio::net::TcpStream;

/// The file with the prompt of the example `rag_service`.
const PROMPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/rag_service/instructions.txt"
);
/// Port 1 of this machine (tcpmux, RFC 1078), on which no program listens today.
const UNREACHABLE: &str = "127.0.0.1:1";

#[observe(event = "prompt")]
async fn load_prompt(path: &str) -> io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[observe(event = "connect", alert_on_error)]
async fn connect(address: &str) -> io::Result<TcpStream> {
    TcpStream::connect(address).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let observer = llm_observe::init!()?; // llm-observe.toml, checked when this line compiled

    let prompt = load_prompt(PROMPT).await?;
    println!("the prompt has {} words", prompt.split_whitespace().count());
    if let Err(error) = connect(UNREACHABLE).await {
        println!("no model server at {UNREACHABLE}: {error}");
    }

    let metrics = observer
        .metrics()
        .ok_or("no metrics: the feature `metrics` is off")?;
    for (event, outcome) in [("prompt", "ok"), ("connect", "error")] {
        let counted = metrics
            .lines()
            .find(|line| is_one_call(line, event, outcome));
        println!(
            "{}",
            counted.ok_or_else(|| format!("{event} {outcome} was not counted"))?
        );
    }
    println!("every call is in logs/app.log, the failed one in logs/errors.log too");
    Ok(())
}

/// Returns whether a line of the metrics counts one call of `event` with `outcome`.
fn is_one_call(line: &str, event: &str, outcome: &str) -> bool {
    line.starts_with("llm_observe_calls_total{")
        && line.contains(&format!("event=\"{event}\""))
        && line.contains(&format!("outcome=\"{outcome}\""))
        && line.ends_with(" 1")
}
