//! The request that a call or a line belongs to, whatever protocol it came in by. Plain values.

use std::fmt;

/// The longest request id that is accepted from outside.
const LONGEST_ID: usize = 128;

/// The id of a request: 1 to 128 visible ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    len: u8,
    bytes: [u8; LONGEST_ID],
}

impl RequestId {
    /// Returns the id that a client sent, unless it is empty, longer than 128 bytes, or has
    /// anything in it but visible ASCII.
    #[must_use]
    pub fn accept(sent: &[u8]) -> Option<RequestId> {
        let visible = !sent.is_empty() && sent.iter().all(u8::is_ascii_graphic);
        if visible { RequestId::over(sent) } else { None }
    }

    /// Returns a new random id, written as a UUID (RFC 9562, version 4).
    #[must_use]
    pub fn random() -> RequestId {
        let random = fastrand::u128(..);
        let id = (random & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(id.to_be_bytes()) {
            if let [high, low] = pair {
                (*high, *low) = (hex_digit(byte >> 4), hex_digit(byte & 15));
            }
        }
        let mut bytes = [0; LONGEST_ID];
        let groups = [
            (0..8, 0),
            (8..12, 9),
            (12..16, 14),
            (16..20, 19),
            (20..32, 24),
        ];
        for (group, at) in groups {
            let length = group.len();
            if let (Some(group), Some(place)) = (digits.get(group), bytes.get_mut(at..at + length))
            {
                place.copy_from_slice(group);
            }
            if let Some(dash) = bytes.get_mut(at + length).filter(|_| at < 24) {
                *dash = b'-';
            }
        }
        RequestId { len: 36, bytes }
    }

    fn over(text: &[u8]) -> Option<RequestId> {
        let mut bytes = [0; LONGEST_ID];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let len = u8::try_from(text.len()).ok()?;
        Some(RequestId { len, bytes })
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The request that a call or a line belongs to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestContext {
    /// Its id: the client's, or a new one.
    pub id: RequestId,
    /// Its method; `_OTHER` for one that the protocol's conventions do not know.
    pub method: &'static str,
    /// The template of its route, such as `/users/{id}`, where one matched.
    pub route: Option<&'static str>,
    /// A page that replays the session in which its user made it.
    pub session_url: Option<String>,
    /// The `trace-flags` that came with it (W3C Trace Context), for those that are called on its
    /// behalf. Those of a trace that a [`Context`](crate::Context) continues go before them.
    pub(crate) flags: u8,
    /// The `tracestate` that came with it, for the same.
    pub(crate) state: Option<String>,
}

/// The flags of a trace that starts here: sampled.
pub(crate) const SAMPLED: u8 = 1;

impl RequestContext {
    /// Returns a request of that id, with nothing else known of it.
    #[must_use]
    pub const fn new(id: RequestId, method: &'static str) -> RequestContext {
        RequestContext {
            id,
            method,
            route: None,
            session_url: None,
            flags: SAMPLED,
            state: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_visible_ascii_or_none() {
        for sent in ["a", "6f1c-22", "\"x\"=y", &"x".repeat(128)] {
            assert_eq!(RequestId::accept(sent.as_bytes()).unwrap().as_str(), sent);
        }
        for sent in ["", "a b", "a\nb", "a\u{1b}[31m", "é", &"x".repeat(129)] {
            assert_eq!(RequestId::accept(sent.as_bytes()), None, "{sent:?}");
        }
    }

    #[test]
    fn a_new_id_is_a_uuid_of_version_4() {
        let (one, two) = (RequestId::random(), RequestId::random());
        assert_ne!(one, two);
        let id = one.as_str();
        assert_eq!(id.len(), 36);
        for (at, c) in id.char_indices() {
            match at {
                8 | 13 | 18 | 23 => assert_eq!(c, '-'),
                14 => assert_eq!(c, '4'),
                19 => assert!("89ab".contains(c), "{id}"),
                _ => assert!(c.is_ascii_hexdigit(), "{id}"),
            }
        }
    }
}
