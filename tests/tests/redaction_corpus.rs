//! Sends the texts of `tests/corpus` through redaction and prints how many secrets leaked and how many
//! innocent texts were mangled, by group:
//! `cargo test -p llm-observe-tests --test redaction_corpus -- --nocapture`.
//!
//! The secrets are made here from parts, so that no file holds anything that looks like a live one.

use std::collections::BTreeMap;

use llm_observe::redact::Redactor;

/// At most so many may leak, and be mangled, in each half.
const LEAKS: usize = 3;
const MANGLED: usize = 1;

const OPEN: char = '⟦';
const SHUT: char = '⟧';

/// A text, and the secrets in it.
struct Case {
    group: String,
    field: Option<String>,
    text: String,
    secrets: Vec<String>,
}

/// Numbers that look like chance and are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn body(&mut self, alphabet: &str, len: usize) -> Option<String> {
        let letters: &[u8] = match alphabet {
            "hex" => b"0123456789abcdef",
            "digits" => b"0123456789",
            "lower" => b"abcdefghijklmnopqrstuvwxyz0123456789",
            "upper" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "alnum" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "word" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
            "b64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            _ => return None,
        };
        let body = (0..len).map(|_| char::from(letters[self.next(letters.len())]));
        Some(body.collect())
    }

    /// Replaces `{hex:32}` and the like.
    fn filled(&mut self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let part = after.split_once('}').and_then(|(inside, tail)| {
                let (alphabet, len) = inside.split_once(':')?;
                Some((self.body(alphabet, len.parse().ok()?)?, tail))
            });
            match part {
                Some((body, tail)) => {
                    out.push_str(&body);
                    rest = tail;
                }
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out + rest
    }
}

fn cases(file: &str) -> Vec<Case> {
    let mut group = String::new();
    let mut cases = Vec::new();
    for (number, line) in file.lines().enumerate() {
        if let Some(name) = line.strip_prefix("## ") {
            group = name.to_owned();
        } else if !line.is_empty() && !line.starts_with('#') {
            let mut dice = Dice(u64::try_from(number).unwrap());
            let line = line.replace('⏎', "\n").replace('␛', "\u{1b}");
            let whole = dice.filled(&line);
            let secrets = whole.split(OPEN).skip(1);
            let secrets = secrets.map(|part| part.split(SHUT).next().unwrap().to_owned());
            let text = whole.replace([OPEN, SHUT], "");
            let (field, text) = match text.split_once(" := ") {
                Some((name, value)) if group == "fields" => {
                    (Some(name.to_owned()), value.to_owned())
                }
                _ => (None, text.clone()),
            };
            cases.push(Case {
                group: group.clone(),
                field,
                text,
                secrets: secrets.collect(),
            });
        }
    }
    cases
}

fn redacted(redactor: &Redactor, case: &Case) -> String {
    match &case.field {
        Some(name) => redactor.redact_field(name, &case.text).into_owned(),
        None => redactor.redact(&case.text).into_owned(),
    }
}

/// Returns whether a secret, or half of a long one, is still there.
fn leaks(out: &str, secret: &str) -> bool {
    let chars: Vec<char> = secret.chars().collect();
    let (first, second) = chars.split_at(chars.len() / 2);
    let half = |half: &[char]| chars.len() >= 12 && out.contains(&half.iter().collect::<String>());
    out.contains(secret) || half(first) || half(second)
}

/// Prints the table of one half and returns how many leaked and how many were mangled.
fn measured(name: &str, secrets: &str, innocent: &str) -> (usize, usize) {
    let redactor = Redactor::default();
    let mut table: BTreeMap<(bool, String), (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases(secrets) {
        let out = redacted(&redactor, &case);
        assert!(!case.secrets.is_empty(), "no secret in {}", case.text);
        let row = table.entry((true, case.group.clone())).or_default();
        for secret in &case.secrets {
            row.0 += 1;
            if leaks(&out, secret) {
                row.1 += 1;
                wrong.push(format!("leaked `{secret}`: {} -> {out}", case.text));
            }
        }
        let again = redactor.redact(&out);
        assert_eq!(again, out, "redacting again changes it");
    }
    for case in cases(innocent) {
        let out = redacted(&redactor, &case);
        let row = table.entry((false, case.group.clone())).or_default();
        row.0 += 1;
        if out != case.text {
            row.1 += 1;
            wrong.push(format!("mangled: {} -> {out}", case.text));
        }
    }
    println!("\n{name:<32}{:>6}{:>8}", "texts", "wrong");
    for ((secret, group), (all, wrong)) in &table {
        let kind = if *secret { "secret" } else { "innocent" };
        println!("{:<32}{all:>6}{wrong:>8}", format!("{kind}: {group}"));
    }
    let sum = |secret| {
        let rows = table.iter().filter(|((s, _), _)| *s == secret);
        rows.fold((0, 0), |sum, (_, row)| (sum.0 + row.0, sum.1 + row.1))
    };
    let (leaked, mangled) = (sum(true), sum(false));
    println!(
        "leaked {} of {}, mangled {} of {}",
        leaked.1, leaked.0, mangled.1, mangled.0
    );
    wrong.iter().for_each(|line| println!("  {line:?}"));
    (leaked.1, mangled.1)
}

#[test]
fn few_secrets_leak_and_innocent_texts_stay() {
    let developed = measured(
        "developed on",
        include_str!("../corpus/develop.secrets.txt"),
        include_str!("../corpus/develop.innocent.txt"),
    );
    assert!(
        developed.0 <= LEAKS && developed.1 <= MANGLED,
        "{developed:?}"
    );
}

#[test]
fn few_secrets_leak_and_innocent_texts_stay_that_the_rules_were_not_developed_on() {
    let measured = measured(
        "measured on",
        include_str!("../corpus/measure.secrets.txt"),
        include_str!("../corpus/measure.innocent.txt"),
    );
    assert!(measured.0 <= LEAKS && measured.1 <= MANGLED, "{measured:?}");
}
