//! The tables of `docs/combinations.md` name tests that exist.

use std::{fs, path::Path};

#[test]
fn every_row_names_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/combinations.md")).unwrap();
    let lines: Vec<&str> = page.lines().collect();
    let tables = lines.split(|line| !line.starts_with('|'));
    let tables = tables.filter(|table| table.first().is_some_and(|head| last(head) == "test"));
    let rows: Vec<&str> = tables.flat_map(|table| &table[2..]).copied().collect();
    assert!(rows.len() > 25, "{rows:#?}");
    for row in rows {
        let (name, file) = last(row)
            .split_once(" in ")
            .unwrap_or_else(|| panic!("{row}"));
        let (name, file) = (name.trim_matches('`'), file.trim_matches('`'));
        let source = fs::read_to_string(root.join("tests/tests").join(file));
        let source = source.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {name}()")), "{name} in {file}");
    }
}

/// Returns the last cell of a row.
fn last(row: &str) -> &str {
    let cells = row.trim_end().trim_end_matches('|').rsplit('|').next();
    cells.unwrap_or_default().trim()
}
