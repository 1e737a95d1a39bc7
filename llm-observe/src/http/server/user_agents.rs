//! User agents as lines show them: bounded in length and redacted. Few of them differ, so each thread
//! caches the latest.

use std::{cell::RefCell, sync::Arc};

use super::headers::text;
use crate::{kernel::operation::is_plain, redact::Redactor};

/// How many user agents each thread caches.
const CACHE_SIZE: usize = 32;

/// Longer user agents are not cached: no client decides how much memory a thread uses.
const MAX_CACHED: usize = 512;

/// A user agent as received and as redacted.
struct UserAgent {
    /// The number of the observer whose rules redacted it.
    observer: u64,
    raw: Box<[u8]>,
    clean: Arc<str>,
    plain: bool,
}

thread_local! {
    static AGENTS: RefCell<[Option<UserAgent>; CACHE_SIZE]> = const { RefCell::new([const { None }; CACHE_SIZE]) };
}

/// Returns the header's value as text, redacted by the rules of the observer with that number, and
/// whether it needs no escape in a line.
pub(super) fn clean(raw: &[u8], observer: u64, redactor: &Redactor) -> (Arc<str>, bool) {
    let new = || {
        let clean: Arc<str> = Arc::from(redactor.redact(&text(raw)));
        let plain = is_plain(&clean);
        (clean, plain)
    };
    if raw.len() > MAX_CACHED {
        return new();
    }
    let cached = AGENTS.try_with(|agents| {
        // A redaction function of the user's own may handle a request itself.
        let mut agents = agents.try_borrow_mut().ok()?;
        let slot = agents.get_mut(slot_of(raw))?;
        let same = slot
            .as_ref()
            .filter(|a| a.observer == observer && *a.raw == *raw);
        same.map(|agent| (agent.clean.clone(), agent.plain))
    });
    cached.ok().flatten().unwrap_or_else(|| {
        let (clean, plain) = new();
        keep(UserAgent {
            observer,
            raw: raw.into(),
            clean: clean.clone(),
            plain,
        });
        (clean, plain)
    })
}

#[cold]
fn keep(agent: UserAgent) {
    // A thread that is being torn down has no cache.
    let _ = AGENTS.try_with(|agents| {
        if let Ok(mut agents) = agents.try_borrow_mut()
            && let Some(slot) = agents.get_mut(slot_of(&agent.raw))
        {
            *slot = Some(agent);
        }
    });
}

/// Returns the cache slot by the length and the end of a user agent: versions differ at the end.
fn slot_of(raw: &[u8]) -> usize {
    let end = raw.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
    let mixed = (end ^ raw.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 59).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_user_agent_is_cached_for_its_observer() {
        let redactor = Redactor::default();
        let (first, plain) = clean(b"curl/8.5", 1, &redactor);
        assert_eq!((&*first, plain), ("curl/8.5", true));
        assert!(Arc::ptr_eq(&first, &clean(b"curl/8.5", 1, &redactor).0));
        let strict = Redactor::default().custom(|_| Some("[gone]".to_owned()));
        assert_eq!(&*clean(b"curl/8.5", 2, &strict).0, "[gone]");
        for hostile in ["a\"b", "a\\b", "a\tb", "a\u{e9}b", "a\u{7f}b"] {
            assert!(!clean(hostile.as_bytes(), 1, &redactor).1, "{hostile:?}");
        }
    }

    #[test]
    fn secrets_are_redacted_and_long_user_agents_cut() {
        let redactor = Redactor::default();
        let secret = b"agent ghp_0123456789abcdefghijABCDEFGHIJ012345";
        assert_eq!(&*clean(secret, 1, &redactor).0, "agent [redacted]");
        let long = vec![b'x'; 100_000];
        assert_eq!(clean(&long, 1, &redactor).0.len(), 4_096);
    }
}
