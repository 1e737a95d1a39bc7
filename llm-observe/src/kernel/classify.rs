//! From an error to its [`ErrorClass`]: by its type where that is known, else by its text.

use std::{error::Error, io};

use super::{io_error, outcome::ErrorClass, pool::prefix};

/// How much of a text is read, in bytes.
const MOST_READ: usize = 16 << 10;

/// Returns the class of an error, without its sources. `text` is its `Display` text.
pub(crate) fn of_link<'a>(error: &'a (dyn Error + 'a), text: &str) -> Option<ErrorClass> {
    let io = io_error::downcast(error).and_then(of_io);
    io.or_else(|| of_text(text))
}

fn of_io(error: &io::Error) -> Option<ErrorClass> {
    use io::ErrorKind as Kind;
    Some(match error.kind() {
        Kind::TimedOut => ErrorClass::Timeout,
        Kind::NotFound => ErrorClass::NotFound,
        Kind::PermissionDenied => ErrorClass::PermissionDenied,
        Kind::InvalidInput | Kind::InvalidData => ErrorClass::BadRequest,
        Kind::ConnectionRefused
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::BrokenPipe
        | Kind::UnexpectedEof => ErrorClass::Connection,
        _ => return None,
    })
}

/// Phrases in the errors of providers and clients, the specific before the general: OpenAI's and
/// Anthropic's error codes, and the words of the usual HTTP clients.
const PHRASES: &[(&str, ErrorClass)] = &[
    ("context_length_exceeded", ErrorClass::ContextWindowExceeded),
    ("context length", ErrorClass::ContextWindowExceeded),
    ("context window", ErrorClass::ContextWindowExceeded),
    ("prompt is too long", ErrorClass::ContextWindowExceeded),
    ("content_policy", ErrorClass::ContentPolicy),
    ("content policy", ErrorClass::ContentPolicy),
    ("content_filter", ErrorClass::ContentPolicy),
    ("content filter", ErrorClass::ContentPolicy),
    ("insufficient_quota", ErrorClass::BudgetExceeded),
    ("billing", ErrorClass::BudgetExceeded),
    ("budget", ErrorClass::BudgetExceeded),
    ("rate_limit", ErrorClass::RateLimit),
    ("rate limit", ErrorClass::RateLimit),
    ("too many requests", ErrorClass::RateLimit),
    ("invalid_api_key", ErrorClass::Authentication),
    ("authentication", ErrorClass::Authentication),
    ("unauthorized", ErrorClass::Authentication),
    ("unauthenticated", ErrorClass::Authentication),
    ("permission denied", ErrorClass::PermissionDenied),
    ("permission_error", ErrorClass::PermissionDenied),
    ("forbidden", ErrorClass::PermissionDenied),
    ("timed out", ErrorClass::Timeout),
    ("timeout", ErrorClass::Timeout),
    ("deadline", ErrorClass::Timeout),
    ("overloaded", ErrorClass::Unavailable),
    ("unavailable", ErrorClass::Unavailable),
    ("bad gateway", ErrorClass::Unavailable),
    ("connection", ErrorClass::Connection),
    ("connect error", ErrorClass::Connection),
    ("error sending request", ErrorClass::Connection),
    ("dns", ErrorClass::Connection),
    ("broken pipe", ErrorClass::Connection),
    ("not found", ErrorClass::NotFound),
    ("not_found", ErrorClass::NotFound),
    ("bad request", ErrorClass::BadRequest),
    ("invalid_request", ErrorClass::BadRequest),
    ("internal server error", ErrorClass::Internal),
];

/// Returns the class that a text names, by phrase or by an HTTP status in it.
pub(crate) fn of_text(text: &str) -> Option<ErrorClass> {
    let lower = prefix(text, MOST_READ).to_ascii_lowercase();
    let phrase = PHRASES
        .iter()
        .find(|(phrase, _)| lower.contains(phrase))
        .map(|(_, class)| *class);
    phrase.or_else(|| status_in(&lower).and_then(ErrorClass::of_status))
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
                Some(ErrorClass::RateLimit),
            ),
            ("Rate limit reached for gpt-4o", Some(ErrorClass::RateLimit)),
            ("status: 503", Some(ErrorClass::Unavailable)),
            (
                "This model's maximum context length is 8192",
                Some(ErrorClass::ContextWindowExceeded),
            ),
            ("operation timed out", Some(ErrorClass::Timeout)),
            (
                "error trying to connect: tcp connect error: Connection refused",
                Some(ErrorClass::Connection),
            ),
            ("took 500 documents", None),
            ("the answer is empty", None),
        ] {
            assert_eq!(of_text(text), class, "{text}");
        }
    }
}
