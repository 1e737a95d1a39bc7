//! Which errors are repeats of each other: those that differ in ids and measured numbers alone. Pure.
//!
//! A number of up to four digits by itself stays: it is a status, a shard or a row, and errors that
//! differ in it are different. Longer ones, decimals, and those before a unit are measurements.

use std::hash::{Hash, Hasher};

use super::{error_info::ErrorInfo, outcome::ErrorClass};

/// An error as its repeats are recognised: they have the same type and class, and the same texts
/// down the whole chain, ids and measurements aside. It hashes equal for repeats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimilarError<'a> {
    pub(crate) type_name: &'a str,
    pub(crate) class: ErrorClass,
    pub(crate) message: &'a str,
    pub(crate) chain: &'a [String],
}

impl<'a> From<&'a ErrorInfo> for SimilarError<'a> {
    fn from(error: &'a ErrorInfo) -> SimilarError<'a> {
        SimilarError {
            type_name: error.type_name,
            class: error.class,
            message: &error.message,
            chain: &error.chain,
        }
    }
}

impl Hash for SimilarError<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.type_name.hash(state);
        self.class.hash(state);
        SimilarText(self.message).hash(state);
        for cause in self.chain {
            SimilarText(cause).hash(state);
        }
    }
}

/// A text, ids and measurements aside.
struct SimilarText<'a>(&'a str);

/// What stands for a number or an id.
const NUMBER: &str = "0";

impl Hash for SimilarText<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (mut rest, mut in_decimal) = (self.0, false);
        while !rest.is_empty() {
            let other = rest.find(is_of_word).unwrap_or(rest.len());
            let (text, words) = rest.split_at(other);
            let end = words.find(|c| !is_of_word(c)).unwrap_or(words.len());
            let (word, after) = words.split_at(end);
            state.write(text.as_bytes());
            let is_fraction = in_decimal && text == ".";
            in_decimal = is_decimal(after);
            if is_name(word) && !is_fraction && !in_decimal && !is_before_unit(after) {
                state.write(word.as_bytes());
            } else {
                hash_word(word, state);
            }
            rest = after;
        }
        state.write_u8(0xff);
    }
}

/// The longest number that names something.
const LONGEST_NAME: usize = 4;

/// Returns whether it is a number that may name something: a status, a shard, a row.
fn is_name(word: &str) -> bool {
    (1..=LONGEST_NAME).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit())
}

/// Returns whether a fraction follows.
fn is_decimal(after: &str) -> bool {
    let fraction = after.strip_prefix('.').and_then(|rest| rest.bytes().next());
    fraction.is_some_and(|b| b.is_ascii_digit())
}

/// The words behind numbers that were measured or counted.
const UNITS: &[&str] = &[
    "ns",
    "us",
    "ms",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "milliseconds",
    "min",
    "minutes",
    "h",
    "hours",
    "b",
    "byte",
    "bytes",
    "kb",
    "kib",
    "mb",
    "mib",
    "gb",
    "gib",
    "token",
    "tokens",
    "attempt",
    "attempts",
    "retries",
    "tries",
    "times",
    "items",
    "requests",
    "of",
];

fn is_before_unit(after: &str) -> bool {
    if after.starts_with('%') {
        return true;
    }
    let Some(next) = after.strip_prefix(' ') else {
        return false;
    };
    let end = next.find(|c| !is_of_word(c)).unwrap_or(next.len());
    let word = next.get(..end).unwrap_or_default();
    UNITS.iter().any(|unit| unit.eq_ignore_ascii_case(word))
}

const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn hash_word<H: Hasher>(word: &str, state: &mut H) {
    if !word.contains(|c: char| c.is_ascii_digit()) {
        return state.write(word.as_bytes());
    }
    if is_hex_id(word) {
        return state.write(NUMBER.as_bytes());
    }
    for part in word.split_inclusive(['-', '_']) {
        let segment = part.trim_end_matches(['-', '_']);
        if is_random(segment) {
            state.write(NUMBER.as_bytes());
        } else {
            hash_digits(segment, state);
        }
        state.write(part.get(segment.len()..).unwrap_or_default().as_bytes());
    }
}

/// Returns whether it is a UUID, a digest, an address or a date: digits and the letters a to f.
fn is_hex_id(word: &str) -> bool {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let long = digits.len() >= 8 || digits.len() < word.len();
    long && digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Returns whether letters and digits are mixed as in an id, such as `011CSHoEeqs5C35K2UUqR7Fy`.
fn is_random(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    (segment.len() >= 6 && digits >= 2) || (segment.len() >= 16 && digits >= 1)
}

/// Each run of digits as one number.
fn hash_digits<H: Hasher>(segment: &str, state: &mut H) {
    let mut in_number = false;
    for byte in segment.bytes() {
        match byte.is_ascii_digit() {
            false => state.write_u8(byte),
            true if !in_number => state.write(NUMBER.as_bytes()),
            true => {}
        }
        in_number = byte.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        let hasher = RandomState::new();
        hasher.hash_one(SimilarText(one)) == hasher.hash_one(SimilarText(other))
    }

    #[test]
    fn texts_that_differ_in_measurements_and_ids_alone_are_alike() {
        for (one, other) in [
            ("no user 48213", "no user 4711223"),
            ("line 3 after 17 ms", "line 3 after 2040 ms"),
            ("used 8192 tokens", "used 12 tokens"),
            ("at 99 % of it", "at 99 % of it"),
            ("took 1.5 s of 30 s", "took 12.25 s of 5 s"),
            (
                "request 6f1c22aa-90b1-4c3d-8e21-aa00bb11cc22 failed",
                "request 0a9b8c7d-1122-4abc-9def-001122334455 failed",
            ),
            (
                "(request id: req_011CSHoEeqs5C35K2UUqR7Fy)",
                "(request id: req_018EhBvkXYkT2wHf9pLq3mZa)",
            ),
            ("chatcmpl-9xK2mQ4rT8 ended", "chatcmpl-7bN1vC3zX5 ended"),
            ("at 0x7f3a10", "at 0x55d0"),
            ("on 2024-08-06", "on 2026-11-24"),
            ("no é10000", "no é220000"),
        ] {
            assert!(alike(one, other), "{one} / {other}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        for (one, other) in [
            ("no user 7", "no group 7"),
            ("refused", "refused 7"),
            ("status 401", "status 500"),
            ("shard 3 is gone", "shard 4 is gone"),
            ("ab", "a"),
            ("deadbeefcafe", "feedfacecafe"),
            ("gpt-4o is gone", "claude-4o is gone"),
            ("", " "),
        ] {
            assert!(!alike(one, other), "{one} / {other}");
        }
    }

    #[test]
    fn repeats_have_the_same_class_and_the_same_causes() {
        let hasher = RandomState::new();
        let of = |class, cause: &str| {
            let mut error = ErrorInfo::new("AskError", "the model failed", class);
            error.chain = vec![cause.to_owned()];
            hasher.hash_one(SimilarError::from(&error))
        };
        let failed = of(ErrorClass::Internal, "status 500, request 170417");
        assert_eq!(
            failed,
            of(ErrorClass::Internal, "status 500, request 170418")
        );
        assert_ne!(
            failed,
            of(ErrorClass::Authentication, "status 401, request 170417")
        );
        assert_ne!(
            failed,
            of(ErrorClass::Internal, "the model's answer is empty")
        );
    }
}
