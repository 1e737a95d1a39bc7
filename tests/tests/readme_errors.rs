//! The README's configuration, word for word: `errors.log` has the failures that matter, and no others. A
//! process has one observer, so this file has one test.

use std::{fs, path::Path, time::Duration};

use llm_observe::{Observer, config::Config, http::client, observe};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
};

/// Returns the example of the section "Configuration".
fn example() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, section) = readme.split_once("\n## Configuration\n").unwrap();
    let (_, example) = section.split_once("```toml\n").unwrap();
    example.split_once("```").unwrap().0.to_owned()
}

#[observe(event = "embedding")]
async fn embed(
    client: &reqwest_middleware::ClientWithMiddleware,
    url: &str,
    attempts: u32,
) -> Result<u16, String> {
    for _ in 0..attempts {
        let status = client
            .get(url)
            .send()
            .await
            .map_err(|e| e.to_string())?
            .status();
        if status.is_success() {
            return Ok(status.as_u16());
        }
    }
    Err("no attempt helped".to_owned())
}

#[derive(Debug)]
struct NotFound;

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is no such text")
    }
}

impl std::error::Error for NotFound {}

#[observe(event = "embedding", expected(NotFound))]
fn find() -> Result<(), NotFound> {
    Err(NotFound)
}

#[observe(event = "embedding")]
fn passes_on() -> Result<(), Box<dyn std::error::Error>> {
    Ok(find()?)
}

#[observe(event = "embedding")]
fn panics() {
    panic!("the index is broken");
}

#[observe(event = "embedding", timeout = "5ms")]
async fn hangs() -> Result<(), llm_observe::Elapsed> {
    std::future::pending().await
}

#[tokio::test]
async fn errors_log_has_neither_attempts_that_were_repeated_nor_expected_errors() {
    let folder = Folder::new();
    let mut config = Config::parse(&example(), "llm-observe.toml".as_ref()).unwrap();
    assert!(config.loggers.contains_key("errors"), "{config:?}");
    // Where it runs is not what the example is about.
    config.log.dir = folder.path().to_owned();
    config.server.listen = None;
    let observer = Observer::builder().config(config).install().unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client::from_builder(reqwest::Client::builder().no_proxy()).unwrap();
    let bad = || Reply::status(500, "");
    let listener = Listener::start(Reply::status(200, "")).script([bad(), bad(), bad()]);
    let url = listener.url("/");

    embed(&client, &url, 2).await.unwrap_err();
    assert_eq!(embed(&client, &url, 2).await, Ok(200));
    find().unwrap_err();
    passes_on().unwrap_err();
    std::panic::catch_unwind(panics).unwrap_err();
    hangs().await.unwrap_err();
    tracing::error!("a line of the program's own");
    assert!(observer.flush(Duration::from_secs(20)).is_complete());

    let (all, errors) = (folder.read("app.log"), folder.read("errors.log"));
    for part in ["500 in ", "there is no such text", "WARN", "INFO"] {
        assert!(all.contains(part), "no {part} in {all}");
    }
    let lines: Vec<&str> = errors
        .lines()
        .filter(|line| line.contains(" - ERROR - "))
        .collect();
    let [failed, panicked, timed_out] = &lines[..] else {
        panic!("{errors}")
    };
    assert!(failed.contains("no attempt helped"), "{failed}");
    assert!(panicked.contains("the index is broken"), "{panicked}");
    assert!(timed_out.contains("embedding timeout"), "{timed_out}");
    for part in [
        "500 in ",
        "there is no such text",
        " - WARN - ",
        " - INFO - ",
    ] {
        assert!(!errors.contains(part), "{part} in {errors}");
    }
}
