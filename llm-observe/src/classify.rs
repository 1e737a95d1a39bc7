//! From an error to its [`Class`]: by what it is where that is known, by what it says where not.

use std::{error::Error, io};

use crate::outcome::Class;

/// Returns the class of an error: its own, or that of the nearest source that has one.
pub(crate) fn of_error(error: &(dyn Error + 'static)) -> Class {
    let mut links = std::iter::successors(Some(error), |&e| e.source()).take(16);
    links.find_map(of_link).unwrap_or(Class::Other)
}

fn of_link(error: &(dyn Error + 'static)) -> Option<Class> {
    if let Some(class) = error.downcast_ref::<io::Error>().and_then(of_io) {
        return Some(class);
    }
    of_text(&error.to_string())
}

fn of_io(error: &io::Error) -> Option<Class> {
    use io::ErrorKind as Kind;
    Some(match error.kind() {
        Kind::TimedOut => Class::Timeout,
        Kind::NotFound => Class::NotFound,
        Kind::PermissionDenied => Class::PermissionDenied,
        Kind::InvalidInput | Kind::InvalidData => Class::BadRequest,
        Kind::ConnectionRefused
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::BrokenPipe
        | Kind::UnexpectedEof => Class::Connection,
        _ => return None,
    })
}

/// What texts of providers and clients say, the telling before the vague: OpenAI's and
/// Anthropic's error codes, and the words of the usual HTTP clients.
const PHRASES: &[(&str, Class)] = &[
    ("context_length_exceeded", Class::ContextWindowExceeded),
    ("context length", Class::ContextWindowExceeded),
    ("context window", Class::ContextWindowExceeded),
    ("prompt is too long", Class::ContextWindowExceeded),
    ("content_policy", Class::ContentPolicy),
    ("content policy", Class::ContentPolicy),
    ("content_filter", Class::ContentPolicy),
    ("content filter", Class::ContentPolicy),
    ("insufficient_quota", Class::BudgetExceeded),
    ("billing", Class::BudgetExceeded),
    ("budget", Class::BudgetExceeded),
    ("rate_limit", Class::RateLimit),
    ("rate limit", Class::RateLimit),
    ("too many requests", Class::RateLimit),
    ("invalid_api_key", Class::Authentication),
    ("authentication", Class::Authentication),
    ("unauthorized", Class::Authentication),
    ("unauthenticated", Class::Authentication),
    ("permission denied", Class::PermissionDenied),
    ("permission_error", Class::PermissionDenied),
    ("forbidden", Class::PermissionDenied),
    ("timed out", Class::Timeout),
    ("timeout", Class::Timeout),
    ("deadline", Class::Timeout),
    ("overloaded", Class::Unavailable),
    ("unavailable", Class::Unavailable),
    ("bad gateway", Class::Unavailable),
    ("connection", Class::Connection),
    ("connect error", Class::Connection),
    ("error sending request", Class::Connection),
    ("dns", Class::Connection),
    ("broken pipe", Class::Connection),
    ("not found", Class::NotFound),
    ("not_found", Class::NotFound),
    ("bad request", Class::BadRequest),
    ("invalid_request", Class::BadRequest),
    ("internal server error", Class::Internal),
];

/// Returns the class that a text names, by phrase or by an HTTP status in it.
pub(crate) fn of_text(text: &str) -> Option<Class> {
    let lower = text.to_ascii_lowercase();
    let phrase = PHRASES
        .iter()
        .find(|(phrase, _)| lower.contains(phrase))
        .map(|(_, class)| *class);
    phrase.or_else(|| status_in(&lower).and_then(Class::of_status))
}

/// Returns the failing HTTP status that follows the word `status`, `http` or `code`.
fn status_in(lower: &str) -> Option<u16> {
    let mut words = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty());
    let mut announced = false;
    words.find_map(|word| {
        let status = word
            .parse()
            .ok()
            .filter(|s| announced && (400..600).contains(s));
        announced = matches!(word, "status" | "http" | "code" | "error")
            || (announced && matches!(word, "client" | "server" | "is" | "1" | "1.1" | "2"));
        status
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_clients_and_providers() {
        for (text, class) in [
            (
                "HTTP status client error (429) for url",
                Some(Class::RateLimit),
            ),
            ("Rate limit reached for gpt-4o", Some(Class::RateLimit)),
            ("status: 503", Some(Class::Unavailable)),
            (
                "This model's maximum context length is 8192",
                Some(Class::ContextWindowExceeded),
            ),
            ("operation timed out", Some(Class::Timeout)),
            (
                "error trying to connect: tcp connect error: Connection refused",
                Some(Class::Connection),
            ),
            ("took 500 documents", None),
            ("the answer is empty", None),
        ] {
            assert_eq!(of_text(text), class, "{text}");
        }
    }

    #[test]
    fn the_nearest_telling_source_decides() {
        let io = io::Error::from(io::ErrorKind::ConnectionRefused);
        let outer = crate::error::Error::with("embedding failed", io);
        assert_eq!(of_error(&outer), Class::Connection);
    }
}
