//! Keys and tokens that are known by their shape: a prefix and a length, as their issuers
//! document them.

use super::scan::{Word, is_word};

/// The length under which a word can be none of these.
pub(super) const SHORTEST: usize = 15;

/// A prefix, and the fewest word characters behind it.
struct Shape {
    prefix: &'static [u8],
    behind: usize,
    /// Whether it may start in the middle of a word; where not, what is before it must be
    /// the start of the word, `_` or `-`.
    anywhere: bool,
}

const fn strong(prefix: &'static str, behind: usize) -> Shape {
    Shape {
        prefix: prefix.as_bytes(),
        behind,
        anywhere: true,
    }
}

const fn weak(prefix: &'static str, behind: usize) -> Shape {
    Shape {
        prefix: prefix.as_bytes(),
        behind,
        anywhere: false,
    }
}

const SHAPES: &[Shape] = &[
    strong("sk-ant-", 12),
    strong("sk-proj-", 12),
    strong("sk-svcacct-", 12),
    strong("sk-or-v1-", 12),
    strong("sk_live_", 12),
    strong("sk_test_", 12),
    strong("rk_live_", 12),
    strong("whsec_", 16),
    strong("AIzaSy", 28),
    strong("GOCSPX-", 16),
    strong("github_pat_", 20),
    strong("glpat-", 16),
    strong("xoxb-", 10),
    strong("xoxp-", 10),
    strong("xoxa-", 10),
    strong("xoxe-", 10),
    strong("xoxr-", 10),
    strong("xoxs-", 10),
    strong("xapp-", 10),
    strong("nvapi-", 16),
    strong("pplx-", 32),
    strong("tvly-", 16),
    strong("dop_v1_", 32),
    strong("sntrys_", 16),
    strong("sntryu_", 16),
    strong("pypi-AgEI", 16),
    weak("AIza", 31),
    weak("ghp_", 20),
    weak("gho_", 20),
    weak("ghu_", 20),
    weak("ghs_", 20),
    weak("ghr_", 20),
    weak("hf_", 28),
    weak("gsk_", 28),
    weak("xai-", 32),
    weak("r8_", 32),
    weak("npm_", 32),
];

/// For each byte, the shapes that start with it: bit n is `SHAPES[n]`.
const FIRST: [u64; 256] = first_bytes();

const fn first_bytes() -> [u64; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    // A const context: an index or a shift that is out of bounds would not compile.
    #[allow(clippy::indexing_slicing)]
    while i < SHAPES.len() {
        table[SHAPES[i].prefix[0] as usize] |= 1 << i;
        i += 1;
    }
    table
}

/// Returns the range of the first secret that starts within `word`.
pub(super) fn find(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    let solid = (0..word.bytes.len()).find(|at| starts_solid(bytes, word, *at));
    match solid {
        Some(at) => Some((word.start + at, word.end)),
        None => jwt(bytes, word),
    }
}

/// Returns whether a secret that is all word characters starts at `at`.
fn starts_solid(bytes: &[u8], word: Word<'_>, at: usize) -> bool {
    let rest = word.bytes.get(at..).unwrap_or_default();
    let first = rest.first().map_or(0, |b| usize::from(*b));
    let candidates = FIRST.get(first).copied().unwrap_or_default();
    if candidates == 0 || rest.len() < SHORTEST {
        return false;
    }
    is_listed(rest, candidates, || is_bounded(bytes, word, at))
        || ((is_sk(rest) || is_aws(rest)) && is_bounded(bytes, word, at))
}

fn is_listed(rest: &[u8], mut candidates: u64, bounded: impl Fn() -> bool) -> bool {
    while let Some(shape) = SHAPES.get(candidates.trailing_zeros() as usize) {
        if rest.starts_with(shape.prefix)
            && rest.len() >= shape.prefix.len() + shape.behind
            && (shape.anywhere || bounded())
        {
            return true;
        }
        candidates &= candidates - 1;
    }
    false
}

/// Returns whether a secret may start at `at`: at the word's start, behind `_` or `-`, or behind
/// an escape that the word begins with (`\nsk-...`, `%20sk-...`).
fn is_bounded(bytes: &[u8], word: Word<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|i| word.bytes.get(i)) else {
        return true;
    };
    if matches!(before, b'_' | b'-') {
        return true;
    }
    let escape = word.start.checked_sub(1).and_then(|i| bytes.get(i));
    matches!((escape, at), (Some(b'\\'), 1 | 5) | (Some(b'%'), 2))
}

/// OpenAI's older keys and those of its many imitators: `sk-`, then at least 16 characters that
/// are no words of a name (`sk-learn-contrib-tools`).
fn is_sk(rest: &[u8]) -> bool {
    let Some(key) = rest.strip_prefix(b"sk-") else {
        return false;
    };
    // Enough to tell; the whole would make a long word of many `sk-` quadratic.
    let head = key.get(..48).unwrap_or(key);
    let solid = !head.contains(&b'-');
    key.len() >= 16
        && (solid
            || head
                .iter()
                .any(|b| b.is_ascii_digit() || b.is_ascii_uppercase()))
}

/// AWS access key ids: `AKIA` or `ASIA` and 16 capitals or digits.
fn is_aws(rest: &[u8]) -> bool {
    rest.len() == 20
        && (rest.starts_with(b"AKIA") || rest.starts_with(b"ASIA"))
        && rest
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// A JSON Web Token, RFC 7519: `eyJ` (base64 of `{"`), and three parts with dots between.
fn jwt(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    // The first part is the rest of the word: looked for once, however often `eyJ` is in it.
    if bytes.get(word.end) != Some(&b'.') {
        return None;
    }
    let starts = |at: &usize| {
        word.bytes
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(b"eyJ"))
            && is_bounded(bytes, word, *at)
    };
    let start = word.start + (0..word.bytes.len()).find(starts)?;
    let payload = word.end + 1 + part(bytes, word.end + 1);
    let signed = bytes.get(payload) == Some(&b'.');
    signed.then(|| (start, payload + 1 + part(bytes, payload + 1)))
}

/// Returns the length of the part of a token that starts at `from`.
fn part(bytes: &[u8], from: usize) -> usize {
    bytes
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|b| is_word(**b))
        .count()
}

/// Returns where a PEM private key ends that starts with the dashes of `word`.
pub(super) fn private_key(text: &str, word: Word<'_>) -> Option<usize> {
    if !word.bytes.ends_with(b"-----BEGIN") {
        return None;
    }
    let rest = text.get(word.end..)?;
    let header = rest.find("-----")?;
    if !rest.get(..header)?.contains("PRIVATE KEY") {
        return None;
    }
    let body = rest.get(header + 5..)?;
    let end = body.find("-----END").and_then(|at| {
        let footer = body.get(at + 8..)?.find("-----")?;
        Some(word.end + header + 5 + at + 8 + footer + 5)
    });
    Some(end.unwrap_or(text.len()))
}
