//! Price files, and those that cannot be used.

use std::{fs, path::PathBuf};

use super::{NOON, at, cost_of, info};
use crate::genai::{
    Usage,
    prices::{Cost, Prices, TableSource, config},
};

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder =
            std::env::temp_dir().join(format!("llm-observe-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn prices(&self, name: &str, data: &[u8]) -> config::Prices {
        let file = self.0.join(name);
        fs::write(&file, data).unwrap();
        let mut config = config::Prices::default();
        config.file = Some(file);
        config
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const FILE: &str = r#"[{"id":"acme","name":"Acme","api_pattern":"https://acme","models":[
    {"id":"small","match":{"starts_with":"small"},"prices":{"input_mtok":1,"output_mtok":2}}]}]"#;

#[test]
fn a_file_replaces_the_bundled_table() {
    let folder = Folder::new("prices-file");
    let prices = Prices::load(&folder.prices("prices.json", FILE.as_bytes()));
    let cost = |provider, model| {
        cost_of(
            &prices,
            provider,
            model,
            &Usage::new(1_000_000, 0),
            at(NOON),
        )
    };
    assert_eq!(cost("acme", "small-2026").usd(), Some(1.0));
    assert_eq!(cost("openai", "gpt-4o"), Cost::Unpriced);
    let about = prices.table().unwrap();
    assert_eq!(about.source, TableSource::File);
    let today = jiff::Timestamp::now().to_string();
    assert_eq!(about.date, today[..10]);
    assert_eq!(info(&prices), [(about.date, "file".to_owned(), 1)]);
}

#[test]
fn a_file_that_cannot_be_used_leaves_the_bundled_table() {
    let folder = Folder::new("prices-broken");
    let negative = FILE.replace("\"input_mtok\":1", "\"input_mtok\":-1");
    let nan = FILE.replace("\"input_mtok\":1", "\"input_mtok\":NaN");
    let pattern = FILE.replace("https://acme", "(");
    let missing = folder.0.join("missing.json");
    let mut configs: Vec<_> = [
        "",
        "[]",
        "{}",
        "[1]",
        "\u{0}",
        &negative,
        &nan,
        &pattern,
        &FILE[..40],
    ]
    .iter()
    .enumerate()
    .map(|(n, text)| folder.prices(&format!("{n}.json"), text.as_bytes()))
    .collect();
    configs.push(folder.prices("utf-8.json", b"\xff\xfe["));
    configs.push(folder.prices("deep.json", "[".repeat(100_000).as_bytes()));
    for file in [missing, folder.0.clone()] {
        let mut config = config::Prices::default();
        config.file = Some(file);
        configs.push(config);
    }
    for config in configs {
        let prices = Prices::load(&config);
        assert_eq!(
            prices.table().unwrap().source,
            TableSource::Bundled,
            "{config:?}"
        );
        let bundled = ("2026-10-30".to_owned(), "bundled".to_owned(), 1);
        assert_eq!(info(&prices), [bundled]);
        let cost = prices.cost(Some("openai"), "gpt-4o", &Usage::new(1_000, 100), at(NOON));
        assert_eq!(cost.usd(), Some(0.0035));
    }
}
