//! What the program that calls `init!()` may install by itself, by its package's dependencies.
//!
//! A process has one subscriber of `tracing`, one logger of `log` and one recorder of `metrics`, and whoever
//! installs a second one gets an error, or panics. What a program may install after `init!()` is left to it.

use std::{env, path::Path};

use llm_observe_config::dependencies;
use proc_macro2::TokenStream;
use quote::quote;

/// Packages that install a subscriber of `tracing` or a logger of `log`.
const SUBSCRIBERS: [&str; 11] = [
    "android_logger",
    "env_logger",
    "fern",
    "flexi_logger",
    "log4rs",
    "pretty_env_logger",
    "simple_logger",
    "simplelog",
    "stderrlog",
    "syslog",
    "tracing-subscriber",
];

/// What installs a recorder of `metrics` is named so.
const RECORDERS: &str = "metrics-exporter-";

/// Returns the value of `Embedded::installs`.
pub(crate) fn installs(runtime: &TokenStream) -> TokenStream {
    let folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let names = dependencies(Path::new(&folder), has_dev(&file()));
    let subscriber = SUBSCRIBERS.iter().any(|name| names.contains(*name));
    let recorder = names.iter().any(|name| name.starts_with(RECORDERS));
    let sentry = names.contains("sentry");
    quote! {
        #runtime::Installs { subscriber: #subscriber, recorder: #recorder, sentry: #sentry }
    }
}

/// Returns the source file that is being compiled; nothing in a test of this crate.
fn file() -> String {
    let known = proc_macro::is_available().then(|| proc_macro::Span::call_site().file());
    known.unwrap_or_default()
}

/// Returns whether a source file may use what `[dev-dependencies]` names.
fn has_dev(file: &str) -> bool {
    let folders = Path::new(file).components();
    let mut folders = folders.filter_map(|folder| folder.as_os_str().to_str());
    // The folders above that of the package may have any name.
    let target = folders.rfind(|folder| ["src", "benches", "examples", "tests"].contains(folder));
    target.is_some_and(|folder| folder != "src")
}

#[cfg(test)]
mod tests {
    use super::has_dev;

    #[test]
    fn dev_dependencies_are_for_tests_examples_and_benchmarks() {
        for file in [
            "tests/a.rs",
            "service/examples/a/main.rs",
            "/home/a/benches/b.rs",
        ] {
            assert!(has_dev(file), "{file}");
        }
        for file in ["src/main.rs", "src/tests.rs", "tests/src/bin/a.rs", ""] {
            assert!(!has_dev(file), "{file}");
        }
    }
}
