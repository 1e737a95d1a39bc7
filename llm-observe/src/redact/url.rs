//! The parts of a URL in the middle of a text: user and password, host, a path that is secret.

use super::bytes::{back, is_one_of, run, run_within};

/// Where the parts of an authority are.
pub(super) struct Parts {
    /// The `@` behind user and password.
    pub(super) userinfo_end: Option<usize>,
    pub(super) host: usize,
    pub(super) host_end: usize,
}

/// Hosts, and the start of their paths, behind which the path itself is the credential.
const SECRET_PATHS: &[(&str, &str)] = &[
    ("hooks.slack.com", "/"),
    ("discord.com", "/api/webhooks/"),
    ("discordapp.com", "/api/webhooks/"),
    ("webhook.office.com", "/"),
    ("api.telegram.org", "/bot"),
    ("hc-ping.com", "/"),
];

/// How far an `@` is looked for beyond the first `/`: a bound that keeps the pass linear.
const LONGEST_USERINFO: usize = 256;

/// Returns where the parts are of the authority that starts at `from`; the next `@` is at `next_at`.
pub(super) fn parts(bytes: &[u8], from: usize, next_at: usize) -> Parts {
    let end = authority_end(bytes, from);
    let near = next_at < from + LONGEST_USERINFO;
    let at = last_at(bytes, from, end)
        .or_else(|| near.then(|| unescaped_password(bytes, from, end)).flatten());
    let host = at.map_or(from, |at| at + 1);
    Parts {
        userinfo_end: at,
        host,
        host_end: authority_end(bytes, host),
    }
}

/// Returns the range of user and password before the `@` of an authority without a scheme.
pub(super) fn bare_userinfo(bytes: &[u8], floor: usize, at: usize) -> Option<(usize, usize)> {
    /// What has a colon and an address behind it, and no password.
    const LABELS: &[&str] = &[
        "mailto",
        "user",
        "email",
        "mail",
        "from",
        "to",
        "cc",
        "bcc",
        "sip",
        "sips",
        "xmpp",
        "acct",
        "owner",
        "author",
        "by",
        "for",
        "contact",
        "reply-to",
        "sender",
        "recipient",
        "login",
        "id",
        "account",
        "customer",
        "redacted",
        "username",
        "assignee",
        "npm",
        "pkg",
        "cargo",
        "image",
    ];
    let part = |b: u8| b.is_ascii_graphic() && !b"\"'<>,;()[]{}=@/\\|`".contains(&b);
    let start = back(
        bytes,
        at.saturating_sub(LONGEST_USERINFO / 4).max(floor),
        at,
        part,
    );
    let both = bytes.get(start..at)?;
    let colon = both.iter().position(|b| *b == b':')?;
    let (user, password) = (both.get(..colon)?, both.get(colon + 1..)?);
    let named = user.len() > 1
        && user
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
        && !user.iter().all(u8::is_ascii_digit)
        && !is_one_of(user, LABELS);
    named.then_some(())?;
    let host_end = run_within(bytes, at + 1, 128, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')
    });
    let host = bytes.get(at + 1..host_end)?;
    let top = host.rsplit(|b| *b == b'.').next()?;
    let port = bytes.get(host_end) == Some(&b':')
        && bytes.get(host_end + 1).is_some_and(u8::is_ascii_digit);
    let path = bytes.get(host_end) == Some(&b'/');
    let is_host = host.first().is_some_and(u8::is_ascii_alphanumeric)
        && !host.starts_with(b"sha")
        && (port
            || path
            || is_one_of(host, &["localhost"])
            || (host.contains(&b'.') && top.iter().all(u8::is_ascii_alphabetic)));
    let strong = password
        .iter()
        .any(|b| !b.is_ascii_lowercase() && *b != b'.' && *b != b'-');
    let secret = password.len() >= 3 && password.first() != Some(&b':') && (strong || port);
    (is_host && secret).then_some((start, at))
}

/// Returns where the host ends of a Slack webhook that is written without its scheme at `from`.
pub(super) fn bare_webhook(bytes: &[u8], from: usize) -> Option<usize> {
    const HOST: &[u8] = b"hooks.slack.com";
    bytes
        .get(from..)?
        .starts_with(HOST)
        .then_some(from + HOST.len())
}

/// Returns the range of the path that is the credential of a webhook.
pub(super) fn secret_path(bytes: &[u8], host: usize, host_end: usize) -> Option<(usize, usize)> {
    let name = bytes.get(host..host_end)?;
    let path = bytes.get(host_end..)?;
    let (_, prefix) = SECRET_PATHS.iter().find(|(known, prefix)| {
        is_host(name, known.as_bytes()) && path.starts_with(prefix.as_bytes())
    })?;
    let start = host_end + prefix.len();
    let end = token_end(bytes, start);
    let already = bytes
        .get(start..end)?
        .starts_with(super::URL_MARK.as_bytes());
    (end > start && !already).then_some((start, end))
}

/// Returns whether `host` is `known` or a name under it.
fn is_host(host: &[u8], known: &[u8]) -> bool {
    let Some(head) = host.len().checked_sub(known.len()) else {
        return false;
    };
    let (sub, same) = host.split_at(head);
    same.eq_ignore_ascii_case(known) && (sub.is_empty() || sub.ends_with(b"."))
}

fn authority_end(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, |b| {
        !matches!(b, b'/' | b'?' | b'#') && !ends_url(b)
    })
}

fn token_end(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, |b| !ends_url(b))
}

fn ends_url(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`' | b',' | b')' | b'|'
        )
}

fn last_at(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    let at = bytes.get(from..end)?.iter().rposition(|b| *b == b'@')?;
    (at > 0).then_some(from + at)
}

/// `postgres://user:pa/ss@host`: a password with an unescaped `/`, `?` or `#`. What follows the
/// colon is then no port.
fn unescaped_password(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    let authority = bytes.get(from..end)?;
    let colon = authority.iter().position(|b| *b == b':')?;
    let port = authority.get(colon + 1..)?;
    if port.iter().all(u8::is_ascii_digit) || authority.starts_with(b"[") {
        return None;
    }
    let near = bytes.get(..bytes.len().min(from + LONGEST_USERINFO))?;
    last_at(near, from, token_end(near, from))
}
