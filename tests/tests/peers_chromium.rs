//! The live page in a real browser: what a person would see, and that its script has no mistake.

use std::{path::Path, process::Command};

use llm_observe_tests::{
    folder::Folder,
    peers,
    program::{Running, observed, run},
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";

/// A browser that asks nobody but the page's server, ran to the end of the page's loading.
fn browse(chromium: &Path, profile: &Folder, arguments: &[&str]) -> (String, Vec<String>) {
    let mut command = Command::new(chromium);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
        "--window-size=1280,900",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    let ended = run(command.args(arguments));
    assert!(ended.status.success(), "{ended}");
    let console = ended
        .stderr
        .lines()
        .filter(|line| line.contains(":CONSOLE"));
    let console = console.map(str::to_owned).collect();
    (ended.stdout, console)
}

#[test]
fn a_browser_shows_the_events_and_its_console_is_silent() {
    let Some(chromium) = peers::find("chromium") else {
        return;
    };
    let (folder, profile) = (Folder::new(), Folder::new());
    let steps = ["init", "work", "work", "fail", "chat", "listening", "hold"];
    let mut subject = Running::start(observed(SUBJECT, &folder, CONFIG).args(steps));
    let page = format!("http://{}/", subject.listening());

    let (front, console) = browse(&chromium, &profile, &["--dump-dom", &page]);
    assert_eq!(console, [""; 0]);
    assert!(front.contains("llm-observe"), "{front}");
    assert!(front.contains(r#"href="/metrics""#), "{front}");
    for event in ["work", "failing"] {
        let cell = format!(">{event}</span>");
        assert!(front.contains(&cell), "no {event} in {front}");
    }
    for of_model in ["gpt-4o", "openai", "812", "203", "12.3 %"] {
        let cell = format!(">{of_model}</span>");
        assert!(front.contains(&cell), "no {of_model} in {front}");
    }
    // The prices may not be decoded yet when a program has only just begun.
    let cost = [">$0.0039</span>", ">1 unpriced</span>"];
    assert!(cost.iter().any(|cell| front.contains(cell)), "{front}");
    let recent = r#"id="h-recent">Since "#;
    assert!(front.contains(recent), "just opened, it knows no 5 minutes");
    let metrics = format!("{page}metrics");
    let (metrics, console) = browse(&chromium, &profile, &["--dump-dom", &metrics]);
    assert_eq!(console, [""; 0]);
    for event in ["work", "failing"] {
        assert!(metrics.contains(event), "no {event} in {metrics}");
    }
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-page.png");
    let screenshot = format!("--screenshot={}", picture.display());
    browse(&chromium, &profile, &[&screenshot, &page]);
    assert!(picture.metadata().unwrap().len() > 0);
    assert!(subject.end().status.success());
}

#[test]
fn without_models_there_is_no_section_of_them() {
    let Some(chromium) = peers::find("chromium") else {
        return;
    };
    let (folder, profile) = (Folder::new(), Folder::new());
    let steps = ["init", "work", "listening", "hold"];
    let mut subject = Running::start(observed(SUBJECT, &folder, CONFIG).args(steps));
    let page = format!("http://{}/", subject.listening());
    let (front, console) = browse(&chromium, &profile, &["--dump-dom", &page]);
    assert_eq!(console, [""; 0]);
    assert!(front.contains(r#"id="s-models" hidden="""#), "{front}");
    assert!(subject.end().status.success());
}

/// Shows that the silence above means something.
#[test]
fn a_mistake_in_a_page_is_seen() {
    let Some(chromium) = peers::find("chromium") else {
        return;
    };
    let profile = Folder::new();
    let page = "data:text/html,<script>nobody()</script>";
    let (_, console) = browse(&chromium, &profile, &["--dump-dom", page]);
    assert!(
        console.iter().any(|line| line.contains("nobody")),
        "{console:?}"
    );
}
