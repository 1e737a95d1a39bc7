//! What a newcomer does: a new crate, llm-observe as its dependency, the README's quick start
//! pasted into `main.rs`, and `cargo run`.

use std::{fs, path::Path};

use llm_observe_tests::outside::{Crate, root};

const TARGET: &str = env!("CARGO_TARGET_TMPDIR");

const DEPENDENCIES: &str = r#"
llm-observe = { path = "LLM_OBSERVE" }
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
"#;

#[test]
fn the_quick_start_of_the_readme_builds_and_runs_in_a_new_crate() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README.md");
    let main = quick_start(&readme).expect("the README has a Rust block with a `fn main`");
    let user = Crate::new("fresh_user", DEPENDENCIES, &main);
    let ended = user.run(&Path::new(TARGET).join("outside"));
    assert!(ended.status.success(), "{ended}");
    let log = user.folder().read("logs/app.log");
    assert!(log.contains(" - INFO - "), "{log}\nof {ended}");
    for line in log.lines() {
        assert!(line.contains("trace_id="), "{line}");
    }
}

/// Returns the first fenced Rust block that is a program.
fn quick_start(readme: &str) -> Option<String> {
    let mut blocks = readme.split("```rust\n").skip(1);
    let end = |block: &str| block.split_once("```").map(|(code, _)| code.to_owned());
    blocks.find_map(|block| end(block).filter(|code| code.contains("fn main(")))
}
