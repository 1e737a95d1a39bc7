//! Secrets that no `=` or `:` announces: in sentences, in SQL, on command lines.

use super::{
    bytes::{
        back, before, ends_with, is_alnum, is_one_of, is_space, run, run_within, skip_spaces,
        starts_with,
    },
    credentials,
    harmless::{Style, is_new, is_password_like, is_random},
    key::{Keys, Kind},
    names_at::spaced_name,
    phrases::{CONNECTING, STATES},
    scan::Word,
    value::{Name, behind, judged, quoted, token_end, whole_token_end},
};

/// How far the parameters of credentials are looked at.
const PARAMETERS: usize = 512;

/// How far a command line is looked at.
const LINE: usize = 160;

/// Returns the range of the secret that the word announces.
pub(super) fn find(
    bytes: &[u8],
    word: Word<'_>,
    floor: usize,
    keys: &Keys,
) -> Option<(usize, usize)> {
    let lower = |end: &str| ends_with(word.bytes, end.as_bytes());
    if let Some(found) = credentials::find(bytes, word.bytes, word.end) {
        return Some(found);
    }
    if lower("identified") {
        return identified(bytes, word.end);
    }
    if lower("values") {
        return inserted(bytes, word, keys);
    }
    if lower("digest") || lower("oauth") {
        return parameters(bytes, word.end);
    }
    if let Some(option) = option_of(word.bytes) {
        return command(bytes, word, option);
    }
    named(bytes, word, floor, keys)
}

/// `Digest username="me", realm="x", response="6629fae4"`: the credentials of RFC 7616, and of OAuth 1.
fn parameters(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let from = skip_spaces(bytes, end);
    let text = bytes.get(from..)?;
    let known = starts_with(text, b"username=")
        || starts_with(text, b"oauth_")
        || starts_with(text, b"realm=\"");
    // A challenge has a nonce and no response.
    let on_line = |b: u8| !matches!(b, b'\n' | b'\r');
    let near = known.then(|| run_within(text, 0, PARAMETERS, on_line))?;
    let line = text.get(..near)?;
    let secret = |name: &[u8]| {
        line.windows(name.len())
            .any(|w| w.eq_ignore_ascii_case(name))
    };
    let cut = secret(b"response=") || secret(b"signature=");
    cut.then(|| (from, from + run(text, 0, on_line)))
}

/// `IDENTIFIED BY 'x'`, `IDENTIFIED WITH plugin BY 'x'`
fn identified(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let mut at = end;
    for _ in 0..5 {
        at = skip_spaces(bytes, at);
        if let Some(found) = quoted(bytes, at) {
            return is_new(bytes, found).then_some(found);
        }
        let next = run_within(bytes, at, 40, |b| is_alnum(b) || b == b'_');
        let word = bytes.get(at..next)?;
        if word.is_empty() {
            return None;
        }
        at = next;
    }
    None
}

/// `INSERT INTO users (name, password) VALUES ('a', 'x')`: the value in the place of the name.
fn inserted(bytes: &[u8], word: Word<'_>, keys: &Keys) -> Option<(usize, usize)> {
    let shut = back(bytes, word.start.saturating_sub(4), word.start, |b| {
        b.is_ascii_whitespace()
    });
    (before(bytes, shut)? == b')').then_some(())?;
    let open = back(bytes, shut.saturating_sub(200), shut - 1, |b| b != b'(');
    let mut names = bytes.get(open..shut - 1)?.split(|b| *b == b',');
    let place = names.position(|name| {
        let quote = |b: &u8| b" \n\t`\"[]".contains(b);
        let start = name.iter().take_while(|b| quote(b)).count();
        let end = name.len() - name.iter().rev().take_while(|b| quote(b)).count();
        let kind = name.get(start..end).and_then(|name| keys.kind(name, false));
        matches!(
            kind,
            Some(Kind::Value | Kind::Access | Kind::Code | Kind::Token)
        )
    })?;
    let mut at = run_within(bytes, word.end, 4, |b| b.is_ascii_whitespace());
    (bytes.get(at)? == &b'(').then_some(())?;
    at += 1;
    for i in 0..=place {
        at = run_within(bytes, at, 4, |b| b.is_ascii_whitespace());
        let (start, end) = match quoted(bytes, at) {
            Some(found) => found,
            None => (at, run_within(bytes, at, 80, |b| !matches!(b, b',' | b')'))),
        };
        if i == place {
            let value = bytes.get(start..end)?;
            let shown = value.starts_with(b"$")
                || value.starts_with(b"?")
                || value.starts_with(b":")
                || value.starts_with(b"%")
                || value.eq_ignore_ascii_case(b"null");
            return (!shown && is_new(bytes, (start, end))).then_some((start, end));
        }
        at = run_within(bytes, end, 4, |b| b != b',') + 1;
    }
    None
}

/// Which option of a command has a secret behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secret {
    /// `-u user:password`
    User,
    /// `-ppassword`
    Glued,
    /// `-p password`
    Behind,
    /// `-a password`
    Auth,
}

fn option_of(word: &[u8]) -> Option<Secret> {
    const COMMANDS: &[(&str, Secret)] = &[
        ("curl", Secret::User),
        ("wget", Secret::User),
        ("mysql", Secret::Glued),
        ("mysqldump", Secret::Glued),
        ("mysqladmin", Secret::Glued),
        ("mariadb", Secret::Glued),
        ("mariadb-dump", Secret::Glued),
        ("mongo", Secret::Behind),
        ("mongosh", Secret::Behind),
        ("mongodump", Secret::Behind),
        ("sshpass", Secret::Glued),
        ("login", Secret::Behind),
        ("redis-cli", Secret::Auth),
    ];
    COMMANDS
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, option)| *option)
}

/// Finds the option in what follows the command on its line.
fn command(bytes: &[u8], word: Word<'_>, option: Secret) -> Option<(usize, usize)> {
    let stop = run_within(bytes, word.end, LINE, |b| !matches!(b, b'\n' | b'\r'));
    let mut at = word.end;
    while at < stop {
        let start = run_within(bytes, at, 8, |b| is_space(b) || b == b'\\');
        let end = run_within(bytes, start, LINE, |b| !is_space(b) && b != b'\n');
        let text = bytes.get(start..end)?;
        if text == word.bytes || end == at {
            return None;
        }
        let value = match (option, text) {
            (Secret::User, b"-u" | b"--user" | b"-U" | b"--proxy-user") => skip_spaces(bytes, end),
            (Secret::User, _) if text.starts_with(b"-u") && !text.starts_with(b"-ur") => start + 2,
            (Secret::User, _) if text.starts_with(b"--user=") => start + 7,
            (Secret::Glued | Secret::Behind, b"-p")
                if option == Secret::Behind || word.bytes == b"sshpass" =>
            {
                skip_spaces(bytes, end)
            }
            (Secret::Glued | Secret::Behind, _) if text.starts_with(b"-p") && text.len() > 2 => {
                start + 2
            }
            (Secret::Auth, b"-a") => skip_spaces(bytes, end),
            _ => {
                at = end;
                continue;
            }
        };
        let (from, to) = quoted(bytes, value).unwrap_or_else(|| {
            (
                value,
                run_within(bytes, value, LINE, |b| {
                    !is_space(b) && !matches!(b, b'\n' | b'"' | b'\'')
                }),
            )
        });
        let secret = bytes.get(from..to)?;
        let pair =
            secret.contains(&b':') && !secret.iter().all(|b| b.is_ascii_digit() || *b == b':');
        let fits = if option == Secret::User {
            pair
        } else {
            !secret.starts_with(b"$")
        };
        return (fits && is_new(bytes, (from, to)) && !secret.starts_with(b"REDACTED"))
            .then_some((from, to));
    }
    None
}

/// `--token x`, `password is x`, `password 'x'`, `with token x`
fn named(bytes: &[u8], word: Word<'_>, floor: usize, keys: &Keys) -> Option<(usize, usize)> {
    // `password's x`
    let end = if bytes.get(word.end..)?.starts_with(b"'s ") {
        word.end + 2
    } else {
        word.end
    };
    if !matches!(bytes.get(end), Some(b' ' | b'\t' | b'|')) {
        return None;
    }
    let start = spaced_name(bytes, floor, word.start, word.end);
    let (kind, many) = match word.bytes {
        // What Redis is sent.
        b"AUTH" => (Kind::Value, false),
        _ => keys.judged(bytes.get(start..word.end)?, false)?,
    };
    let name = Name {
        kind,
        many,
        quoted: false,
        within: before(bytes, start).filter(|b| matches!(b, b'"' | b'\'' | b'`')),
        in_query: false,
        first: false,
        start,
    };
    if word.bytes.starts_with(b"--") && word.bytes.len() > 2 {
        return (bytes.get(word.end + 1) != Some(&b'-'))
            .then(|| behind(bytes, word.end, name, Style::Assigned))?;
    }
    if matches!(kind, Kind::Vague | Kind::Line | Kind::Pass) {
        return None;
    }
    let spaced = skip_spaces(bytes, end);
    let arrow = arrow_len(bytes.get(spaced..)?);
    let at = skip_spaces(bytes, spaced + arrow);
    if let Some(value) = of_somebody(bytes, at) {
        return behind(bytes, value, name, Style::Said);
    }
    let verb = run_within(bytes, at, 12, u8_is_letter);
    let is = is_one_of(
        bytes.get(at..verb)?,
        &["is", "was", "are", "equals", "becomes"],
    );
    let at = if is { skip_spaces(bytes, verb) } else { at };
    let is = is || arrow > 0;
    if matches!(bytes.get(at), Some(b'=' | b':' | b'(' | b'{' | b'[' | b',')) {
        return None;
    }
    let object = ends_with(word.bytes, b"secret") || ends_with(word.bytes, b"credentials");
    if let Some((start, end)) = quoted(bytes, at) {
        let value = bytes.get(start..end.min(start + 64))?;
        let near = end - start < 64 && !value.contains(&b'\n') && bytes.get(at) != Some(&b'\\');
        let sure = match kind {
            Kind::Value if !object => true,
            Kind::Code | Kind::Value => is_random(value),
            _ => is_password_like(value) && value.len() >= 8,
        };
        return (near && sure).then(|| judged(bytes, start, end, name, Style::Quoted))?;
    }
    let end = token_end(bytes, at, name);
    let end = end - usize::from(matches!(before(bytes, end), Some(b'.' | b'!' | b'?')) && end > at);
    let value = bytes.get(at..end)?;
    let sure = match kind {
        Kind::Code => value.len() >= 4 && value.iter().all(u8::is_ascii_digit),
        Kind::Value if object && !is => is_random(value),
        Kind::Value if is => is_password_like(value) || is_last_word(bytes, value, end),
        Kind::Value => is_password_like(value),
        _ => is_password_like(value) && (value.len() >= 12 || is),
    };
    let (start, end) = sure.then(|| judged(bytes, at, end, name, Style::Said))??;
    Some((start, whole_token_end(bytes, start, end, name)))
}

/// Returns the length of what points from a name to its value.
fn arrow_len(text: &[u8]) -> usize {
    const ARROWS: &[&[u8]] = &[b"->", "→".as_bytes(), b"|", b"- "];
    ARROWS
        .iter()
        .find(|arrow| text.starts_with(arrow))
        .map_or(0, |arrow| arrow.len())
}

/// `for 'bob' =`, `of user bob:`: returns where the value starts.
fn of_somebody(bytes: &[u8], at: usize) -> Option<usize> {
    let text = bytes.get(at..)?;
    let from = if starts_with(text, b"for ") {
        at + 4
    } else if starts_with(text, b"of ") {
        at + 3
    } else {
        return None;
    };
    let stop = run_within(bytes, from, 48, |b| {
        !matches!(b, b'=' | b':' | b'\n' | b',' | b'(' | b'{')
    });
    let words = bytes
        .get(from..stop)?
        .split(|b| *b == b' ')
        .filter(|word| !word.is_empty());
    (matches!(bytes.get(stop), Some(b'=' | b':')) && words.count() <= 2).then_some(stop + 1)
}

fn u8_is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}

/// `the password is swordfish.`: a word that ends what is said, and is no state.
fn is_last_word(bytes: &[u8], value: &[u8], end: usize) -> bool {
    let stop = run_within(bytes, end, 4, |b| matches!(b, b'.' | b'!' | b'"' | b'\''));
    let ends = bytes.get(stop).is_none_or(|b| matches!(b, b'\n' | b'\r'));
    ends && value.len() >= 5
        && value.iter().all(u8::is_ascii_alphanumeric)
        && !STATES.has(value)
        && !CONNECTING.has(value)
        && !["ed", "ing", "able", "ble", "ly", "ive"]
            .iter()
            .any(|end| ends_with(value, end.as_bytes()))
}
