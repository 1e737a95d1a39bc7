//! Makes any text safe inside one log line: nothing in it can end the line, start another one, or
//! control the terminal that shows it.
//!
//! Knows characters only: neither lines, nor records, nor where the bytes go.
//!
//! Escaped, in text and in JSON alike: C0 controls (newline, carriage return, ESC, NUL, tab ...),
//! DEL, C1 controls (U+0080 to U+009F, with NEL and the one-character CSI), the line and paragraph
//! separators U+2028 and U+2029, the bidirectional marks and overrides of CVE-2021-42574, which reorder
//! what a reader sees, and characters that show nothing. Joiners stay: emoji and scripts need them. In JSON also `"` and `\` (RFC 8259, section 7).

use crate::kernel::pool::prefix;

/// Appends `value` for a text line, with the escapes of Rust's `Debug` (`\n`, `\u{1b}`). Backslashes
/// stay as they are, so that paths and patterns stay readable.
///
/// A value longer than `max_bytes` is cut at a character boundary, and its length follows: `…[12345 bytes]`.
pub(crate) fn escape_text(out: &mut Vec<u8>, value: &str, max_bytes: usize) {
    escape(out, value, max_bytes, Syntax::Text);
}

/// Appends `value` as the content of a JSON string, without the quotes around it; cut as by
/// [`escape_text`].
pub(crate) fn escape_json(out: &mut Vec<u8>, value: &str, max_bytes: usize) {
    escape(out, value, max_bytes, Syntax::Json);
}

fn escape(out: &mut Vec<u8>, value: &str, max_bytes: usize, syntax: Syntax) {
    if value.len() <= max_bytes && plain_len(value.as_bytes(), syntax) == value.len() {
        return out.extend_from_slice(value.as_bytes());
    }
    let mut escaper = Escaper::new(out, max_bytes, syntax);
    escaper.push(value);
    escaper.finish();
}

/// The syntax around a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// A text line, or the console.
    Text,
    /// Between the quotes of a JSON string.
    Json,
}

/// Escapes a value that comes in pieces.
///
/// [`finish`](Escaper::finish) marks a cut value; without it the value ends unmarked.
pub(crate) struct Escaper<'a> {
    out: &'a mut Vec<u8>,
    syntax: Syntax,
    room: usize,
    total: usize,
    cut: bool,
}

impl<'a> Escaper<'a> {
    /// Returns an escaper that keeps the first `max_bytes` bytes of the value, counted before escaping.
    /// The result can be up to six times as long.
    pub(crate) fn new(out: &'a mut Vec<u8>, max_bytes: usize, syntax: Syntax) -> Self {
        Self {
            out,
            syntax,
            room: max_bytes,
            total: 0,
            cut: false,
        }
    }

    /// Appends the next piece of the value.
    pub(crate) fn push(&mut self, piece: &str) {
        self.total = self.total.saturating_add(piece.len());
        let shown = if self.cut {
            ""
        } else {
            prefix(piece, self.room)
        };
        // Once cut, the value stays cut: a later, shorter piece must not close the gap.
        self.cut |= shown.len() < piece.len();
        self.room = self.room.saturating_sub(shown.len());
        append(self.out, shown, self.syntax);
    }

    /// Ends the value: appends its whole length when it was cut.
    pub(crate) fn finish(self) {
        if self.cut {
            self.out.extend_from_slice("…[".as_bytes());
            self.out
                .extend_from_slice(itoa::Buffer::new().format(self.total).as_bytes());
            self.out.extend_from_slice(b" bytes]");
        }
    }
}

fn append(out: &mut Vec<u8>, piece: &str, syntax: Syntax) {
    let mut rest = piece;
    loop {
        // The length is a character boundary, since only first bytes of characters are flagged.
        let (plain, tail) = rest
            .split_at_checked(plain_len(rest.as_bytes(), syntax))
            .unwrap_or((rest, ""));
        out.extend_from_slice(plain.as_bytes());
        let mut chars = tail.chars();
        let Some(flagged) = chars.next() else { return };
        append_char(out, flagged, syntax);
        rest = chars.as_str();
    }
}

const BLOCK: usize = 16;
const HALF: usize = BLOCK / 2;

/// Returns the length of the prefix whose bytes need no check of their characters.
fn plain_len(bytes: &[u8], syntax: Syntax) -> usize {
    match syntax {
        Syntax::Text => plain_prefix(bytes, flagged_in_text),
        Syntax::Json => plain_prefix(bytes, flagged_in_json),
    }
}

/// Works in blocks without a branch per byte, which the compiler turns into vector compares. The
/// remaining bytes are checked together with those before them, as one more block.
#[inline(always)]
fn plain_prefix(bytes: &[u8], flagged: impl Fn(u8) -> bool + Copy) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| is_clean(block, flagged));
    let clean = clean.count();
    let last = match (bytes.last_chunk::<BLOCK>(), bytes.first_chunk::<HALF>()) {
        (Some(last), _) => clean == blocks.len() && is_clean(last, flagged),
        (None, Some(first)) => {
            let last = bytes.last_chunk::<HALF>();
            is_clean(first, flagged) && last.is_some_and(|last| is_clean(last, flagged))
        }
        (None, None) => false,
    };
    if last {
        return bytes.len();
    }
    let skipped = clean * BLOCK;
    let rest = bytes.get(skipped..).unwrap_or_default();
    skipped
        + rest
            .iter()
            .position(|&byte| flagged(byte))
            .unwrap_or(rest.len())
}

#[inline(always)]
fn is_clean<const N: usize>(block: &[u8; N], flagged: impl Fn(u8) -> bool) -> bool {
    !block.iter().fold(false, |any, &byte| any | flagged(byte))
}

/// Returns whether a character that starts with `byte` may need an escape: 0xC2 starts the C1 controls,
/// 0xE2 the separators and overrides, 0xD8 and 0xEF a mark each (and much that is harmless).
#[inline(always)]
fn flagged_in_text(byte: u8) -> bool {
    (byte < 0x20)
        | (byte == 0x7F)
        | (byte == 0xC2)
        | (byte == 0xD8)
        | (byte == 0xE2)
        | (byte == 0xEF)
}

#[inline(always)]
fn flagged_in_json(byte: u8) -> bool {
    flagged_in_text(byte) | (byte == b'"') | (byte == b'\\')
}

/// Appends a flagged character, escaped if it has to be. (0xC2 and 0xE2 also start `§` and `…`.)
#[cold]
fn append_char(out: &mut Vec<u8>, char: char, syntax: Syntax) {
    match char {
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        _ if is_unsafe(char) => append_code(out, u32::from(char), syntax),
        _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Returns whether a character ends a line, controls a terminal, reorders what is shown, or shows
/// nothing.
fn is_unsafe(char: char) -> bool {
    matches!(
        char,
        '\0'..='\x1F'
            | '\x7F'..='\u{9F}'
            | '\u{61C}'
            | '\u{200B}'
            | '\u{200E}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
    )
}

fn append_code(out: &mut Vec<u8>, code: u32, syntax: Syntax) {
    // Every unsafe character is below U+FFFF: four digits, no surrogate pair.
    let digits = [12, 8, 4, 0].map(|shift| hex_digit(code >> shift));
    match syntax {
        Syntax::Json => {
            out.extend_from_slice(b"\\u");
            out.extend_from_slice(&digits);
        }
        Syntax::Text => {
            out.extend_from_slice(b"\\u{");
            let zeros = digits
                .iter()
                .take(3)
                .take_while(|&&digit| digit == b'0')
                .count();
            out.extend(digits.into_iter().skip(zeros));
            out.push(b'}');
        }
    }
}

fn hex_digit(value: u32) -> u8 {
    u32::to_le_bytes(value)
        .first()
        .and_then(|low| b"0123456789abcdef".get(usize::from(low & 0xF)))
        .copied()
        .unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: &str, max: usize) -> String {
        let mut out = Vec::new();
        escape_text(&mut out, value, max);
        String::from_utf8(out).unwrap()
    }

    fn json(value: &str, max: usize) -> String {
        let mut out = Vec::new();
        escape_json(&mut out, value, max);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lets_plain_text_through_unchanged() {
        let plain =
            "a usual line with k=v, §, é, 日本語, …, “quotes” and C:\\temp, longer than one block";
        assert_eq!(text(plain, usize::MAX), plain);
        assert_eq!(text("", 0), "");
    }

    #[test]
    fn escapes_what_forges_lines_or_drives_terminals() {
        let evil = "\n\r\t\0\x1b[2J\x7f\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{2066}\u{61c}\u{200b}\u{200e}\u{200f}\u{feff}";
        assert_eq!(
            text(evil, 99),
            r"\n\r\t\u{0}\u{1b}[2J\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{2066}\u{61c}\u{200b}\u{200e}\u{200f}\u{feff}"
        );
        assert_eq!(
            json(evil, 99),
            r"\n\r\t\u0000\u001b[2J\u007f\u0085\u009b\u2028\u2029\u202e\u2066\u061c\u200b\u200e\u200f\ufeff"
        );
    }

    #[test]
    fn escapes_quotes_and_backslashes_in_json_only() {
        assert_eq!(json(r#"say "C:\x""#, 99), r#"say \"C:\\x\""#);
        assert_eq!(text(r#"say "C:\x""#, 99), r#"say "C:\x""#);
    }

    #[test]
    fn cuts_between_characters_and_notes_the_length() {
        assert_eq!(text("日本語", 4), "日…[9 bytes]");
        assert_eq!(text("日本語", 9), "日本語");
        assert_eq!(json("日本語", 0), "…[9 bytes]");
    }

    #[test]
    fn a_cut_value_stays_cut_for_later_pieces() {
        let mut out = Vec::new();
        let mut escaper = Escaper::new(&mut out, 4, Syntax::Text);
        ["ab", "日", "c"]
            .iter()
            .for_each(|piece| escaper.push(piece));
        escaper.finish();
        assert_eq!(String::from_utf8(out).unwrap(), "ab…[6 bytes]");
    }

    fn hostile() -> impl Strategy<Value = String> {
        let char = prop_oneof![
            3 => any::<char>(),
            2 => proptest::char::range('\0', '\u{a0}'),
            1 => proptest::char::range('\u{2020}', '\u{2070}'),
            3 => proptest::char::range(' ', '~'),
        ];
        proptest::collection::vec(char, 0..120).prop_map(String::from_iter)
    }

    /// Reads a JSON string's content back, by RFC 8259; `None` when it is not one.
    fn unescape(json: &str) -> Option<String> {
        let mut chars = json.chars();
        let mut out = String::new();
        while let Some(char) = chars.next() {
            out.push(match char {
                '"' | '\0'..='\x1F' => return None,
                '\\' => match chars.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    same @ ('"' | '\\') => same,
                    'u' => char::from_u32(
                        u32::from_str_radix(&chars.by_ref().take(4).collect::<String>(), 16)
                            .ok()?,
                    )?,
                    _ => return None,
                },
                other => other,
            });
        }
        Some(out)
    }

    proptest! {
        #[test]
        fn nothing_unsafe_ever_comes_out(value in hostile(), max in 0usize..200) {
            prop_assert!(!text(&value, max).chars().any(is_unsafe));
            prop_assert!(!json(&value, max).chars().any(is_unsafe));
        }

        #[test]
        fn json_reads_back_as_the_value_or_its_start(value in hostile(), max in 0usize..200) {
            let back = unescape(&json(&value, max)).expect("valid string content");
            match value.len() <= max {
                true => prop_assert_eq!(back, value),
                false => {
                    let note = format!("…[{} bytes]", value.len());
                    let shown = back.strip_suffix(&note).expect("the length is noted");
                    prop_assert!(value.starts_with(shown) && shown.len() <= max && shown.len() + 4 > max);
                }
            }
        }

        #[test]
        fn pieces_escape_as_the_whole(left in hostile(), right in hostile()) {
            let mut out = Vec::new();
            let mut escaper = Escaper::new(&mut out, usize::MAX, Syntax::Text);
            escaper.push(&left);
            escaper.push(&right);
            escaper.finish();
            prop_assert_eq!(String::from_utf8(out).unwrap(), text(&format!("{left}{right}"), usize::MAX));
        }
    }
}
