//! Times and texts as every service is sent them.

use jiff::Timestamp;

/// Returns the time in the form of RFC 3339, with microseconds.
pub(crate) fn rfc3339(micros: u64) -> String {
    match i64::try_from(micros)
        .ok()
        .and_then(|m| Timestamp::from_microsecond(m).ok())
    {
        Some(time) => time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        None => String::new(),
    }
}

/// Returns at most `most` characters of `text`, with `…` where something is cut off.
pub(crate) fn truncate(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}
