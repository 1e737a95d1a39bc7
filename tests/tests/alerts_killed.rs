//! A service that is killed with an alert on its hands: the next start tells it, once.

use std::fs;

use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
    program::{Ended, LIMIT, Running, observed, run},
    wait,
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");

fn config(group_wait: &str) -> String {
    format!(
        "[server]\nlisten = \"off\"\n[log]\nconsole = \"never\"\n\
         [alerts]\ngroup_wait = \"{group_wait}\"\n"
    )
}

/// Starts the subject, lets it fail fifty times with nobody at its webhook, and kills it once
/// `kept` says so of the names and contents of the outbox's files.
fn killed(folder: &Folder, group_wait: &str, kept: impl Fn(&str, &str) -> bool) {
    let webhook = format!("http://{}/services/T0/B0/x", Listener::nobody());
    let mut running = Running::start(
        observed(SUBJECT, folder, &config(group_wait))
            .env("SLACK_WEBHOOK_URL", webhook)
            .args(["init", "burst", "hold"]),
    );
    assert_eq!(running.line("burst "), "50");
    let slot = folder.path().join("logs/outbox/0");
    wait::until("alert in the outbox", LIMIT, || {
        let files = fs::read_dir(&slot).ok()?.flatten();
        let mut kept = files.filter(|file| {
            let text = fs::read(file.path()).unwrap_or_default();
            let name = file.file_name();
            kept(&name.to_string_lossy(), &String::from_utf8_lossy(&text))
        });
        kept.next().map(drop)
    });
    drop(running);
}

/// Starts it again with a webhook that works, and returns what that was told.
fn next(folder: &Folder) -> (Vec<String>, Ended) {
    let slack = Listener::start(Reply::status(200, "ok"));
    let ended = run(observed(SUBJECT, folder, &config("200ms"))
        .env("SLACK_WEBHOOK_URL", slack.url("/services/T0/B0/x"))
        .args(["init", "flush"]));
    assert!(ended.status.success(), "{ended}");
    let told = slack.requests().iter().map(|r| r.text()).collect();
    (told, ended)
}

fn sent_once(folder: &Folder) {
    let (told, ended) = next(folder);
    let [message] = &told[..] else {
        panic!("{told:#?} of {ended}")
    };
    assert!(message.contains("subject::fail"), "{message}");
    assert!(message.contains("no model answers"), "{message}");
    let (told, ended) = next(folder);
    assert!(told.is_empty(), "{told:#?} of {ended}");
}

#[test]
fn an_alert_that_could_not_be_delivered_arrives_once() {
    let folder = Folder::new();
    killed(&folder, "200ms", |name, _| name.ends_with(".parcel"));
    sent_once(&folder);
}

#[test]
fn an_alert_that_waited_for_its_group_arrives_once() {
    let folder = Folder::new();
    killed(&folder, "1h", |name, text| {
        name == "alerts.json" && text.contains("no model answers")
    });
    sent_once(&folder);
}

#[test]
fn alerts_that_no_folder_takes_are_reported_as_lost() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("logs")).expect("a folder");
    folder.write("logs/outbox", "a file is in the way");
    let webhook = format!("http://{}/services/T0/B0/x", Listener::nobody());
    let ended = run(observed(SUBJECT, &folder, &config("200ms"))
        .env("SLACK_WEBHOOK_URL", webhook)
        .args(["init", "burst", "flush"]));
    assert!(ended.status.success(), "{ended}");
    let lost = "1 report or alert could not be delivered and is lost";
    assert!(ended.stderr.contains(lost), "{ended}");
    let log = folder.read("logs/app.log");
    assert!(log.contains("the outbox folder cannot be used"), "{log}");
}
