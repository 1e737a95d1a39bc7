//! Memory of texts and calls that are gone, for the next ones of the thread: what a usual call
//! records takes no allocation. Knows neither lines nor sinks.

use std::{cell::RefCell, fmt, fmt::Write};

use crate::kernel::value::Value;

/// How many of a kind a thread keeps.
const KEPT: usize = 32;

/// A text that grew larger is not kept.
const LARGEST: usize = 4 << 10;

/// A place of a thread for what it may use again.
pub(crate) type Pool<T> = RefCell<Vec<T>>;

/// Takes one from a place; `None` when there is none, or the thread is being torn down.
#[inline]
pub(crate) fn take<T>(place: &'static std::thread::LocalKey<Pool<T>>) -> Option<T> {
    let pop = |place: &Pool<T>| place.try_borrow_mut().ok()?.pop();
    place.try_with(pop).ok().flatten()
}

/// Puts one there, unless there are enough.
#[inline]
pub(crate) fn keep<T>(place: &'static std::thread::LocalKey<Pool<T>>, one: T) {
    let _ = place.try_with(|place| {
        if let Ok(mut place) = place.try_borrow_mut()
            && place.len() < KEPT
        {
            place.push(one);
        }
    });
}

thread_local! {
    static TEXTS: Pool<String> = const { RefCell::new(Vec::new()) };
}

/// Returns `value` as a text of its own.
pub(crate) fn text(value: &str) -> String {
    let mut text: String = take(&TEXTS).unwrap_or_default();
    text.push_str(value);
    text
}

/// Returns what is formatted as a text of its own; as far as it got, where a `Display` fails.
pub(crate) fn formatted(value: fmt::Arguments<'_>) -> String {
    let mut text: String = take(&TEXTS).unwrap_or_default();
    let _ = text.write_fmt(value);
    text
}

/// Gives the memory of a value back.
pub(crate) fn give(value: Value) {
    if let Value::Str(mut text) = value
        && (1..=LARGEST).contains(&text.capacity())
    {
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
        give(Value::Str(first));
        let second = formatted(format_args!("{}", 2));
        assert_eq!((second.as_str(), second.as_ptr()), ("2", memory));
        give(Value::Str(String::with_capacity(LARGEST + 1)));
        assert_eq!(text("").capacity(), 0);
    }
}
