//! How messages write parts of a file: keys, names, tables and lists of words.

use std::fmt::Display;

/// Returns `name` if messages may show it: a word that is short and does not look like a secret.
pub(crate) fn shown(name: &str) -> Option<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let plain = name.len() < 16 || !name.bytes().any(|byte| byte.is_ascii_digit());
    (plain && name.len() <= 40 && !name.is_empty() && name.chars().all(word)).then_some(name)
}

/// Returns `key` as TOML writes it: in quotes if necessary.
pub(crate) fn quoted_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !key.is_empty() && key.chars().all(bare) {
        true => key.to_owned(),
        false => format!("\"{}\"", key.escape_debug()),
    }
}

/// Returns the table at the path `names` as TOML writes it, such as `[channels.ops]`.
pub(crate) fn bracketed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.map(quoted_key).collect();
    format!("[{}]", names.join("."))
}

/// Returns the words in backquotes, separated by commas.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// Returns the question that suggests `word`.
pub(crate) fn did_you_mean(word: impl Display) -> String {
    format!("did you mean `{word}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_secret_is_not_shown() {
        assert_eq!(shown("webhok"), Some("webhok"));
        assert_eq!(shown("max_bytes_per_file"), Some("max_bytes_per_file"));
        for name in [
            "",
            "sk-proj-1234567890",
            "AKIA0123456789ABCDEF",
            "a b",
            "x\n",
            "T0K/B0K",
        ] {
            assert_eq!(shown(name), None, "{name}");
        }
    }

    #[test]
    fn keys_as_toml_writes_them() {
        assert_eq!(quoted_key("gpt-4o"), "gpt-4o");
        assert_eq!(quoted_key("gpt-4.1"), "\"gpt-4.1\"");
        assert_eq!(quoted_key("a\nb"), "\"a\\nb\"");
    }
}
