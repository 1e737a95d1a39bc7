//! Keys and tokens that no prefix of the table of issuers tells: each has a format of its own.

use super::{
    bytes::{back, before, run, run_within},
    classes::is_word,
    scan::Word,
    shape::escaped_starts,
};

/// The hash of a password in the modular crypt format: `$2b$12$..`, `$argon2id$..`.
/// <https://passlib.readthedocs.io/en/stable/modular_crypt_format.html>
pub(super) fn crypt(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    const SCHEMES: &[&[u8]] = &[
        b"$2a$", b"$2b$", b"$2y$", b"$argon2", b"$1$", b"$5$", b"$6$", b"$y$", b"$scrypt",
        b"$pbkdf2",
    ];
    let is = |b: u8| is_word(b) || matches!(b, b'$' | b'=' | b',' | b'.' | b'/' | b'+');
    let start = back(bytes, word.start.saturating_sub(128), word.start, is);
    let text = bytes.get(start..word.start)?;
    let dollar = text.iter().position(|b| *b == b'$')?;
    let text = text.get(dollar..)?;
    let known = SCHEMES.iter().any(|scheme| text.starts_with(scheme));
    known.then(|| (start + dollar, run(bytes, word.end, is)))
}

/// A key of Twilio: `SK` and 32 hexadecimal digits.
/// <https://www.twilio.com/docs/iam/api-keys>
pub(super) fn twilio(word: Word<'_>) -> Option<(usize, usize)> {
    let key = word.bytes.strip_prefix(b"SK")?;
    (key.len() == 32 && key.iter().all(u8::is_ascii_hexdigit)).then_some((word.start, word.end))
}

/// A key of Resend: `re_`, eight letters or digits, `_` and at least 16 more (they have 24).
/// <https://resend.com/docs/api-reference/introduction>
pub(super) fn resend(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    let key = word.bytes.strip_prefix(b"re_")?;
    let from = word.start + 3;
    let id = run_within(bytes, from, 9, |b| b.is_ascii_alphanumeric());
    let tail = key.get(9..)?;
    let fits = id == from + 8 && key.get(8) == Some(&b'_') && tail.len() >= 16;
    let solid = fits && tail.iter().all(u8::is_ascii_alphanumeric);
    solid.then_some((word.start, word.end))
}

/// The token of a Discord bot: an id in base64, six characters of time, and at least 27 of a MAC.
/// <https://docs.discord.com/developers/reference#authentication>
pub(super) fn discord(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    if !matches!(word.bytes.first(), Some(b'M' | b'N' | b'O')) || word.bytes.len() < 23 {
        return None;
    }
    let time = part(bytes, word.end + 1);
    let mac = part(bytes, time + 1);
    let dotted = bytes.get(word.end) == Some(&b'.') && bytes.get(time) == Some(&b'.');
    (dotted && time == word.end + 7 && mac >= time + 1 + 27).then_some((word.start, mac))
}

/// The token of a Telegram bot, whose id ends at `colon`: 35 characters behind it.
/// <https://core.telegram.org/bots/api#authorizing-your-bot>
pub(super) fn telegram(bytes: &[u8], floor: usize, colon: usize) -> Option<(usize, usize)> {
    let start = back(bytes, colon.saturating_sub(13).max(floor), colon, |b| {
        b.is_ascii_digit()
    });
    if !(6..=12).contains(&(colon - start)) {
        return None;
    }
    let end = run_within(bytes, colon + 1, 41, is_word);
    (34..=40)
        .contains(&(end - colon - 1))
        .then_some((start, end))
}

/// A client secret of Azure AD, whose `Q` ends at `tilde`: three characters, a digit and `Q` before
/// it, at least 24 behind it (they have 31 and more).
/// <https://learn.microsoft.com/en-us/purview/sit-defn-client-secret-api-key>
pub(super) fn azure(bytes: &[u8], floor: usize, tilde: usize) -> Option<(usize, usize)> {
    let is = |b: u8| is_word(b) || matches!(b, b'~' | b'.');
    let start = tilde.checked_sub(5).filter(|start| *start >= floor)?;
    let head = bytes.get(start..tilde)?;
    let known =
        matches!(head, [a, b, c, d, b'Q'] if is(*a) && is(*b) && is(*c) && d.is_ascii_digit());
    known.then_some(())?;
    let end = run_within(bytes, tilde + 1, 64, is);
    (end > tilde + 24).then_some((start, end))
}

/// A JSON Web Token, RFC 7519: `eyJ` (base64 of `{"`), and three parts with dots between; five, of
/// which some may be empty, where it is encrypted (RFC 7516).
pub(super) fn jwt(bytes: &[u8], word: Word<'_>) -> Option<(usize, usize)> {
    // The first part is the rest of the word: looked for once, however often `eyJ` is in it.
    if bytes.get(word.end) != Some(&b'.') {
        return None;
    }
    let is = |at: usize| {
        let rest = word.bytes.get(at..);
        rest.is_some_and(|rest| rest.starts_with(b"eyJ"))
    };
    let behind_dash = |at: usize| matches!(before(word.bytes, at), None | Some(b'_' | b'-'));
    let start = escaped_starts(bytes, word)
        .find(|at| is(*at))
        .or_else(|| (0..word.bytes.len()).find(|at| is(*at) && behind_dash(*at)))?;
    let start = word.start + start;
    let payload = part(bytes, word.end + 1);
    if bytes.get(payload) != Some(&b'.') {
        return None;
    }
    let mut end = part(bytes, payload + 1);
    for _ in 0..2 {
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(|b| is_word(*b)) {
            end = part(bytes, end + 1);
        }
    }
    Some((start, end))
}

/// Returns where the part of a token ends that starts at `from`.
fn part(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, is_word)
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
