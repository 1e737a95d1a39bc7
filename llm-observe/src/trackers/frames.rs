//! The frames of a panic, from the text that `std::backtrace::Backtrace` prints.

use crate::kernel::error_info::ErrorInfo;

/// How many frames a report keeps, from the innermost on.
const MOST: usize = 100;

/// One frame of a call stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The function's path.
    pub function: String,
    /// The source file; empty when not known.
    pub file: String,
    /// The line; 0 when not known.
    pub line: u64,
    /// The column; 0 when not known.
    pub column: u64,
}

impl Frame {
    /// Returns whether it is code of the program, not of the standard library, the system, a
    /// dependency or this crate.
    #[must_use]
    pub fn is_in_app(&self) -> bool {
        let foreign = [
            "/rustc/",
            "/.cargo/registry/",
            "/.cargo/git/",
            "/rustlib/",
            "/sysdeps/",
            "/nptl/",
        ];
        let ours = self.function.trim_start_matches('<');
        !self.file.is_empty()
            && !foreign.iter().any(|part| self.file.contains(part))
            && !ours.starts_with("llm_observe::")
    }

    fn set_place(&mut self, place: &str) {
        let mut parts = place.rsplitn(3, ':');
        let column = parts.next().and_then(|n| n.parse().ok());
        let line = parts.next().and_then(|n| n.parse().ok());
        match (parts.next(), line, column) {
            (Some(file), Some(line), Some(column)) => {
                self.file = file.to_owned();
                (self.line, self.column) = (line, column);
            }
            _ => place.clone_into(&mut self.file),
        }
    }
}

/// Returns the frames of an error, innermost first: those of its backtrace, or else its location.
pub(super) fn of(error: &ErrorInfo) -> Vec<Frame> {
    let frames = error.backtrace.as_deref().map(parse).unwrap_or_default();
    match (&error.location, frames.is_empty()) {
        (Some(place), true) => {
            let mut frame = Frame::default();
            frame.set_place(place);
            vec![frame]
        }
        _ => frames,
    }
}

/// Parses lines such as `3: rag::embed` and `at src/lib.rs:12:5`, of the part that the standard
/// library marks as the program's: without the frames of the panic hook and of the thread's start.
fn parse(backtrace: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    for line in backtrace.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut() {
                frame.set_place(place);
            }
        } else if let Some((number, function)) = line.split_once(": ")
            && number.parse::<u32>().is_ok()
        {
            frames.push(Frame {
                function: function.to_owned(),
                ..Frame::default()
            });
        }
    }
    let marked = |mark: &str| frames.iter().position(|f| f.function.contains(mark));
    let start = marked("__rust_end_short_backtrace").map_or(0, |at| at + 1);
    let end = marked("__rust_begin_short_backtrace").filter(|end| *end > start);
    frames.truncate(end.unwrap_or(frames.len()));
    frames.into_iter().skip(start).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::outcome::ErrorClass;

    #[test]
    fn a_backtrace_is_read_as_it_is_printed() {
        let text = "   0: std::panicking::begin_panic\n             at /rustc/abc/library/std/src/panicking.rs:1:2\n   1: rag::embed::{{closure}}\n             at ./src/lib.rs:12:5\n   2: _start\n";
        let frames = parse(text);
        assert_eq!(frames.len(), 3);
        assert!(!frames[0].is_in_app() && frames[1].is_in_app() && !frames[2].is_in_app());
        assert_eq!(
            (frames[1].file.as_str(), frames[1].line, frames[1].column),
            ("./src/lib.rs", 12, 5)
        );
        assert_eq!(frames[1].function, "rag::embed::{{closure}}");
    }

    #[test]
    fn a_report_begins_where_the_program_panicked_and_ends_where_its_thread_began() {
        let text = "   0: llm_observe::panics::keep\n             at /w/panics.rs:47:17\n   1: std::sys::backtrace::__rust_end_short_backtrace::<f, !>\n             at /rustc/abc/b.rs:1:2\n   2: rag::embed\n             at ./src/lib.rs:12:5\n   3: <llm_observe::future::Observed<F> as Future>::poll\n             at /w/future.rs:117:33\n   4: std::sys::backtrace::__rust_begin_short_backtrace\n             at /rustc/abc/b.rs:8:2\n   5: clone3\n             at ./misc/../sysdeps/clone3.S:81\n";
        let frames = parse(text);
        let seen: Vec<_> = frames
            .iter()
            .map(|f| (f.line, f.column, f.is_in_app()))
            .collect();
        assert_eq!(seen, [(12, 5, true), (117, 33, false)]);
    }

    #[test]
    fn the_last_of_too_many_frames_keeps_its_own_place() {
        use std::fmt::Write as _;
        let mut text = String::new();
        for n in 0..2 * MOST {
            writeln!(text, "{n}: f{n}\n at src/lib.rs:{n}:1").unwrap();
        }
        let frames = parse(&text);
        assert_eq!(frames.len(), MOST);
        let last = frames.last().unwrap();
        assert_eq!((last.function.as_str(), last.line), ("f99", 99));
    }

    #[test]
    fn without_a_backtrace_the_place_of_the_panic_is_the_frame() {
        let mut error = ErrorInfo::new("panic", "boom", ErrorClass::Internal);
        assert!(of(&error).is_empty());
        error.location = Some("src/a b.rs:3:9".into());
        assert_eq!(of(&error)[0].line, 3);
    }
}
