//! User agents as lines show them: cut, and without secrets. The same few come again and again, so
//! each thread keeps those that it cleaned last.

use std::{cell::RefCell, sync::Arc};

use crate::{kernel::operation::is_plain, redact::Redactor};

/// How many a thread keeps.
const KEPT: usize = 32;

/// A longer one is not kept: no client decides how much memory a thread holds.
const LONGEST_KEPT: usize = 512;

/// One that was cleaned, and by whose rules.
struct Agent {
    observer: u64,
    raw: Box<[u8]>,
    clean: Arc<str>,
    plain: bool,
}

thread_local! {
    static AGENTS: RefCell<[Option<Agent>; KEPT]> = const { RefCell::new([const { None }; KEPT]) };
}

/// Returns the header's value as text, redacted by the rules of the observer of that number.
///
/// Besides, whether it needs no escape in a line.
pub(super) fn clean(raw: &[u8], observer: u64, redactor: &Redactor) -> (Arc<str>, bool) {
    let new = || {
        let clean: Arc<str> = Arc::from(redactor.redact(&super::start::text(raw)));
        let plain = is_plain(&clean);
        (clean, plain)
    };
    if raw.len() > LONGEST_KEPT {
        return new();
    }
    let kept = AGENTS.try_with(|agents| {
        // A redaction that the user wrote may come here again.
        let mut agents = agents.try_borrow_mut().ok()?;
        let place = agents.get_mut(place(raw))?;
        let known = place
            .as_ref()
            .filter(|a| a.observer == observer && *a.raw == *raw);
        known.map(|agent| (agent.clean.clone(), agent.plain))
    });
    kept.ok().flatten().unwrap_or_else(|| {
        let (clean, plain) = new();
        keep(Agent {
            observer,
            raw: raw.into(),
            clean: clean.clone(),
            plain,
        });
        (clean, plain)
    })
}

#[cold]
fn keep(agent: Agent) {
    // A thread that is being torn down keeps nothing.
    let _ = AGENTS.try_with(|agents| {
        if let Ok(mut agents) = agents.try_borrow_mut()
            && let Some(place) = agents.get_mut(place(&agent.raw))
        {
            *place = Some(agent);
        }
    });
}

/// Returns where one is kept, by its length and its end, in which versions differ.
fn place(raw: &[u8]) -> usize {
    let end = raw.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
    let mixed = (end ^ raw.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 59).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_comes_again_is_the_same_text_unless_the_rules_are_others() {
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
    fn a_secret_or_a_long_one_is_none() {
        let redactor = Redactor::default();
        let secret = b"agent ghp_0123456789abcdefghijABCDEFGHIJ012345";
        assert_eq!(&*clean(secret, 1, &redactor).0, "agent [redacted]");
        let long = vec![b'x'; 100_000];
        assert_eq!(clean(&long, 1, &redactor).0.len(), 4_096);
    }
}
