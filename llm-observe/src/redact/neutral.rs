//! Makes text harmless to who reads it elsewhere than in a line: in an alert, in an error tracker.
//! Line breaks and tabs stay, since such texts have lines of their own.
//!
//! Escaped, as in log lines: C0 controls with ESC and NUL, DEL, C1 controls, U+2028 and U+2029, the
//! bidirectional marks, embeddings, overrides and isolates (CVE-2021-42574), and characters that show
//! nothing. A joiner between two characters outside ASCII stays: emoji and scripts need it.

use std::{borrow::Cow, fmt::Write};

/// Returns the text with such characters escaped as `Debug` has them (`\u{202e}`); borrowed where
/// there are none.
#[must_use]
#[cfg_attr(
    not(any(feature = "sentry", feature = "slack")),
    allow(dead_code, reason = "for alerts and trackers")
)]
pub(crate) fn neutralised<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let text = text.into();
    if text.bytes().all(is_plain) || !text.chars().any(is_hostile) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let joins = matches!(c, '\u{200c}' | '\u{200d}')
            && !before.is_ascii()
            && chars.peek().is_some_and(|next| !next.is_ascii());
        match c {
            _ if joins => out.push(c),
            '\0' => out.push_str("\\0"),
            // Writing to a string does not fail.
            _ if is_hostile(c) => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
            _ => out.push(c),
        }
        before = c;
    }
    Cow::Owned(out)
}

/// Returns whether a byte is ASCII that may stay.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\t' | b' '..=b'~')
}

/// Returns whether a character is to be escaped.
pub(crate) fn is_hostile(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{2028}' | '\u{2029}')
        || is_invisible(c)
}

/// Returns whether a character shows nothing, or only changes how others are shown.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reorders_hides_or_controls_is_escaped() {
        for (c, escaped) in [
            ('\u{202e}', "\\u{202e}"),
            ('\u{2066}', "\\u{2066}"),
            ('\u{61c}', "\\u{61c}"),
            ('\u{200e}', "\\u{200e}"),
            ('\u{200f}', "\\u{200f}"),
            ('\u{200b}', "\\u{200b}"),
            ('\u{feff}', "\\u{feff}"),
            ('\u{1b}', "\\u{1b}"),
            ('\r', "\\u{d}"),
            ('\0', "\\0"),
            ('\u{9b}', "\\u{9b}"),
            ('\u{2028}', "\\u{2028}"),
        ] {
            assert_eq!(neutralised(format!("a{c}b")), format!("a{escaped}b"));
        }
    }

    #[test]
    fn what_is_meant_to_be_read_stays() {
        let family = "👨\u{200d}👩\u{200d}👧";
        for text in ["two\nlines\tand a tab", "ünïcödé ключ 密码", family, ""] {
            assert_eq!(neutralised(text), text);
        }
        assert!(matches!(neutralised("plain"), Cow::Borrowed(_)));
        assert_eq!(neutralised("a\u{200d}b"), "a\\u{200d}b");
    }
}
