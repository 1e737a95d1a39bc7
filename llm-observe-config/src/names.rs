//! The rules of names.

/// Returns whether `name` is an event's name: `[a-z][a-z0-9_.]*`.
pub fn valid_event_name(name: &str) -> bool {
    let mut chars = name.chars();
    let rest = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '.');
    chars.next().is_some_and(|first| first.is_ascii_lowercase()) && chars.all(rest)
}
