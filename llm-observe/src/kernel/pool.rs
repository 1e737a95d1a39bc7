//! Pools of a thread: the memory of texts and calls that have ended, for the next ones, so that a
//! usual call allocates nothing.

use std::cell::RefCell;

/// How many of a kind a thread keeps.
const KEPT: usize = 32;

/// A text that grew larger is not kept.
const LARGEST: usize = 4 << 10;

/// The longest text that is taken from a value, in bytes. What is shown of it is shorter
/// (`[log] max_value_bytes`, the limits of trackers); what is longer costs the caller time.
pub(crate) const MOST_TEXT: usize = 64 << 10;

/// What a thread keeps to be used again.
pub(crate) type Pool<T> = RefCell<Vec<T>>;

/// Takes one from a pool; `None` when there is none, or the thread is being torn down.
#[inline]
pub(crate) fn take<T>(pool: &'static std::thread::LocalKey<Pool<T>>) -> Option<T> {
    let pop = |pool: &Pool<T>| pool.try_borrow_mut().ok()?.pop();
    pool.try_with(pop).ok().flatten()
}

/// Puts one into a pool, unless it is full.
#[inline]
pub(crate) fn keep<T>(pool: &'static std::thread::LocalKey<Pool<T>>, one: T) {
    let _ = pool.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut()
            && pool.len() < KEPT
        {
            pool.push(one);
        }
    });
}

thread_local! {
    static TEXTS: Pool<String> = const { RefCell::new(Vec::new()) };
}

/// Returns `value` as a text of its own, at most [`MOST_TEXT`] bytes of it.
pub(crate) fn text(value: &str) -> String {
    let mut text: String = take(&TEXTS).unwrap_or_default();
    text.push_str(prefix(value, MOST_TEXT));
    text
}

/// Returns a prefix of `text` of at most `most` bytes that ends with a whole character.
#[inline]
pub(crate) fn prefix(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Keeps the memory of a text that is no longer needed.
pub(crate) fn recycle(mut text: String) {
    if (1..=LARGEST).contains(&text.capacity()) {
        text.clear();
        keep(&TEXTS, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_used_again_and_a_large_one_is_not() {
        let first = text("one");
        let memory = first.as_ptr();
        recycle(first);
        let second = text("2");
        assert_eq!((second.as_str(), second.as_ptr()), ("2", memory));
        recycle(String::with_capacity(LARGEST + 1));
        assert_eq!(text("").capacity(), 0);
    }
}
