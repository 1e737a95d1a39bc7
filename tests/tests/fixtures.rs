//! Crates that use the attribute from outside: renamed, through a facade, with a configuration
//! file, with mistakes in it. Each is checked by cargo, offline, in a folder of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const LOCK: &str = include_str!("../../Cargo.lock");

/// A folder with crates, removed at the end.
struct Fixture(PathBuf);

impl Fixture {
    fn new(name: &str, files: &[(&str, &str)]) -> Fixture {
        let root =
            env::temp_dir().join(format!("llm-observe-fixture-{}-{name}", std::process::id()));
        let fixture = Fixture(root);
        fixture.write("Cargo.lock", LOCK);
        for (file, text) in files {
            fixture.write(file, text);
        }
        fixture
    }

    fn write(&self, file: &str, text: &str) {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("$ROOT", repository.to_str().unwrap())).unwrap();
    }

    /// Checks all crates and returns whether they compile, with what cargo says.
    fn check(&self) -> (bool, String) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args([
                "check",
                "--offline",
                "--quiet",
                "--workspace",
                "--color=never",
            ])
            .env("CARGO_TARGET_DIR", target)
            .env("RUSTFLAGS", "")
            .current_dir(&self.0)
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    #[track_caller]
    fn compiles(&self) {
        let (compiles, text) = self.check();
        assert!(compiles, "{text}");
    }

    /// Returns the errors, each up to the place it points at.
    #[track_caller]
    fn errors(&self) -> Vec<String> {
        let (compiles, text) = self.check();
        assert!(!compiles, "{text}");
        let text = format!("\n{text}");
        let errors = text
            .split("\nerror")
            .skip(1)
            .map(|e| e.trim_start_matches(": "));
        errors
            .filter(|e| e.contains("-->"))
            .map(|e| e.split("\n  |").next().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const RUNTIME: &str = "{ path = \"$ROOT/llm-observe\", default-features = false }";

fn manifest(name: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n{dependencies}\n"
    )
}

const EVENTS: &str = r#"
[events.embedding]
channels = ["ops"]
[channels.ops]
kind = "slack"
webhook = "env:SLACK_WEBHOOK_URL"
"#;

#[test]
fn a_renamed_dependency() {
    let runtime = format!(
        "watch = {{ package = \"llm-observe\", {}",
        RUNTIME.trim_start_matches('{')
    );
    let fixture = Fixture::new(
        "renamed",
        &[
            ("Cargo.toml", &manifest("fixture-renamed", &runtime)),
            (
                "src/lib.rs",
                "#![forbid(unsafe_code)]\n#![deny(warnings)]\n
                #[watch::observe(crate = watch, items = 1)]
                pub async fn f(text: &str) -> Result<impl Iterator<Item = char> + '_, std::io::Error> { Ok(text.chars()) }
                #[watch::observe(crate = ::watch)]
                pub fn g() -> Result<u8, String> { Ok(1) }
                pub fn h() -> Result<watch::Observer, watch::Error> { watch::init!(crate = watch) }",
            ),
        ],
    );
    fixture.compiles();
}

#[test]
fn re_exported_through_a_facade() {
    let runtime = format!("llm-observe = {RUNTIME}");
    let facade = manifest("fixture-facade", &runtime).replace("[workspace]\n", "");
    let user = "[workspace]\nmembers = [\"facade\"]\n[package]\nname = \"fixture-user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\nfixture-facade = { path = \"facade\" }\n";
    let fixture = Fixture::new(
        "facade",
        &[
            ("facade/Cargo.toml", &facade),
            ("facade/src/lib.rs", "pub use llm_observe as watch;"),
            ("Cargo.toml", user),
            (
                "src/lib.rs",
                "use fixture_facade::watch;
                pub struct Store;
                #[watch::observe(crate = fixture_facade::watch, ret)]
                impl Store {
                    pub async fn f(&self, n: u8) -> u8 { n }
                    #[watch::observe(event = \"g\")]
                    pub fn g(&self) -> Result<u8, String> { Ok(1) }
                }",
            ),
        ],
    );
    fixture.compiles();
}

#[test]
fn the_catalogue_is_kept_to_and_a_change_of_it_rebuilds() {
    let fixture = Fixture::new(
        "catalogue",
        &[
            (
                "Cargo.toml",
                &manifest("fixture-catalogue", &format!("llm-observe = {RUNTIME}")),
            ),
            ("llm-observe.toml", EVENTS),
            (
                "src/lib.rs",
                "use llm_observe::observe;
#[observe(event = \"embedding\", alert(on(error), channel = \"ops\"))]
pub fn f() {}",
            ),
        ],
    );
    fixture.compiles();
    fixture.write(
        "llm-observe.toml",
        &EVENTS
            .replace("embedding", "embeddings")
            .replace("ops", "oops"),
    );
    let errors = fixture.errors();
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors[0].starts_with("unknown event `embedding`: not in [events] of llm-observe.toml; did you mean `embeddings`?"), "{errors:#?}");
    assert!(errors[0].ends_with("src/lib.rs:2:19"), "{errors:#?}");
    assert!(
        errors[1].starts_with("unknown channel `ops`") && errors[1].ends_with("src/lib.rs:2:59"),
        "{errors:#?}"
    );
    fixture.write("llm-observe.toml", EVENTS);
    fixture.compiles();
}

#[test]
fn one_mistake_is_one_error_where_the_file_has_a_catalogue() {
    let fixture = Fixture::new(
        "one-mistake",
        &[
            (
                "Cargo.toml",
                &manifest("fixture-one-mistake", &format!("llm-observe = {RUNTIME}")),
            ),
            ("llm-observe.toml", EVENTS),
            (
                "src/lib.rs",
                "use llm_observe::observe;
#[observe(evnt = \"embedding\")]
pub fn misspelt() {}
#[observe]
pub const fn constant() {}
#[observe(slow = \"2\")]
pub mod block {
    pub fn inherits() {}
}
#[observe]
pub trait Store {
    #[observe]
    fn no_body();
    fn wrong_name() {}
}",
            ),
        ],
    );
    let errors = fixture.errors();
    let lines: Vec<_> = errors.iter().map(|e| e.rsplit(':').nth(1)).collect();
    let expected = ["2", "5", "6", "13", "14"].map(Some);
    assert_eq!(lines, expected, "{errors:#?}");
}

#[test]
fn what_a_feature_hides_is_named_with_the_feature() {
    let fixture = Fixture::new(
        "features",
        &[
            (
                "Cargo.toml",
                &manifest("fixture-features", &format!("llm-observe = {RUNTIME}")),
            ),
            (
                "src/lib.rs",
                "use llm_observe::log::{LogWriter, read};
pub fn f() {
    llm_observe::http::layer();
    llm_observe::alerts::new();
    llm_observe::Observer::builder().channel(());
    llm_observe::Observer::builder().tracker(());
    llm_observe::Observer::layer(); 
}",
            ),
        ],
    );
    let (compiles, text) = fixture.check();
    assert!(!compiles, "{text}");
    for feature in ["log", "http", "delivery"] {
        let said = format!("gated behind the `{feature}` feature");
        assert!(text.contains(&said), "{feature}: {text}");
    }
    for said in [
        "alerts need a feature",
        "error trackers need a feature",
        "the feature `log`",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("private"), "{text}");
}

#[test]
fn mistakes_in_the_file_are_one_error_with_line_and_column() {
    let fixture = Fixture::new(
        "mistakes",
        &[
            (
                "Cargo.toml",
                &manifest("fixture-mistakes", &format!("llm-observe = {RUNTIME}")),
            ),
            (
                "llm-observe.toml",
                "[log]\nfil = \"app.log\"\n[channels.ops]\nkind = \"slack\"\nwebhook = \"https://hooks.example/T0/B0/secret\"\n",
            ),
            (
                "src/lib.rs",
                "#[llm_observe::observe]\npub fn f() {}\n#[llm_observe::observe]\npub fn g() {}\n",
            ),
        ],
    );
    let errors = fixture.errors();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(
        errors[0].contains("llm-observe.toml:2:1: unknown key `fil`"),
        "{errors:#?}"
    );
    assert!(
        errors[0].contains("llm-observe.toml:5:11:") && !errors[0].contains("hooks.example"),
        "{errors:#?}"
    );
    assert!(errors[0].ends_with("src/lib.rs:1:1"), "{errors:#?}");
    fixture.write(
        "src/lib.rs",
        "pub fn f() -> Result<llm_observe::Observer, llm_observe::Error> { llm_observe::init!() }\n",
    );
    let errors = fixture.errors();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].ends_with("src/lib.rs:1:67"), "{errors:#?}");
    fixture.write("llm-observe.toml", EVENTS);
    fixture.compiles();
}
