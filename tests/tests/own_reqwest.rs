//! A program with a `reqwest` of its own, without TLS: depending on llm-observe does not change it.

use llm_observe_tests::outside::{Crate, target};

const DEPENDENCIES: &str = r#"
llm-observe = { path = "LLM_OBSERVE", features = ["reqwest-middleware"] }
reqwest = { version = "0.13", default-features = false }
"#;

const MAIN: &str = r#"
fn main() {
    let _own = reqwest::Client::new();
    let _observed = llm_observe::http::client::from_builder(reqwest::Client::builder())
        .expect("is built as its own");
    println!("both are built");
}
"#;

#[test]
fn its_own_client_is_built() {
    let program = Crate::new("own_reqwest", DEPENDENCIES, MAIN);
    let ended = program.run(target(env!("CARGO_TARGET_TMPDIR")));
    assert!(ended.status.success(), "{ended}");
    assert!(ended.stdout.contains("both are built"), "{ended}");
}
