//! What taking secrets out of a text costs: a usual line, one with a secret, texts of ten and a
//! hundred lines (linear: ten and a hundred times the one), and the same secrets found by one
//! regular expression a shape, as a service does by hand; and nanoseconds a byte of prose and of texts
//! that are made to be slow.

use std::{borrow::Cow, hint::black_box, time::Instant};

use llm_observe::redact::Redactor;
use llm_observe_benches::{Candidate, candidate, compare};
use regex::{Regex, RegexSet};

const LINE: &str = "2026-11-23 07:17:09.123 - INFO - embedding ok in 12.3ms rag::embed \
                    model=text-embedding-3-small items=32 \
                    trace_id=4bf92f3577b34da6a3ce929d0e0e4736 user=alice quality=0.93";

/// The shapes that most services look for, and no more.
const SHAPES: [&str; 10] = [
    r"\bsk-[A-Za-z0-9_-]{16,}",
    r"\bAIza[A-Za-z0-9_-]{31,}",
    r"\bAKIA[A-Z0-9]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",
    r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
    r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
    r"(?i)\b(?:bearer|basic) [A-Za-z0-9._~+/=-]{8,}",
    r#"(?i)(?:password|secret|api[_-]?key|access[_-]?token)["']?\s*[=:]\s*["']?[^\s"',;&]+"#,
    r"://[^/\s:@]+:[^/\s@]+@",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
];

/// One pass to see whether anything is there, then one for each shape.
fn by_hand<'t>(set: &RegexSet, shapes: &[Regex], text: &'t str) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    for found in set.matches(&text.clone()) {
        text = Cow::Owned(shapes[found].replace_all(&text, "[redacted]").into_owned());
    }
    text
}

/// Texts made to be slow, each a megabyte of one piece.
const HOSTILE: [&str; 12] = [
    "a",
    "=",
    ":",
    "sk-",
    "\"",
    "1",
    "4111 ",
    "key: ",
    "a:b@",
    "%41",
    "\\u0041",
    "Q2hhcnMgMTIz",
];

/// Prints nanoseconds a byte, the least of some rounds.
fn per_byte(redactor: &Redactor, name: &str, text: &str) {
    let calls = (2_000_000 / text.len()).max(1);
    let best = (0..10).map(|_| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(redactor.redact(black_box(text)));
        }
        start.elapsed().as_secs_f64() * 1e9
    });
    let best = best.fold(f64::MAX, f64::min);
    let bytes = u32::try_from(text.len() * calls).map_or(f64::MAX, f64::from);
    println!("{name:<52} {:>9.2}", best / bytes);
}

fn bytes(redactor: &Redactor) {
    println!("\n{:<52} {:>9}", "redaction", "ns/byte");
    let prose = "Nobody knows why the quick brown fox jumps over the lazy dog, and then rests. ";
    per_byte(redactor, "prose with nothing in it", &prose.repeat(13));
    per_byte(redactor, "a usual line", LINE);
    for piece in HOSTILE {
        let text = piece.repeat(1_000_000 / piece.len());
        per_byte(redactor, &format!("a megabyte of {piece:?}"), &text);
    }
}

fn main() {
    let redactor = Redactor::default();
    let (set, shapes) = (
        RegexSet::new(SHAPES).expect("regular expressions"),
        SHAPES.map(|shape| Regex::new(shape).expect("a regular expression")),
    );
    let secret = format!("{LINE} api_key=sk-proj-Ab1cdEFghIJklMNopQRstUV");
    let (ten, hundred) = (
        format!("{LINE}\n").repeat(10),
        format!("{LINE}\n").repeat(100),
    );
    let ours = |name, text| -> Candidate<'_> {
        let redactor = &redactor;
        candidate(name, move || {
            black_box(redactor.redact(black_box(text)));
        })
    };
    let regex = |name, text| -> Candidate<'_> {
        let (set, shapes) = (&set, &shapes);
        candidate(name, move || {
            black_box(by_hand(set, shapes, black_box(text)));
        })
    };
    compare(
        &format!("redaction of a line of {} bytes", LINE.len()),
        30,
        10_000,
        vec![
            ours("llm-observe, a usual line", LINE),
            ours("llm-observe, a model's name", "text-embedding-3-small"),
            ours(
                "llm-observe, a question",
                "What does the contract say about termination?",
            ),
            ours("llm-observe, one with a secret", secret.as_str()),
            ours("llm-observe, ten lines", ten.as_str()),
            ours("llm-observe, a hundred lines", hundred.as_str()),
            regex("regex, ten shapes, a usual line", LINE),
            regex("regex, ten shapes, one with a secret", secret.as_str()),
            regex("regex, ten shapes, a hundred lines", hundred.as_str()),
        ],
    );
    bytes(&redactor);
}
