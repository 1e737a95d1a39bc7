//! A Sentry client of the program, after `init!()`. One before: `sentry_theirs.rs` and `sentry_ours.rs`.

use std::{sync::Arc, time::Duration};

use llm_observe_tests::listener::{Listener, Reply};
use sentry::{ClientOptions, test::TestTransport};

use crate::{CONFIG, fail, run, run_with};

fn options(transport: &Arc<TestTransport>) -> ClientOptions {
    ClientOptions::new()
        .dsn("https://public@sentry.invalid/1")
        .release("theirs@7")
        .transport(transport.clone())
}

#[test]
fn one_after_gets_the_reports() {
    run("sentry::after", CONFIG).says("Sentry was initialised after init!() and is used as it is");
}

#[test]
#[ignore = "a process of its own"]
fn after() {
    let observer = llm_observe::init!().unwrap();
    fail().unwrap_err();
    let early = observer.flush(Duration::from_secs(20));
    assert_eq!((early.delivered, early.kept), (0, 0), "nobody to report to");

    let transport = TestTransport::new();
    let _theirs = sentry::init(options(&transport));
    fail().unwrap_err();
    let flushed = observer.flush(Duration::from_secs(20));
    assert_eq!((flushed.delivered, flushed.kept), (1, 0));
    let envelopes = transport.fetch_and_clear_envelopes();
    let event = envelopes[0].event().unwrap();
    assert_eq!(event.release.as_deref(), Some("theirs@7"));
    assert_eq!(event.tags["event"], "fail");
}

#[test]
fn a_project_of_the_configuration_is_reported_to_past_one_after() {
    let config = format!("{CONFIG}[trackers.sentry]\ndsn = \"env:PROJECT\"\n");
    for (variable, config) in [("PROJECT", config.as_str()), ("SENTRY_DSN", CONFIG)] {
        let listener = Listener::start(Reply::status(200, "{}"));
        let dsn = format!("http://public@{}/42", listener.address());
        run_with("sentry::past", config, &[(variable, &dsn)]);
        let [report] = listener.requests().try_into().unwrap();
        assert_eq!(report.line, "POST /api/42/envelope/ HTTP/1.1");
    }
}

#[test]
#[ignore = "a process of its own"]
fn past() {
    let observer = llm_observe::init!().unwrap();
    let transport = TestTransport::new();
    let _theirs = sentry::init(options(&transport));
    fail().unwrap_err();
    assert_eq!(observer.flush(Duration::from_secs(20)).delivered, 1);
    assert!(transport.fetch_and_clear_envelopes().is_empty());
}
