//! What a newcomer does: a new crate, llm-observe as its dependency, the README's quick start
//! pasted into `main.rs`, and `cargo run`.

use std::fs;

use llm_observe_tests::outside::{Crate, root, target};

const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

#[test]
fn the_quick_start_of_the_readme_builds_and_runs_in_a_new_crate() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README.md");
    let dependencies = block(&readme, "toml", "[dependencies]").expect("lines for Cargo.toml");
    let main = block(&readme, "rust", "fn main(").expect("a program");
    let user = Crate::new("fresh_user", &here(&dependencies), &main);
    let ended = user.run(target(TEMPORARY));
    assert!(ended.status.success(), "{ended}");
    let log = user.folder().read("logs/app.log");
    for call in [" - INFO - prompt ok in ", " - ERROR - connect error in "] {
        assert!(log.contains(call), "no {call:?} in {log}\nof {ended}");
    }
}

/// Returns the first fenced block of a language that has this in it.
fn block(readme: &str, language: &str, with: &str) -> Option<String> {
    let fence = format!("```{language}\n");
    let mut blocks = readme.split(&fence).skip(1);
    let code = |block: &str| block.split_once("```").map(|(code, _)| code.to_owned());
    blocks.find_map(|block| code(block).filter(|code| code.contains(with)))
}

/// Puts this checkout's path where the README has a reader's.
fn here(dependencies: &str) -> String {
    let lines = dependencies
        .lines()
        .filter(|line| *line != "[dependencies]");
    let lines: Vec<_> = lines
        .map(|line| match line.split_once("path = \"") {
            Some((before, rest)) => {
                let (_, after) = rest.split_once('"').expect("a closed string");
                format!("{before}path = \"LLM_OBSERVE\"{after}")
            }
            None => line.to_owned(),
        })
        .collect();
    lines.join("\n")
}
