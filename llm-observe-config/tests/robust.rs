//! No input panics the parser, and what it says is always in order and somewhere in the file.

use std::path::Path;

use llm_observe_config::Config;
use proptest::prelude::*;

const REFERENCE: &str = include_str!("../reference.toml");

/// Parses, and checks what holds for every answer.
fn check(text: &str) -> Result<(), TestCaseError> {
    let Err(errors) = Config::parse(text, Path::new("llm-observe.toml")) else {
        return Ok(());
    };
    let lines = text.lines().count() + 1;
    let positions: Vec<_> = errors
        .iter()
        .map(|problem| (problem.line, problem.column))
        .collect();
    prop_assert!(!positions.is_empty());
    prop_assert!(positions.is_sorted());
    prop_assert!(
        positions
            .iter()
            .all(|(line, column)| (1..=lines).contains(line) && *column >= 1)
    );
    prop_assert_eq!(errors.to_string().lines().count(), errors.len());
    Ok(())
}

/// Words that mean something to the parser, in any order.
fn tokens() -> impl Strategy<Value = String> {
    let words: Vec<String> = REFERENCE
        .split(|c: char| c.is_whitespace())
        .chain([
            "\n", "\n", " = ", "[", "]", "{", "}", "\"", "3", "-1", "nan", "0x7f", "1e999", "[[a]]",
        ])
        .map(|word| format!("{word} "))
        .collect();
    let word = proptest::sample::select(words);
    proptest::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

/// One line of the reference with a value of any kind in place of its own.
fn replaced() -> impl Strategy<Value = String> {
    let values = [
        "1",
        "-1",
        "0",
        "1.5",
        "nan",
        "inf",
        "1e400",
        "99999999999999999999",
        "true",
        "\"\"",
        "\"x\"",
        "\"env:\"",
        "\"\\u0000\"",
        "\"a\\nb\"",
        "[]",
        "[1, \"a\", []]",
        "{}",
        "{ a = {} }",
        "1979-05-27",
        "\"ééé\"",
        "\"10MB\"",
        "\"0s\"",
    ];
    let lines: Vec<usize> = (0..REFERENCE.lines().count()).collect();
    (
        proptest::sample::select(lines),
        proptest::sample::select(values.to_vec()),
    )
        .prop_map(|(wanted, value)| {
            let lines = REFERENCE.lines().enumerate().map(|(index, line)| {
                match line.split_once(" = ").filter(|_| index == wanted) {
                    Some((key, _)) => format!("{} = {value}", key.trim_start_matches("# ")),
                    None => line.to_owned(),
                }
            });
            lines.collect::<Vec<_>>().join("\n")
        })
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_tokens(text in tokens()) {
        check(&text)?;
    }

    #[test]
    fn any_value_in_any_place(text in replaced()) {
        check(&text)?;
    }

    #[test]
    fn any_cut_of_the_reference(from in 0..REFERENCE.len(), length in 0_usize..2000) {
        let to = from.saturating_add(length).min(REFERENCE.len());
        if let Some(text) = REFERENCE.get(from..to) {
            check(text)?;
        }
    }

    /// Whatever literal stands where a secret belongs is refused, and shown nowhere.
    #[test]
    fn literal_secrets_are_never_shown(secret in "[A-Za-z0-9/_@:.-]{6,60}", key in 0_usize..6) {
        prop_assume!(!secret.starts_with("env:") && !secret.starts_with("file:"));
        let line = [
            "[channels.z]\nkind = \"slack\"\nwebhook",
            "[channels.z]\nkind = \"pagerduty\"\nrouting_key",
            "[trackers.sentry]\ndsn",
            "[alerts]\nheartbeat",
            "[log]\nlevel",
            "[alerts]\nquiet_hours",
        ][key];
        let shown = Config::parse(&format!("{line} = \"{secret}\"\n"), Path::new("a")).unwrap_err();
        let shown = format!("{shown} {shown:?}");
        // A short literal may happen to be a word of the message itself.
        prop_assume!(!Config::parse(&format!("{line} = \"\"\n"), Path::new("a")).unwrap_err().to_string().contains(&secret));
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }
}
