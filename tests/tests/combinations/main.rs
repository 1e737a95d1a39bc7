//! Programs that have a subscriber, a recorder, a Sentry client or an OpenTelemetry provider of their own:
//! the table in `docs/combinations.md`. Each case is a process of its own, since a process has one of each.

mod document;
mod filters;
mod opentelemetry;
mod recorder;
mod sentry;
mod subscriber;

use std::{env, io, time::Duration};

use llm_observe::{Observer, observe};
use llm_observe_tests::{
    folder::Folder,
    program::{self, Ended},
};

/// The configuration of most cases.
const CONFIG: &str = "[log]\nconsole = \"never\"\n[server]\nlisten = \"off\"\n";

/// What the cases call.
#[observe]
fn called() {
    inner();
}

/// Called by [`called`].
#[observe]
fn inner() {}

/// Fails.
#[observe]
fn fail() -> io::Result<()> {
    Err(io::Error::other("no model answers"))
}

/// A case that ran in a process of its own.
struct Case {
    ended: Ended,
    /// The lines of its log file.
    log: String,
}

/// Runs an ignored test of this file in a process of its own.
#[track_caller]
fn run(name: &str, config: &str) -> Case {
    run_with(name, config, &[])
}

/// Runs one as [`run`] does, with these variables.
#[track_caller]
fn run_with(name: &str, config: &str, variables: &[(&str, &str)]) -> Case {
    let folder = Folder::new();
    let test = env::current_exe().unwrap();
    let mut command = program::observed(test.to_str().unwrap(), &folder, config);
    command.args(["--exact", name, "--ignored", "--nocapture"]);
    command.envs(variables.iter().copied());
    let ended = program::run(&mut command);
    assert!(ended.status.success(), "{ended}");
    assert!(ended.stdout.contains("1 passed"), "{ended}");
    let log = folder.read("logs/app.log");
    Case { ended, log }
}

impl Case {
    /// Checks what the program's own subscriber printed.
    #[track_caller]
    fn prints(&self, texts: &[&str]) {
        check("standard output", &self.ended.stdout, texts, true);
    }

    #[track_caller]
    fn does_not_print(&self, texts: &[&str]) {
        check("standard output", &self.ended.stdout, texts, false);
    }

    /// Checks what is in the log file.
    #[track_caller]
    fn logs(&self, texts: &[&str]) {
        check("app.log", &self.log, texts, true);
    }

    #[track_caller]
    fn does_not_log(&self, texts: &[&str]) {
        check("app.log", &self.log, texts, false);
    }

    /// Checks what the observer says on standard error: this, or nothing about it.
    #[track_caller]
    fn says(&self, text: &str) {
        check("standard error", &self.ended.stderr, &[text], true);
    }

    #[track_caller]
    fn says_nothing(&self) {
        check(
            "standard error",
            &self.ended.stderr,
            &["llm-observe:"],
            false,
        );
    }
}

#[track_caller]
fn check(what: &str, all: &str, texts: &[&str], expected: bool) {
    for text in texts {
        assert_eq!(all.contains(text), expected, "{text:?} in {what}:\n{all}");
    }
}

/// Writes out what waits.
#[track_caller]
fn flush(observer: &Observer) {
    let flushed = observer.flush(Duration::from_secs(20));
    assert!(flushed.is_complete(), "{flushed:?}");
}
