//! A Slack webhook that is wrong, refuses, limits, fails, stalls or is not there: the annotated
//! function gives what it gives, as fast as ever, and the result of the alert is counted and logged.

use std::time::Duration;

use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
    program::{Ended, observed, run},
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");

const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nconsole = \"never\"\n\
                      [alerts]\ngroup_wait = \"200ms\"\n";

/// The longest that one of fifty calls may take beside whatever the webhook does, in microseconds:
/// far above a call (some 100 µs in a debug build on a busy machine), far below any network limit.
const LONGEST: u64 = 250_000;

/// How long an observer waits when it is dropped, and what a busy machine may add.
const AT_DROP: Duration = Duration::from_secs(5 + 5);

/// Runs the subject, which fails fifty times, with this webhook.
fn burst(folder: &Folder, webhook: &str, after: &[&str]) -> Ended {
    let steps = ["init", "burst"];
    let ended = run(observed(SUBJECT, folder, CONFIG)
        .env("SLACK_WEBHOOK_URL", webhook)
        .args(steps)
        .args(after));
    assert!(ended.status.success(), "{ended}");
    unharmed(&ended);
    ended
}

/// Asserts that each call returned its own error, in the time that it takes.
fn unharmed(ended: &Ended) {
    assert!(ended.stdout.starts_with("burst 50\n"), "{ended}");
    let took = ended.stdout.lines().find_map(|l| l.strip_prefix("took "));
    let took: u64 = took.and_then(|t| t.parse().ok()).expect("how long it took");
    assert!(took < LONGEST, "{took} us in {ended}");
}

/// Asserts that so many deliveries ended so.
fn counted(ended: &Ended, result: &str, count: u64) {
    let lines = || ended.stdout.lines();
    let label = format!("result=\"{result}\"");
    let line = lines()
        .find(|l| l.starts_with("llm_observe_deliveries_total{") && l.contains(&label))
        .unwrap_or_else(|| panic!("nothing {result} in {ended}"));
    let value = line.rsplit(' ').next().and_then(|v| v.parse().ok());
    assert_eq!(value, Some(count), "{line} of {ended}");
}

/// Asserts that a person is told, on standard error or in the log file.
fn logged(folder: &Folder, ended: &Ended, word: &str) {
    let log = folder.read("logs/app.log");
    let said = log.lines().chain(ended.stderr.lines());
    // the lines of the calls themselves do not count
    let mut said = said.filter(|line| !line.contains("failing error"));
    let log = || log.lines().last().unwrap_or_default().to_owned();
    assert!(
        said.any(|l| l.contains(word)),
        "no {word:?}: {ended}\n--- log\n{}",
        log()
    );
}

/// Asserts that nobody is told the webhook's path: it is a credential.
fn secret_kept(folder: &Folder, ended: &Ended) {
    let log = folder.read("logs/app.log");
    for text in [&log, &ended.stdout, &ended.stderr] {
        assert!(!text.contains("XyZZy"), "{text}");
    }
}

#[test]
fn a_burst_is_one_message() {
    let slack = Listener::start(Reply::status(200, "ok"));
    let folder = Folder::new();
    let ended = burst(
        &folder,
        &slack.url("/services/T0/B0/XyZZy"),
        &["flush", "metrics"],
    );
    counted(&ended, "delivered", 1);
    let [message] = &slack.requests()[..] else {
        panic!("{:#?}", slack.requests())
    };
    assert_eq!(message.line, "POST /services/T0/B0/XyZZy HTTP/1.1");
    let body: serde_json::Value = serde_json::from_slice(&message.body).expect("JSON");
    let text = body.to_string();
    for word in [
        "failing",
        "subject::fail",
        "no model answers",
        "50",
        "llm-observe-tests",
    ] {
        assert!(text.contains(word), "no {word} in {body:#}");
    }
    assert!(body["blocks"].is_array(), "{body:#}");
    secret_kept(&folder, &ended);
}

#[test]
fn a_webhook_that_is_gone_is_asked_once() {
    let slack = Listener::start(Reply::status(404, "no_service"));
    let folder = Folder::new();
    let ended = burst(
        &folder,
        &slack.url("/services/T0/B0/XyZZy"),
        &["flush", "metrics"],
    );
    assert_eq!(slack.requests().len(), 1);
    counted(&ended, "refused", 1);
    logged(&folder, &ended, "404");
    secret_kept(&folder, &ended);
}

#[test]
fn a_limit_is_kept_to() {
    let limited = Reply::retry_after("2");
    let slack = Listener::start(Reply::status(200, "ok")).script([limited]);
    let folder = Folder::new();
    let ended = burst(
        &folder,
        &slack.url("/services/T0/B0/XyZZy"),
        &["flush", "metrics"],
    );
    let [first, second] = &slack.requests()[..] else {
        panic!("{:#?}", slack.requests())
    };
    let between = second.at - first.at;
    assert!(between >= Duration::from_secs(2), "after {between:?}");
    assert_eq!(first.body, second.body);
    counted(&ended, "retried", 1);
    counted(&ended, "delivered", 1);
}

#[test]
fn a_failing_server_is_asked_again() {
    let slack = Listener::start(Reply::status(200, "ok")).script([Reply::status(500, "oops")]);
    let folder = Folder::new();
    let ended = burst(
        &folder,
        &slack.url("/services/T0/B0/XyZZy"),
        &["flush", "metrics"],
    );
    assert_eq!(slack.requests().len(), 2);
    counted(&ended, "retried", 1);
    counted(&ended, "delivered", 1);
}

#[test]
fn a_server_that_stalls_holds_up_nobody() {
    let slack = Listener::start(Reply::Stall);
    let folder = Folder::new();
    let ended = burst(&folder, &slack.url("/services/T0/B0/XyZZy"), &[]);
    assert_eq!(slack.requests().len(), 1);
    assert!(ended.took < AT_DROP, "{ended}");
    secret_kept(&folder, &ended);
    logged(&folder, &ended, "the next start tries again");
}

#[test]
fn a_server_that_is_not_there_holds_up_nobody_and_the_next_start_delivers() {
    let address = Listener::nobody();
    let folder = Folder::new();
    let ended = burst(
        &folder,
        &format!("http://{address}/services/T0/B0/XyZZy"),
        &[],
    );
    assert!(ended.took < AT_DROP, "{ended}");
    secret_kept(&folder, &ended);
    let said = ended;

    let slack = Listener::start(Reply::status(200, "ok"));
    let ended = run(observed(SUBJECT, &folder, CONFIG)
        .env("SLACK_WEBHOOK_URL", slack.url("/services/T0/B0/XyZZy"))
        .args(["init", "flush"]));
    assert!(ended.status.success(), "{ended}");
    let [message] = &slack.requests()[..] else {
        panic!("{:#?} of {ended}", slack.requests())
    };
    assert!(message.text().contains("failing"), "{}", message.text());
    logged(&folder, &said, "Connection refused");
    logged(&folder, &said, "the next start tries again");
}

/// Asserts that the program starts, is told these words, and observes all the same.
fn left_out(config: &str, webhook: Option<&str>, words: &[&str]) {
    let folder = Folder::new();
    let mut command = observed(SUBJECT, &folder, config);
    command.envs(webhook.map(|url| ("SLACK_WEBHOOK_URL", url)));
    let ended = run(command.args(["init", "burst"]));
    assert!(ended.status.success(), "{ended}");
    unharmed(&ended);
    for word in words {
        assert!(ended.stderr.contains(word), "no {word:?} in {ended}");
    }
    assert!(folder.read("logs/app.log").lines().count() >= 50, "{ended}");
    secret_kept(&folder, &ended);
}

const CHANNEL: &str = "[channels.ops]\nkind = \"slack\"\nwebhook = \"env:SLACK_WEBHOOK_URL\"\n";

#[test]
fn a_channel_whose_secret_is_missing_is_named() {
    let config = format!("{CONFIG}{CHANNEL}");
    left_out(&config, None, &["`ops`", "SLACK_WEBHOOK_URL"]);
}

#[test]
fn a_webhook_that_is_no_url_is_named_and_not_shown() {
    let config = format!("{CONFIG}{CHANNEL}");
    let words = ["`ops`", "https://"];
    left_out(
        &config,
        Some("hooks.slack.com/services/T0/B0/XyZZy"),
        &words,
    );
}

#[test]
fn a_tracker_whose_secret_is_missing_is_named() {
    let config = format!("{CONFIG}[trackers.sentry]\ndsn = \"env:SENTRY_DSN\"\n");
    left_out(&config, None, &["`sentry`", "SENTRY_DSN"]);
}

#[test]
fn a_test_message_returns_the_answer_of_every_destination() {
    let slack = Listener::start(Reply::status(200, "ok"));
    let gone = Listener::start(Reply::status(404, "no_service"));
    let sentry = Listener::start(Reply::status(200, "{}"));
    let config = format!(
        "{CONFIG}{CHANNEL}[channels.old]\nkind = \"slack\"\nwebhook = \"env:OLD_WEBHOOK\"\n\
         [trackers.sentry]\ndsn = \"env:DSN\"\n"
    );
    let folder = Folder::new();
    let ended = run(observed(SUBJECT, &folder, &config)
        .env("SLACK_WEBHOOK_URL", slack.url("/services/T0/B0/XyZZy"))
        .env("OLD_WEBHOOK", gone.url("/services/T0/B0/XyZZy"))
        .env("DSN", format!("http://key@{}/42", sentry.address()))
        .args(["init", "test", "metrics"]));
    assert!(ended.status.success(), "{ended}");
    let wanted = "test [SendTestResult { destination: \"old\", answer: Err(\"HTTP 404: no_service\") }, \
                  SendTestResult { destination: \"ops\", answer: Ok(()) }, \
                  SendTestResult { destination: \"sentry\", answer: Ok(()) }]";
    assert!(ended.stdout.starts_with(wanted), "{ended}");
    let text = slack.requests()[0].text();
    assert!(
        text.contains("This is a test: alerts arrive here"),
        "{text}"
    );
    assert_eq!(sentry.requests().len(), 1);
    secret_kept(&folder, &ended);
}
