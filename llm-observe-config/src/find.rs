//! Finds `llm-observe.toml`.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

/// The name of the configuration file.
pub const FILE_NAME: &str = "llm-observe.toml";

/// Returns the nearest `llm-observe.toml`: beside the `Cargo.toml` of `manifest_dir`, or in a folder
/// above it, up to the workspace root and no further. Outside a workspace only `manifest_dir` counts.
pub fn find(manifest_dir: &Path) -> Option<PathBuf> {
    let root = manifest_dir
        .ancestors()
        .find(|folder| is_workspace_root(folder));
    let root = root.unwrap_or(manifest_dir);
    let within = manifest_dir
        .ancestors()
        .take_while(|folder| folder.starts_with(root));
    within
        .map(|folder| folder.join(FILE_NAME))
        .find(|file| file.is_file())
}

fn is_workspace_root(folder: &Path) -> bool {
    let Ok(manifest) = std::fs::read_to_string(folder.join("Cargo.toml")) else {
        return false;
    };
    let (table, _) = DeTable::parse_recoverable(&manifest);
    table.get_ref().contains_key("workspace")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let name = format!("llm-observe-find-{}-{name}", std::process::id());
            let root = std::env::temp_dir().join(name);
            for (file, text) in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }

        fn found(&self, from: &str) -> Option<PathBuf> {
            let found = find(&self.0.join(from))?;
            Some(found.strip_prefix(&self.0).unwrap().to_owned())
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const PACKAGE: &str = "[package]\nname = \"a\"\n";

    #[test]
    fn nearest_up_to_the_workspace_root() {
        let tree = Tree::new(
            "nearest",
            &[
                ("llm-observe.toml", ""),
                ("ws/Cargo.toml", "[workspace]\n"),
                ("ws/llm-observe.toml", ""),
                ("ws/a/Cargo.toml", PACKAGE),
                ("ws/b/Cargo.toml", PACKAGE),
                ("ws/b/llm-observe.toml", ""),
            ],
        );
        assert_eq!(tree.found("ws/a"), Some("ws/llm-observe.toml".into()));
        assert_eq!(tree.found("ws/b"), Some("ws/b/llm-observe.toml".into()));
    }

    #[test]
    fn never_above_the_workspace_root() {
        let tree = Tree::new(
            "above",
            &[
                ("llm-observe.toml", ""),
                ("ws/Cargo.toml", "[workspace.package]\nversion = \"1\"\n"),
                ("ws/a/Cargo.toml", PACKAGE),
            ],
        );
        assert_eq!(tree.found("ws/a"), None);
    }

    #[test]
    fn outside_a_workspace_only_the_package() {
        let tree = Tree::new(
            "alone",
            &[("llm-observe.toml", ""), ("a/Cargo.toml", PACKAGE)],
        );
        assert_eq!(tree.found("a"), None);
        assert_eq!(tree.found(""), Some("llm-observe.toml".into()));
    }
}
