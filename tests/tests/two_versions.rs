//! A program with two versions of llm-observe, as dependencies of its dependencies may bring in. Each knows
//! its own functions, and no other.

use std::{fs, path::Path};

use llm_observe_tests::{
    folder::Folder,
    outside::{Crate, root, target},
};

const MAIN: &str = r#"
#[one::observe(crate = one, event = "of_one", stalled = "1h")]
fn of_one() -> Result<u8, String> {
    Err("fails in one".to_owned())
}

#[two::observe(crate = two, event = "of_two", stalled = "1h")]
fn of_two() -> Result<u8, String> {
    Err("fails in two".to_owned())
}

const CONFIG: &str = "[log]\nenabled = false\n[server]\nlisten = \"off\"\n[events.known]\n";

fn main() {
    let config = one::config::Config::parse(CONFIG, "a.toml".as_ref()).expect("is right");
    let _one = one::Observer::builder().config(config).install().expect("the first");
    let config = two::config::Config::parse(CONFIG, "a.toml".as_ref()).expect("is right");
    let _two = two::Observer::builder().config(config).install().expect("the first of its own");
    assert_eq!((of_one().is_err(), of_two().is_err()), (true, true));
}
"#;

/// Copies a package of the workspace, with another version and another layout of what the linker joins.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
            continue;
        }
        let text = fs::read(&path).unwrap();
        let text = match String::from_utf8(text) {
            Ok(text) => changed(text).into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        fs::write(copied, text).unwrap();
    }
}

fn changed(text: String) -> String {
    text.replace("\"0.1.0\"", "\"0.2.0\"")
        .replace("llm_observe_sites_0_1_0", "llm_observe_sites_0_2_0")
        .replace(
            "    owner: &'static u8,",
            "    wider: [u64; 5],\n    owner: &'static u8,",
        )
        .replace(
            "owner: &OWNER,",
            "wider: [7; 5],\n            owner: &OWNER,",
        )
}

#[test]
fn each_knows_its_own_functions() {
    let second = Folder::new();
    let packages = [
        "llm-observe",
        "llm-observe-macros",
        "llm-observe-config",
        "llm-observe-log",
    ];
    for package in packages {
        copy(&root().join(package), &second.path().join(package));
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let workspace: String = workspace
        .lines()
        .filter(|line| !line.starts_with("default-members"))
        .map(|line| match line.starts_with("members") {
            true => format!("members = {packages:?}\n"),
            false => format!("{line}\n"),
        })
        .collect();
    second.write("Cargo.toml", &changed(workspace));
    let site = second.read("llm-observe/src/kernel/site.rs");
    assert!(site.contains("wider: [7; 5]"), "the layout is another");

    let dependencies = format!(
        "one = {{ package = \"llm-observe\", path = \"LLM_OBSERVE\", default-features = false }}\n\
         two = {{ package = \"llm-observe\", path = {:?}, default-features = false }}\n",
        second.path().join("llm-observe")
    );
    let program = Crate::new("two_versions", &dependencies, MAIN);
    let ended = program.run(target(env!("CARGO_TARGET_TMPDIR")));
    assert!(ended.status.success(), "{ended}");
    for event in ["of_one", "of_two"] {
        let said = format!("the event `{event}` is not in [events]");
        assert_eq!(ended.stderr.matches(&said).count(), 1, "{event}: {ended}");
    }
}
