//! Which values are nothing secret, whatever they are called: placeholders, states, sentences, counts.

use super::{
    bytes::{is_one_of, run, starts_with},
    key::Kind,
    phrases::{CHOICES, OPENINGS, PLACEHOLDERS, ROOTS, STATES, VERBS},
};

/// How much of a value is looked at.
pub(super) const LOOKED_AT: usize = 96;

/// How a value stands behind its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Between quotes, or as a value of its own.
    Quoted,
    /// `name=value`, `--name value`.
    Assigned,
    /// `name: value`, `name is value`.
    Said,
}

/// Returns whether a value is nothing secret.
pub(super) fn is_spared(value: &[u8], kind: Kind, many: bool, style: Style) -> bool {
    let value = value.get(..LOOKED_AT).unwrap_or(value).trim_ascii();
    super::steps::add(value.len());
    if is_placeholder(value) || is_state(value) {
        return true;
    }
    let counted = many || matches!(kind, Kind::Token | Kind::Access | Kind::Pass);
    if counted && is_count(value) {
        return true;
    }
    match kind {
        Kind::Own => false,
        Kind::Value => is_plain_number(value, 2),
        Kind::Access => !value.iter().any(u8::is_ascii_alphanumeric),
        Kind::Token => is_text_token(value, style) || (many && !is_random(value)),
        Kind::Scheme => false,
        Kind::Pass => {
            is_lower(value) && style == Style::Said
                || value.first().is_some_and(u8::is_ascii_digit)
                    && value.windows(4).any(|w| w == b" of ")
        }
        Kind::Line => !value.contains(&b'=') && !is_random(value),
        Kind::Code => !is_code(value),
        Kind::Loose => !is_random(value),
        Kind::Vague => !is_mixed(value),
    }
}

/// What stands for a value that is not there, hidden already, or put in later.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let all = |is: fn(u8) -> bool| value.iter().all(|b| is(*b));
    all(|b| b"*.-_#?".contains(&b))
        || (value.len() > 2 && all(|b| b == b'x' || b == b'X'))
        || PLACEHOLDERS
            .iter()
            .any(|p| starts_with(value, p.as_bytes()))
        || value.windows(3).any(|w| w == b"***" || w == b"...")
        || value.starts_with("…".as_bytes())
        || value.starts_with("•".as_bytes())
        || is_variable(value)
        || is_path(value)
        || is_file(value)
        || (value.starts_with(b"<") && value.ends_with(b">") && is_tag(value))
}

/// `<your key>`, `<eos>`, `<|im_end|>`
fn is_tag(value: &[u8]) -> bool {
    let inner = value.get(1..value.len().saturating_sub(1));
    inner.is_some_and(|inner| {
        inner
            .iter()
            .all(|b| b.is_ascii_alphabetic() || b" -_|".contains(b))
    })
}

/// `$TOKEN`, `%TOKEN%`, `%s`, `YOUR_API_KEY`, `OPENAI_API_KEY`
fn is_variable(value: &[u8]) -> bool {
    let name = value.strip_prefix(b"$").or(value.strip_prefix(b"%"));
    let plain = |name: &[u8]| {
        let name = name.strip_suffix(b"%").unwrap_or(name);
        !name.is_empty()
            && name.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_')
            && (name.len() == 1 || name.iter().all(|b| !b.is_ascii_lowercase()) || is_lower(name))
    };
    let constant = value.len() > 5
        && value.contains(&b'_')
        && value.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    // `$1`, `?`, `:password`, `@password`: a parameter of a statement.
    let number = |name: &[u8]| matches!(name, [b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9']);
    let bound = matches!(value, [b':' | b'@', rest @ ..] if rest.len() > 1 && is_lower(rest));
    name.is_some_and(|name| plain(name) || number(name)) || constant || bound
}

/// Returns whether something is in that range that is not replaced yet.
pub(super) fn is_new(bytes: &[u8], (start, end): (usize, usize)) -> bool {
    bytes
        .get(start..end)
        .is_some_and(|value| !value.is_empty() && !value.starts_with(b"[redacted"))
}

fn is_lower(name: &[u8]) -> bool {
    name.iter().all(|b| b.is_ascii_lowercase() || *b == b'_')
}

/// `config.password`, `self.token`, `req.body.password`, `Token::Ident`: where code has it from.
fn is_path(value: &[u8]) -> bool {
    let letters = value
        .iter()
        .all(|b| b.is_ascii_alphabetic() || b"_.:?!&[]()".contains(b));
    let joined = value
        .windows(2)
        .any(|w| matches!(w, [a, b'.'] if a.is_ascii_alphabetic()) || w == b"::");
    let root = value.split(|b| matches!(b, b'.' | b'[')).next();
    let known = root.is_some_and(|root| ROOTS.has(root)) || value.windows(2).any(|w| w == b"::");
    letters && joined && known
}

/// `/run/secrets/db`, `~/.aws/credentials`
fn is_file(value: &[u8]) -> bool {
    let from_root = [&b"/"[..], b"~/", b"./", b"../"]
        .iter()
        .any(|root| value.starts_with(root));
    from_root
        && value.len() > 3
        && !is_mixed(value)
        && value
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-~".contains(b))
        && value.iter().filter(|b| **b == b'/').count() > 1
}

/// `required`, `not found`, `must be set`, `not_found`
fn is_state(value: &[u8]) -> bool {
    let known = |word: &[u8]| STATES.has(word) || VERBS.has(word) || CHOICES.has(word);
    if known(trimmed(value)) {
        return true;
    }
    if value.contains(&b' ') {
        let first = trimmed(value.split(|b| *b == b' ').next().unwrap_or_default());
        return STATES.has(first) || is_sentence(value);
    }
    let is_dash = |b: &u8| matches!(b, b'_' | b'-');
    value.iter().any(is_dash) && value.split(is_dash).all(known)
}

/// Words with spaces between, of which one is a verb of reports or a state, or the first opens such a sentence. A word with
/// a digit opens none.
fn is_sentence(value: &[u8]) -> bool {
    let mut words = value.split(|b| *b == b' ').map(trimmed);
    let first = words.next().unwrap_or_default();
    first.iter().all(|b| b.is_ascii_alphabetic() || *b == b'\'')
        && (OPENINGS.has(first)
            || VERBS.has(first)
            || words.any(|word| VERBS.has(word) || STATES.has(word)))
}

fn trimmed(word: &[u8]) -> &[u8] {
    let is = |b: &u8| b",.;:!?()[]{}'\"`".contains(b);
    let start = word.iter().take_while(|b| is(b)).count();
    let word = word.get(start..).unwrap_or_default();
    let end = word.iter().rev().take_while(|b| is(b)).count();
    word.get(..word.len() - end).unwrap_or_default()
}

/// A number, with a unit or a per cent sign or without; a share (`3/10`), a sum (`1,024`); a list.
fn is_count(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"[").unwrap_or(value);
    let digits = run(value, 0, |b| b.is_ascii_digit() || b"._,/ ".contains(&b));
    let unit = trimmed(value.get(digits..).unwrap_or_default());
    value.first().is_some_and(u8::is_ascii_digit)
        && (unit.len() <= 3 || is_one_of(unit, &["tokens", "total", "left", "used"]))
        && unit
            .iter()
            .all(|b| b.is_ascii_alphabetic() || *b == b'%' || !b.is_ascii())
        && (unit.len() != 1 || digits < 9)
        && (unit.is_empty() || digits < 14)
}

/// A number of at most so many digits.
fn is_plain_number(value: &[u8], most: usize) -> bool {
    value.len() <= most && value.iter().all(u8::is_ascii_digit)
}

/// What a tokenizer or a parser calls a token.
fn is_text_token(value: &[u8], style: Style) -> bool {
    let letters = |is: fn(&u8) -> bool| value.iter().all(is);
    let word = letters(|b| b.is_ascii_alphabetic() || b"_' ".contains(b));
    let first = value.first().copied().unwrap_or_default();
    !value.iter().any(u8::is_ascii_alphanumeric)
        || value.len() < 4
        || !first.is_ascii()
        || (style != Style::Assigned && word && value.len() <= 16)
        || (letters(|b| b.is_ascii_uppercase() || *b == b'_') && value.len() <= 16)
}

/// A code, or the number of a card: at least three digits, and little else.
fn is_code(value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let others = value
        .iter()
        .filter(|b| !b.is_ascii_digit() && !b" -".contains(b));
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    digits >= 3 && digits >= letters && value.len() <= 32 && others.count() == letters
}

/// What looks like nothing but a credential: long, of letters and digits.
pub(super) fn is_random(value: &[u8]) -> bool {
    if value.len() < 16 || value.contains(&b' ') || value.windows(3).any(|w| w == b"://") {
        return false;
    }
    value
        .split(|b| !b.is_ascii_alphanumeric())
        .any(|part| part.len() >= 12 && has_both(part))
        || (value.len() >= 24 && is_mixed(value))
}

fn has_both(part: &[u8]) -> bool {
    part.iter().any(u8::is_ascii_digit) && part.iter().any(u8::is_ascii_alphabetic)
}

/// Capitals, small letters and digits in one long run.
fn is_mixed(value: &[u8]) -> bool {
    value
        .split(|b| !(b.is_ascii_alphanumeric() || b"_-+".contains(b)))
        .any(|part| {
            part.len() >= 20
                && part.iter().any(u8::is_ascii_digit)
                && part.iter().any(u8::is_ascii_lowercase)
                && part.iter().filter(|b| b.is_ascii_uppercase()).count() >= 2
        })
}

/// Returns whether a word in a sentence can only be a password: letters and digits or signs, and
/// no name of an algorithm or a version.
pub(super) fn is_password_like(word: &[u8]) -> bool {
    let digit = word.iter().any(u8::is_ascii_digit);
    let letter = word.iter().any(u8::is_ascii_alphabetic);
    let sign = word
        .iter()
        .any(|b| b.is_ascii_punctuation() && !b"-_.,:;/()'\"".contains(b));
    word.len() >= 6
        && letter
        && !word.contains(&b'(')
        && (digit || sign)
        && !super::phrases::is_technical(word)
}
