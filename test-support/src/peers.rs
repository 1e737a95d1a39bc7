//! The real programs that some tests run against.
//!
//! Where one is missing, its tests print `skipped: ...` and pass; with `LLM_OBSERVE_PEERS=required`
//! they fail.

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

/// An SMTP server for Python's `aiosmtpd`: prints its port, then each message as JSON.
pub const SMTP_SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/smtp_server.py");

/// Reads an envelope from standard input and prints what Sentry's Relay says of its events.
pub const SENTRY_RELAY_CHECK: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/peers/sentry_relay_check.py");

/// Where each comes from.
const SOURCES: [(&str, &str); 9] = [
    ("promtool", "apt-get install prometheus"),
    ("prometheus", "apt-get install prometheus"),
    (
        "prometheus-alertmanager",
        "apt-get install prometheus-alertmanager",
    ),
    ("faketime", "apt-get install faketime"),
    ("logrotate", "apt-get install logrotate"),
    ("chromium", "apt-get install chromium"),
    ("python3", "apt-get install python3"),
    ("node", "apt-get install nodejs"),
    ("prlimit", "apt-get install util-linux"),
];

/// Returns the path of a program; where it is missing, says that the test is skipped.
///
/// # Panics
///
/// When it is missing and peers are required.
pub fn find(program: &str) -> Option<PathBuf> {
    let found = on_path(program);
    if found.is_none() {
        let source = SOURCES.iter().find(|(name, _)| *name == program);
        missing(program, source.map_or("see .ci/run", |(_, source)| source));
    }
    found
}

/// Returns a Python that has this module; where there is none, says that the test is skipped.
///
/// # Panics
///
/// When it is missing and peers are required.
pub fn python(module: &str, package: &str) -> Option<PathBuf> {
    let python = find("python3")?;
    let imports = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !imports {
        missing(
            &format!("the Python module {module}"),
            &format!("pip install {package}"),
        );
    }
    imports.then_some(python)
}

/// Returns Node.js, and the folder of packages with Spotlight in it, which `LLM_OBSERVE_SPOTLIGHT`
/// names; where one is missing, says that the test is skipped.
///
/// # Panics
///
/// When it is missing and peers are required.
pub fn spotlight() -> Option<(PathBuf, PathBuf)> {
    let node = find("node")?;
    let packages = env::var_os("LLM_OBSERVE_SPOTLIGHT").map(PathBuf::from);
    let packages = packages.filter(|folder| folder.join("@spotlightjs/spotlight").is_dir());
    if packages.is_none() {
        missing(
            "Spotlight",
            "npm install @spotlightjs/spotlight, see .ci/run",
        );
    }
    packages.map(|packages| (node, packages))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn missing(what: &str, source: &str) {
    skipped(&format!("{what} is not installed ({source})"));
}

/// Prints that a test is skipped because a peer is missing.
///
/// # Panics
///
/// When peers are required.
pub fn skipped(why: &str) {
    let required = env::var("LLM_OBSERVE_PEERS").is_ok_and(|value| value == "required");
    assert!(!required, "{why}, and LLM_OBSERVE_PEERS=required");
    not_possible_here(why);
}

/// Prints that a test is skipped because the machine or the user does not allow it, such as a mount.
pub fn not_possible_here(why: &str) {
    // Not `eprintln!`: the test harness would capture it.
    let _ = writeln!(io::stderr(), "skipped: {why}");
}
