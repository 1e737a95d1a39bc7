//! The rules of names, as pure functions and as values.

use std::net::SocketAddr;

use crate::choice::UnknownWord;
use crate::syntax::Value;
use crate::units;
use crate::value::text;
use crate::value_error::ValueError;

/// The outcomes of a call, as log lines and metrics name them.
pub(crate) const OUTCOMES: [&str; 5] = ["ok", "error", "timeout", "cancelled", "panic"];

/// Returns whether `name` is an event's name: `[a-z][a-z0-9_.]*`.
pub fn valid_event_name(name: &str) -> bool {
    let mut chars = name.chars();
    let rest = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '.');
    chars.next().is_some_and(|first| first.is_ascii_lowercase()) && chars.all(rest)
}

/// Checks an event's name.
pub(crate) fn check_event(name: &str) -> Result<(), ValueError> {
    if valid_event_name(name) {
        return Ok(());
    }
    let help = "write small letters, digits, `_` and `.`, a letter first, such as `vector.search`";
    Err(ValueError::new("is not an event's name", help))
}

/// Checks the name of a logger or of a channel.
pub(crate) fn check_label(name: &str) -> Result<(), ValueError> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && name.len() <= 64 && name.chars().all(word) {
        return Ok(());
    }
    let help = "write up to 64 letters, digits, `_`, `-` and `.`";
    Err(ValueError::new("is not a name", help))
}

/// Checks the name of a model.
pub(crate) fn check_model(name: &str) -> Result<(), ValueError> {
    if !name.trim().is_empty() && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(ValueError::new(
        "is not a model's name",
        "write it as the provider does",
    ))
}

/// An event's name.
pub(crate) fn event(value: &Value<'_>) -> Result<String, ValueError> {
    let name = text(value)?;
    check_event(&name).map(|()| name)
}

/// One of the outcomes of a call.
pub(crate) fn outcome(value: &Value<'_>) -> Result<String, ValueError> {
    let word = text(value)?;
    match OUTCOMES.contains(&word.as_str()) {
        true => Ok(word),
        false => Err(UnknownWord::among(&word, OUTCOMES.into_iter()).into()),
    }
}

/// The name of a file, without a path.
pub(crate) fn file(value: &Value<'_>) -> Result<String, ValueError> {
    let name = text(value)?;
    if name.contains(['/', '\\']) || name == "." || name.contains("..") {
        let help = "write the name alone, such as \"app.log\"; `dir` in [log] is the folder";
        return Err(ValueError::new(
            "must be a file's name without a path",
            help,
        ));
    }
    Ok(name)
}

/// A socket address, or `off`.
pub(crate) fn listen(value: &Value<'_>) -> Result<Option<String>, ValueError> {
    let address = text(value)?;
    if address == "off" {
        return Ok(None);
    }
    if address.parse::<SocketAddr>().is_ok() {
        return Ok(Some(address));
    }
    let help = "write \"127.0.0.1:9464\", \"0.0.0.0:9464\", \"[::1]:9464\" or \"off\"";
    Err(ValueError::new("is not a socket address", help))
}

/// Returns whether other machines can reach a socket address.
pub(crate) fn is_public(address: &str) -> bool {
    let address = address.parse::<SocketAddr>();
    address.is_ok_and(|address| !address.ip().to_canonical().is_loopback())
}

/// A span of hours of the day.
pub(crate) fn hours(value: &Value<'_>) -> Result<String, ValueError> {
    let hours = text(value)?;
    units::hours(&hours)?;
    Ok(hours)
}

/// What a request can alert on: a status, a class of statuses, or another way to end.
pub(crate) fn request_outcome(value: &Value<'_>) -> Result<String, ValueError> {
    let word = text(value)?;
    let known = ["slow", "timeout", "cancelled", "panic"].contains(&word.as_str());
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (first, rest) = word.split_at_checked(1).unwrap_or_default();
    let failure =
        ["4", "5"].contains(&first) && (rest == "xx" || (rest.len() == 2 && digits(rest)));
    if known || failure {
        return Ok(word);
    }
    let help = "write \"5xx\", \"429\", \"slow\", \"timeout\", \"cancelled\" or \"panic\"";
    Err(ValueError::new("must hold outcomes of requests", help))
}

/// The path of a request, or a prefix of it that ends in `*`.
pub(crate) fn request_path(value: &Value<'_>) -> Result<String, ValueError> {
    let path = text(value)?;
    let star = path.find('*').is_none_or(|at| at + 1 == path.len());
    if path.starts_with('/') && star {
        return Ok(path);
    }
    let help = "write \"/healthz\", or \"/static/*\" for all below";
    Err(ValueError::new("must hold paths of requests", help))
}

/// Returns whether `name` is a token (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    name.chars().all(token)
}

/// The name of an HTTP header (RFC 9110, section 5.1).
pub(crate) fn header(value: &Value<'_>) -> Result<String, ValueError> {
    let name = text(value)?;
    if is_token(&name) {
        return Ok(name);
    }
    Err(ValueError::new(
        "must hold names of headers",
        "write \"x-request-id\"",
    ))
}

/// A key of baggage (W3C Baggage, section 3.2.1), which is a field's name in lines.
pub(crate) fn baggage_key(value: &Value<'_>) -> Result<String, ValueError> {
    let key = text(value)?;
    if is_token(&key) && key.len() <= 64 {
        return Ok(key);
    }
    let help = "write up to 64 letters, digits, `_`, `-` and `.`, such as \"tenant\"";
    Err(ValueError::new("must hold keys of baggage", help))
}

/// A host's name or address, without port.
pub(crate) fn host(value: &Value<'_>) -> Result<String, ValueError> {
    let host = text(value)?;
    let address = host.parse::<std::net::Ipv6Addr>().is_ok();
    if address || !host.contains(|c: char| c.is_whitespace() || "/:@".contains(c)) {
        return Ok(host);
    }
    let help = "write \"smtp.example.org\", and the port as `port`";
    Err(ValueError::new("is not a host's name", help))
}

/// A host's name or address without port, or `*.` and the name that others end in; in lower case.
pub(crate) fn host_pattern(value: &Value<'_>) -> Result<String, ValueError> {
    let text = text(value)?.to_ascii_lowercase();
    let name = text.strip_prefix("*.").unwrap_or(&text);
    let label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name = name
        .split('.')
        .all(|part| !part.is_empty() && part.chars().all(label));
    if is_name || text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(text);
    }
    let help = "write \"api.internal\", or \"*.example.org\" for all names under it";
    Err(ValueError::new(
        "must hold names of hosts, without scheme and port",
        help,
    ))
}

/// An e-mail address, alone or after a name: `Ops <ops@example.org>`.
pub(crate) fn address(value: &Value<'_>) -> Result<String, ValueError> {
    let text = text(value)?;
    let bare = text
        .trim_end()
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'));
    let bare = bare.map_or(text.as_str(), |(_, address)| address);
    let parts = bare.rsplit_once('@');
    let hidden = |c: char| c.is_whitespace() || "<>,;".contains(c);
    if parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && !bare.contains(hidden)
    {
        return Ok(text);
    }
    let help = "write \"ops@example.org\" or \"Ops <ops@example.org>\"";
    Err(ValueError::new("is not an e-mail address", help))
}

/// A LogRocket application.
pub(crate) fn logrocket_app(value: &Value<'_>) -> Result<String, ValueError> {
    let app = text(value)?;
    let part =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c == '/' || c.is_whitespace());
    match app.split_once('/') {
        Some((organisation, name)) if part(organisation) && part(name) => Ok(app),
        _ => Err(ValueError::new(
            "is not a LogRocket application",
            "write \"organisation/application\"",
        )),
    }
}

/// Checks the name of an Alertmanager label.
pub(crate) fn check_alert_label(name: &str) -> Result<(), ValueError> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.starts_with(first) && name.chars().all(word) {
        return Ok(());
    }
    Err(ValueError::new(
        "is not a label's name",
        "write letters, digits and `_`, no digit first",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_names() {
        for name in ["a", "embedding", "rag.query_2"] {
            assert!(valid_event_name(name), "{name}");
        }
        for name in ["", "A", "1a", "_a", "a-b", "a b", "ä", "aB"] {
            assert!(!valid_event_name(name), "{name}");
        }
    }
}
