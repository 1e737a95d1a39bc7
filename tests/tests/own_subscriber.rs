//! A program with a `tracing` subscriber of its own, installed before or after the observer. Each case is
//! a process of its own, since a process has one subscriber.

use std::{
    env, fmt,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use llm_observe::{Observer, config::Config, observe};
use llm_observe_tests::folder::Folder;
use tracing_subscriber::{Layer, Registry, prelude::*};

#[observe]
fn called() {}

/// Counts the spans that a subscriber sees.
struct Counts(Arc<AtomicUsize>);

impl Layer<Registry> for Counts {
    fn on_new_span(
        &self,
        _: &tracing::span::Attributes<'_>,
        _: &tracing::Id,
        _: tracing_subscriber::layer::Context<'_, Registry>,
    ) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text")
    }
}

fn builder(folder: &Folder) -> llm_observe::Builder {
    let text = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n",
        folder.path()
    );
    Observer::builder().config(Config::parse(&text, "test.toml".as_ref()).unwrap())
}

/// Installs the program's own subscriber, with our layer in it.
fn subscribe(layer: llm_observe::log::Layer) -> Arc<AtomicUsize> {
    let spans = Arc::<AtomicUsize>::default();
    let own = Registry::default().with(Counts(spans.clone()));
    own.with(layer).init();
    spans
}

/// What the program says and calls comes into the file, and its own subscriber sees the spans.
fn check(folder: &Folder, observer: &Observer, spans: &AtomicUsize) {
    tracing::info!("said");
    tracing::info!(user = %Panics, "with {}", Panics);
    called();
    assert!(observer.flush(Duration::from_secs(20)).is_complete());
    let log = folder.read("app.log");
    for line in [
        "said",
        "with <panicked while formatting: no text>",
        "called ok in",
    ] {
        assert!(log.contains(line), "no {line:?} in {log}");
    }
    assert_eq!(spans.load(Ordering::Relaxed), 1);
}

/// Runs a test of this file that is a process of its own.
#[track_caller]
fn run(name: &str) {
    let test = env::current_exe().unwrap();
    let output = Command::new(test)
        .args(["--exact", name, "--ignored"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
fn it_may_be_installed_before_the_observer() {
    run("before");
}

#[test]
fn it_may_be_installed_after_the_observer_that_its_layer_was_made_before() {
    run("after");
}

#[test]
fn it_may_be_installed_after_an_observer_without_one() {
    run("without");
}

#[test]
fn events_of_a_program_without_one_are_formatted_with_care() {
    run("ours");
}

#[test]
#[ignore = "a process of its own"]
fn before() {
    let folder = Folder::new();
    let spans = subscribe(Observer::layer());
    let observer = builder(&folder).install().unwrap();
    check(&folder, &observer, &spans);
}

#[test]
#[ignore = "a process of its own"]
fn after() {
    let folder = Folder::new();
    let layer = Observer::layer();
    let observer = builder(&folder).install().unwrap();
    let spans = subscribe(layer);
    check(&folder, &observer, &spans);
}

#[test]
#[ignore = "a process of its own"]
fn without() {
    let folder = Folder::new();
    let observer = builder(&folder).without_subscriber().install().unwrap();
    let spans = subscribe(Observer::layer());
    check(&folder, &observer, &spans);
}

#[test]
#[ignore = "a process of its own"]
fn ours() {
    let folder = Folder::new();
    let observer = builder(&folder).install().unwrap();
    check(&folder, &observer, &AtomicUsize::new(1));
}
