//! Text and numbers of headers, bounded in length.

use http::{HeaderMap, HeaderName, header};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer texts of a request are cut: no client decides how long a line is.
pub(super) const MAX_TEXT: usize = 4_096;

/// Returns the number of bytes that `Content-Length` announces.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    number(headers.get(header::CONTENT_LENGTH)?.as_bytes())
}

/// Parses a decimal number.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns up to [`MAX_TEXT`] bytes as text.
pub(super) fn text(value: &[u8]) -> String {
    let end = value.len().min(MAX_TEXT);
    String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
}
