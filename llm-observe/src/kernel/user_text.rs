//! Text from the program's own code: a `Display`, a `Debug` or a `source` may panic, fail, or write
//! without end, and none of it may reach the call that is observed. Knows no call.
//!
//! What cannot be helped: one that blocks, or recurses without end, does so here as it would for the
//! program. With `panic = "abort"` a panic ends the program.

use std::{
    any::Any,
    cell::Cell,
    error::Error,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::pool::{self, MOST_TEXT, prefix};

/// How deep texts are taken inside of each other. A `Display` may call an annotated function whose
/// error's `Display` calls one again.
const MOST_NESTED: u8 = 4;

thread_local! {
    /// How many texts the thread is taking, one inside of the other.
    static NESTED: Cell<u8> = const { Cell::new(0) };
    /// How many closures of attributes the thread is in.
    static CLOSURES: Cell<u8> = const { Cell::new(0) };
}

/// What the panic hook does with a panic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PanicPlace {
    /// It is the program's: it is kept for the call that it ends, and the program's hook runs.
    Program,
    /// It stays in a closure of the attribute. The program's hook shows where.
    Closure,
    /// It stays in a text that shows it: nothing else needs to.
    Text,
}

/// Returns where a panic of this thread is at home.
pub(crate) fn panic_place() -> PanicPlace {
    let inside = |depth: &'static std::thread::LocalKey<Cell<u8>>| {
        depth.try_with(Cell::get).is_ok_and(|depth| depth > 0)
    };
    if inside(&NESTED) && cfg!(panic = "unwind") {
        PanicPlace::Text
    } else if inside(&CLOSURES) {
        PanicPlace::Closure
    } else {
        PanicPlace::Program
    }
}

/// Returns the `Display` text of `value`, of at most [`MOST_TEXT`] bytes.
pub(crate) fn display(value: &(impl fmt::Display + ?Sized)) -> String {
    formatted(format_args!("{value}"), MOST_TEXT)
}

/// Returns the `Debug` text of `value`, of at most [`MOST_TEXT`] bytes.
pub(crate) fn debug(value: &(impl fmt::Debug + ?Sized)) -> String {
    formatted(format_args!("{value:?}"), MOST_TEXT)
}

/// Returns what is formatted, of at most `most` bytes and a mark where it was cut or failed.
pub(crate) fn formatted(value: fmt::Arguments<'_>, most: usize) -> String {
    let mut text = pool::text("");
    append(&mut text, value, most);
    text
}

/// Appends what is formatted to `text`, at most until `text` has `most` bytes, and a mark where it
/// was cut or failed. Formatting ends there: the rest is not formatted at all.
pub(crate) fn append(text: &mut String, value: fmt::Arguments<'_>, most: usize) {
    let nested = NESTED.try_with(Cell::get).unwrap_or(MOST_NESTED);
    if nested >= MOST_NESTED {
        text.push_str("<not formatted: inside of too many others>");
        return;
    }
    let mut bounded = Bounded {
        room: most.saturating_sub(text.len()),
        text,
        cut: false,
    };
    let written = within(&NESTED, || bounded.write_fmt(value));
    let Bounded { text, cut, .. } = bounded;
    match written {
        _ if cut => drop(write!(text, "…[cut at {most} bytes]")),
        Ok(Ok(())) => {}
        Ok(Err(fmt::Error)) => text.push_str("<formatting failed>"),
        Err(panic) => drop(write!(text, "<panicked while formatting: {panic}>")),
    }
}

/// Returns the source of `error`, or the message of the panic that asking for it was.
pub(crate) fn source<'a>(
    error: &'a (dyn Error + 'a),
) -> Result<Option<&'a (dyn Error + 'static)>, String> {
    within(&NESTED, || error.source())
}

/// Runs expressions and closures of an attribute, which are the program's code. A panic ends here: it
/// would not have happened without an observer. Returns whether there was none.
pub(crate) fn closure(run: impl FnOnce()) -> bool {
    within(&CLOSURES, run).is_ok()
}

/// Returns the message of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.map_or("a panic whose payload is no text", |text| {
        prefix(text, MOST_TEXT)
    })
}

/// Runs code of the program's; the message of its panic otherwise.
#[inline]
fn within<T>(
    depth: &'static std::thread::LocalKey<Cell<u8>>,
    run: impl FnOnce() -> T,
) -> Result<T, String> {
    let before = depth.try_with(|depth| depth.replace(depth.get().saturating_add(1)));
    let done = catch_unwind(AssertUnwindSafe(run));
    if let Ok(before) = before {
        // It was there a moment ago.
        let _ = depth.try_with(|depth| depth.set(before));
    }
    done.map_err(|payload| {
        let message = panic_message(&*payload).to_owned();
        // The payload's own `Drop` could panic again.
        std::mem::forget(payload);
        message
    })
}

/// A text that takes so many bytes more, and then ends the formatting with an error.
struct Bounded<'a> {
    text: &'a mut String,
    room: usize,
    cut: bool,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.cut {
            return Err(fmt::Error);
        }
        let shown = prefix(piece, self.room);
        self.text.push_str(shown);
        self.room -= shown.len();
        self.cut = shown.len() < piece.len();
        if self.cut { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Writes<F>(F);

    impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Writes<F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(f)
        }
    }

    fn text(write: impl Fn(&mut fmt::Formatter<'_>) -> fmt::Result) -> String {
        display(&Writes(write))
    }

    #[test]
    fn a_text_is_what_was_written_before_it_failed() {
        assert_eq!(text(|f| f.write_str("whole")), "whole");
        let failed = text(|f| f.write_str("half").and(Err(fmt::Error)));
        assert_eq!(failed, "half<formatting failed>");
        let panicked = text(|f| {
            f.write_str("half")?;
            panic!("no {}", "more")
        });
        assert_eq!(panicked, "half<panicked while formatting: no more>");
    }

    #[test]
    fn one_without_end_is_ended() {
        let endless = text(|f| {
            loop {
                f.write_str("äöü")?;
            }
        });
        let (kept, mark) = endless.split_once('…').unwrap();
        assert_eq!(kept.len(), MOST_TEXT - MOST_TEXT % 2);
        assert_eq!(mark, "[cut at 65536 bytes]");
        // One that takes the end for an impossible error.
        let unwraps = text(|f| {
            loop {
                f.write_str("x").unwrap();
            }
        });
        assert!(unwraps.ends_with("x…[cut at 65536 bytes]"));
    }

    #[test]
    fn texts_inside_of_texts_end() {
        fn nested(f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&text(nested))
        }
        assert_eq!(text(nested), "<not formatted: inside of too many others>");
        assert_eq!(text(|f| f.write_str("after it")), "after it");
    }
}
