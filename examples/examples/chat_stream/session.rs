//! A session of the program with itself: reads one answer, leaves another, waits for one that stalls, and checks what
//! was observed of each.

use std::error::Error;

use futures_util::StreamExt;
use llm_observe::Observer;
use reqwest::Client;

use crate::{
    local::Manner,
    model::Models,
    shared::{exposition::Scrape, observed},
};

const EVENT: &str = "chat_answer";
const QUESTION: &str = "What is lost without a volume for the outbox?";

type Failure = Box<dyn Error>;

/// Runs the session against the service at `url`.
///
/// # Errors
/// The service did not answer, or what was observed differs from what happened.
pub(crate) async fn run(url: &str, models: &Models, observer: &Observer) -> Result<(), Failure> {
    let is_local = models.server.is_none();
    let client = Client::builder().no_proxy().build()?;
    println!("\nQ: {QUESTION}");
    println!("A: {}", read(&client, url).await?);

    leave(&client, url).await?;
    println!("left another answer after its first words");
    let mut expected = vec![(EVENT, "ok", 1), (EVENT, "cancelled", 1)];
    if is_local {
        stall(&client, url).await?;
        println!("waited for an answer that stalls, in vain");
        expected.push((EVENT, "timeout", 1));
    }

    let differences = observed::differences(observer, &expected).await?;
    let metrics = observed::metrics(observer)?;
    observed::print_models(&metrics);
    check(&metrics, observer, is_local, differences)
}

/// Reads an answer to its end.
async fn read(client: &Client, url: &str) -> Result<String, Failure> {
    let text = request(client, url, None).await?.text().await?;
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let pieces = events.filter_map(|data| serde_json::from_str::<String>(data).ok());
    let answer: String = pieces.collect();
    match text.contains("event: done") && !text.contains("event: failed") && !answer.is_empty() {
        true => Ok(answer),
        false => Err(format!("no whole answer: {text:?}").into()),
    }
}

/// Begins to read an answer, and leaves it, as a reader does who closes the page.
async fn leave(client: &Client, url: &str) -> Result<(), Failure> {
    let mut body = request(client, url, None).await?.bytes_stream();
    match body.next().await {
        Some(Ok(_)) => Ok(()),
        other => Err(format!("no answer began: {other:?}").into()),
    }
}

async fn stall(client: &Client, url: &str) -> Result<(), Failure> {
    let model = Some(Manner::Stalls.name());
    let text = request(client, url, model).await?.text().await?;
    match text.contains("event: failed\ndata: \"the model took too long\"") {
        true => Ok(()),
        false => Err(format!("the answer should have failed: {text:?}").into()),
    }
}

async fn request(
    client: &Client,
    url: &str,
    model: Option<&str>,
) -> reqwest::Result<reqwest::Response> {
    let url = format!("{url}/chat");
    let query = model.map(|model| ("model", model));
    let request = client.post(url).query(query.as_slice()).body(QUESTION);
    request.send().await?.error_for_status()
}

/// Checks that calls, times, tokens and lines are those of what happened.
fn check(
    metrics: &Scrape,
    observer: &Observer,
    is_local: bool,
    mut differences: Vec<String>,
) -> Result<(), Failure> {
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            differences.push(what.to_owned());
        }
    };
    let answers = if is_local { 3.0 } else { 2.0 };
    let first = "gen_ai_client_operation_time_to_first_chunk_seconds_count";
    let first = metrics.sum(first, &[]);
    expect(first == answers, "each answer has a first chunk");
    for kind in ["input", "output"] {
        let tokens = observed::tokens(metrics, EVENT, kind);
        expect(tokens > 0.0, "tokens are counted");
    }
    if is_local {
        // Each chunk says what was used so far: the one that was left and the one that stalled have theirs.
        let words = QUESTION.split_whitespace().count() as f64;
        let input = observed::tokens(metrics, EVENT, "input");
        expect(input == answers * words, "the words of each question");
        let unpriced = metrics.sum("llm_observe_unpriced_calls_total", &[("event", EVENT)]);
        expect(
            unpriced == answers,
            "a model without a price costs nothing known",
        );
    }
    for outcome in ["ok", "cancelled"] {
        let line = format!("{EVENT} {outcome} in ");
        let lines = observed::lines(observer, &[&line, " ttfc="]);
        expect(
            !lines.is_empty(),
            "each end has a line with the time to the first chunk",
        );
        lines.last().into_iter().for_each(|line| println!("{line}"));
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences.join("; ").into()),
    }
}
