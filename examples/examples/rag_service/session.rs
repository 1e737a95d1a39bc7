//! A session of the program with itself: sends questions to its own `/ask`, prints the answers, and
//! checks its own `/metrics`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use reqwest::Client;

use crate::answer::Answer;
use crate::exposition::Scrape;
use crate::server::Ask;

/// The questions. The documents do not answer the last one, which shows a low quality.
const QUESTIONS: [&str; 5] = [
    "What should a client do when the server answers 429?",
    "Why should prompts not be written to the log?",
    "How do I keep a log file from filling the disk?",
    "How is a burst of failures grouped into one alert?",
    "Which wine goes with grilled salmon?",
];
const CALLS: &str = "llm_observe_calls_total";
const DURATION: &str = "llm_observe_call_duration_seconds";
const ITEMS: &str = "llm_observe_items_total";
const REQUESTS: &str = "http_server_request_duration_seconds_count";
const QUALITY: &str = "llm_observe_quality_score";

/// Calls by event and outcome.
pub(crate) type Calls = BTreeMap<(&'static str, &'static str), u32>;

/// Why the session failed.
#[derive(Debug)]
pub(crate) enum SessionError {
    Request {
        url: String,
        source: reqwest::Error,
    },
    /// `/metrics` differs from the calls that were made. One line for each difference.
    Mismatch(Vec<String>),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { url, .. } => write!(f, "no answer from {url}"),
            Self::Mismatch(lines) => {
                write!(
                    f,
                    "/metrics differs from the calls made: {}",
                    lines.join("; ")
                )
            }
        }
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request { source, .. } => Some(source),
            Self::Mismatch(_) => None,
        }
    }
}

/// Returns a client for requests to this process, without a proxy.
///
/// # Errors
/// TLS cannot be set up.
pub(crate) fn client() -> reqwest::Result<Client> {
    Client::builder().no_proxy().build()
}

/// Sends every question, prints each answer, and returns the number of calls of each stage.
///
/// # Errors
/// The service did not respond.
pub(crate) async fn ask_all(client: &Client, service: SocketAddr) -> Result<Calls, SessionError> {
    let mut calls = Calls::new();
    for question in QUESTIONS {
        let answer = ask(client, service, question).await?;
        let stages: &[(&str, &str)] = match answer {
            Ok(_) => &[
                ("embedding", "ok"),
                ("retrieval", "ok"),
                ("answer", "ok"),
                ("query", "ok"),
            ],
            Err(_) => &[("embedding", "error"), ("query", "error")],
        };
        for stage in stages {
            *calls.entry(*stage).or_default() += 1;
        }
        print_answer(question, &answer);
    }
    Ok(calls)
}

/// Returns the text of `/metrics`.
///
/// # Errors
/// It cannot be read.
pub(crate) async fn scrape(client: &Client, metrics: SocketAddr) -> Result<Scrape, SessionError> {
    let url = format!("http://{metrics}/metrics");
    let failed = |source| SessionError::Request {
        url: url.clone(),
        source,
    };
    let response = client
        .get(&url)
        .send()
        .await
        .and_then(|r| r.error_for_status());
    Ok(Scrape::parse(
        &response.map_err(failed)?.text().await.map_err(failed)?,
    ))
}

/// Checks that exactly the calls that were made are counted.
///
/// # Errors
/// A number differs.
pub(crate) fn check(scrape: &Scrape, made: &Calls) -> Result<(), SessionError> {
    let asked = made
        .iter()
        .filter_map(|((event, _), made)| (*event == "query").then_some(made));
    let asked: u32 = asked.sum();
    let requests = scrape.sum(REQUESTS, &[("http_route", "/ask")]);
    let missing = (requests != f64::from(asked))
        .then(|| format!("POST /ask: {asked} made, {requests} counted"));
    let mut differences: Vec<String> = made
        .iter()
        .filter_map(|((event, outcome), made)| {
            let counted = scrape.sum(CALLS, &[("event", event), ("outcome", outcome)]);
            (counted != f64::from(*made))
                .then(|| format!("{event} {outcome}: {made} made, {counted} counted"))
        })
        .collect();
    differences.extend(missing);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(SessionError::Mismatch(differences))
    }
}

/// Prints a row for each event: calls, errors, durations, items per second and mean quality.
pub(crate) fn print_table(scrape: &Scrape) {
    println!("event         calls  errors       p50       p95     items/s  quality");
    for event in scrape.values(CALLS, "event") {
        let of = [("event", event)];
        let calls = scrape.sum(CALLS, &of);
        let errors: f64 = ["error", "panic", "timeout"]
            .iter()
            .map(|outcome| scrape.sum(CALLS, &[("event", event), ("outcome", outcome)]))
            .sum();
        let seconds = scrape.sum(&format!("{DURATION}_sum"), &of);
        println!(
            "{event:<12} {calls:>6} {errors:>7} {:>9} {:>9} {:>11} {:>8}",
            duration(scrape.quantile(DURATION, &of, 0.5)),
            duration(scrape.quantile(DURATION, &of, 0.95)),
            ratio(scrape.sum(ITEMS, &of), seconds, 0),
            ratio(
                scrape.sum(&format!("{QUALITY}_sum"), &of),
                scrape.sum(&format!("{QUALITY}_count"), &of),
                2
            ),
        );
    }
}

/// An error response of the service.
struct Refused {
    status: reqwest::StatusCode,
    body: String,
}

async fn ask(
    client: &Client,
    service: SocketAddr,
    question: &str,
) -> Result<Result<Answer, Refused>, SessionError> {
    let url = format!("http://{service}/ask");
    let failed = |source| SessionError::Request {
        url: url.clone(),
        source,
    };
    let body = Ask {
        question: question.to_owned(),
    };
    let response = client.post(&url).json(&body).send().await.map_err(failed)?;
    match response.status() {
        status if status.is_success() => Ok(Ok(response.json().await.map_err(failed)?)),
        status => Ok(Err(Refused {
            status,
            body: response.text().await.map_err(failed)?,
        })),
    }
}

fn print_answer(question: &str, answer: &Result<Answer, Refused>) {
    println!("Q: {question}");
    match answer {
        Ok(answer) => {
            println!("A: {}", answer.answer);
            let sources: Vec<String> = answer
                .sources
                .iter()
                .map(|s| format!("{} ({})", s.path, s.heading))
                .collect();
            println!("   quality {:.2}  {}\n", answer.quality, sources.join(", "));
        }
        Err(refused) => println!("   {} {}\n", refused.status, refused.body.trim()),
    }
}

fn duration(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds >= 1.0 => format!("{seconds:.2} s"),
        Some(seconds) if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        Some(seconds) => format!("{:.0} us", seconds * 1e6),
    }
}

fn ratio(part: f64, whole: f64, decimals: usize) -> String {
    if whole == 0.0 || (part == 0.0 && decimals == 0) {
        return "-".to_owned();
    }
    format!("{:.decimals$}", part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_not_counted_is_named() {
        let scrape = Scrape::parse(
            "llm_observe_calls_total{event=\"query\",outcome=\"ok\"} 1\n\
             http_server_request_duration_seconds_count{http_route=\"/ask\"} 1\n",
        );
        let one = Calls::from([(("query", "ok"), 1)]);
        let two = Calls::from([(("query", "ok"), 2)]);
        assert!(check(&scrape, &one).is_ok());
        let error = check(&scrape, &two)
            .expect_err("one is missing")
            .to_string();
        for missing in [
            "query ok: 2 made, 1 counted",
            "POST /ask: 2 made, 1 counted",
        ] {
            assert!(error.contains(missing), "{error}");
        }
    }

    #[test]
    fn durations_have_a_unit_that_fits() {
        let printed = [None, Some(2e-6), Some(0.0123), Some(61.0)].map(duration);
        assert_eq!(printed, ["-", "2 us", "12.3 ms", "61.00 s"]);
    }
}
