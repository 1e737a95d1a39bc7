//! A crate outside the workspace, as a user has it: depends on llm-observe by path, and is built
//! with what the workspace has fetched already.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    folder::Folder,
    program::{Ended, observed, run},
};

/// The one thing in which its run differs from a user's: the default port may be in use here.
const FREE_PORT: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";

/// A package in a folder of its own.
#[derive(Debug)]
pub struct Crate {
    name: &'static str,
    folder: Folder,
}

impl Crate {
    /// Lays it out. `dependencies` are lines of its `Cargo.toml`, where `LLM_OBSERVE` stands for the
    /// path of llm-observe. No two may have one name: their programs are built in one folder.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn new(name: &'static str, dependencies: &str, main: &str) -> Crate {
        let folder = Folder::new();
        let root = root();
        let path = root.join("llm-observe").display().to_string();
        let dependencies = dependencies.replace("LLM_OBSERVE", &path);
        folder.write("Cargo.toml", &manifest(name, &dependencies));
        fs::create_dir(folder.path().join("src")).expect("the test's folder is writable");
        folder.write("src/main.rs", main);
        // The same versions as the workspace's: nothing is left to fetch.
        fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("Cargo.lock");
        Crate { name, folder }
    }

    /// Returns where it is.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Builds it offline into `target` and returns the program.
    ///
    /// # Panics
    ///
    /// When it does not build, or its own code has warnings.
    pub fn build(&self, target: &Path) -> PathBuf {
        let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--offline", "--quiet"])
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", target)
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "it does not build: {said}");
        let own = said.contains("--> src/main.rs");
        assert!(!own, "its own code has warnings: {said}");
        target.join("debug").join(self.name)
    }

    /// Builds it and runs it in its folder to its end.
    ///
    /// # Panics
    ///
    /// When it does not build or does not end.
    pub fn run(&self, target: &Path) -> Ended {
        let program = self.build(target);
        let program = program.display().to_string();
        run(&mut observed(&program, &self.folder, FREE_PORT))
    }
}

/// Returns the target folder that a test was built in, from its `CARGO_TARGET_TMPDIR`: what is
/// built there already serves here too.
///
/// # Panics
///
/// When that is no folder of a target folder.
pub fn target(temporary: &str) -> &Path {
    let parent = Path::new(temporary).parent();
    parent.expect("Cargo makes it in the target folder")
}

/// Returns the workspace's root.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests is a folder of the workspace")
}

fn manifest(name: &str, dependencies: &str) -> String {
    // The workspace's profile, so that what the workspace has built serves here too.
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [workspace]\n\n[dependencies]\n{dependencies}\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n[profile.dev.package.\"*\"]\ndebug = false\n"
    )
}
