//! What goes to Sentry, as Sentry's own Spotlight reads and shows it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

use llm_observe_tests::{
    folder::Folder,
    peers,
    program::{Running, observed, run},
};
use serde_json::Value;

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const SPOTLIGHT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/spotlight.mjs");
const CONFIG: &str = "[server]\nlisten = \"off\"\n[log]\nconsole = \"never\"\n\
                      [service]\nname = \"rag\"\nenvironment = \"staging\"\nrelease = \"1.4.2\"\n";

/// Reads what Spotlight shows its page, up to so many envelopes.
fn shown(address: SocketAddr, count: usize) -> Vec<Value> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        stream,
        "GET /stream HTTP/1.0\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n"
    )
    .unwrap();
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let data =
        lines.filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap()));
    data.take(count).collect()
}

#[test]
fn spotlight_shows_an_error_and_a_panic() {
    let Some((node, packages)) = peers::spotlight() else {
        return;
    };
    let mut spotlight = Running::start(Command::new(node).arg(SPOTLIGHT).arg(packages));
    let address = spotlight.listening();
    let folder = Folder::new();
    let ended = run(observed(SUBJECT, &folder, CONFIG)
        .env("SENTRY_DSN", format!("http://public@{address}/42"))
        .args(["init", "work", "fail", "panic", "flush"]));
    assert!(
        ended.status.success() && ended.stdout.contains("kept: 0"),
        "{ended}"
    );

    let envelopes = shown(address, 2);
    let events: Vec<&Value> = envelopes
        .iter()
        .map(|envelope| &envelope[1][0][1])
        .collect();
    assert_eq!(events.len(), 2, "{envelopes:#?}");
    for (envelope, event) in envelopes.iter().zip(&events) {
        assert_eq!(envelope[1][0][0]["type"], "event");
        assert!(envelope[0]["sent_at"].is_string(), "{envelope:#}");
        assert_eq!(event["environment"], "staging");
        assert!(
            event["contexts"]["trace"]["trace_id"].is_string(),
            "{event:#}"
        );
    }
    let last = |event: &Value| {
        event["exception"]["values"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    };
    assert!(
        last(events[0])["value"]
            .as_str()
            .unwrap()
            .contains("no model answers")
    );
    let panicked = last(events[1]);
    assert_eq!(panicked["value"], "the model is gone");
    let frames = panicked["stacktrace"]["frames"].as_array().unwrap();
    assert!(frames.iter().any(|frame| {
        frame["filename"]
            .as_str()
            .is_some_and(|f| f.ends_with("subject.rs"))
    }));
}
