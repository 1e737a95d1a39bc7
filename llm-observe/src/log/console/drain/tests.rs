use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use proptest::prelude::*;

use super::*;

/// What a stream does when it is written to.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It takes at most so many bytes.
    Take(usize),
    Fail(ErrorKind),
}

/// A stream that follows a script, and then takes everything.
#[derive(Default)]
struct Stream {
    script: RefCell<VecDeque<Step>>,
    got: RefCell<Vec<u8>>,
    /// What it had each time it was locked.
    locked: RefCell<Vec<usize>>,
}

impl Target for &Stream {
    fn with_lock<T>(&self, f: impl FnOnce(&mut dyn Write) -> T) -> T {
        self.locked.borrow_mut().push(self.got.borrow().len());
        f(&mut Locked(self))
    }
}

struct Locked<'a>(&'a Stream);

impl Write for Locked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = match self.0.script.borrow_mut().pop_front() {
            Some(Step::Fail(kind)) => return Err(kind.into()),
            Some(Step::Take(most)) => bytes.len().min(most),
            None => bytes.len(),
        };
        self.0.got.borrow_mut().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Count(Cell<u64>);

impl Progress for Count {
    fn written(&self, lines: u64) {
        self.0.set(self.0.get() + lines);
    }

    fn is_over(&self) -> bool {
        false
    }
}

fn stream(script: &[Step]) -> Stream {
    Stream {
        script: RefCell::new(script.iter().copied().collect()),
        ..Stream::default()
    }
}

fn text(stream: &Stream) -> String {
    String::from_utf8(stream.got.borrow().clone()).unwrap()
}

fn lost(loss: Loss, lines: u64) -> Missing {
    let mut missing = Missing::default();
    missing.add(loss, lines);
    missing
}

#[test]
fn lines_are_written_in_pieces_that_a_pipe_takes_whole() {
    let stream = stream(&[]);
    let line = format!("{}\n", "x".repeat(999));
    let long = format!("{}\n", "y".repeat(9_999));
    let all = format!("{}{long}{line}", line.repeat(5));
    let count = Count::default();
    let missing = Drain::new(&stream).write(all.as_bytes(), &count);
    assert!(missing.is_none());
    assert_eq!(text(&stream), all);
    assert_eq!(*stream.locked.borrow(), [0, 4_000, 5_000, 15_000]);
    assert_eq!(count.0.get(), 7);
}

#[test]
fn a_full_pipe_is_tried_again_and_between_lines_it_is_left_to_others() {
    let stream = stream(&[
        Step::Fail(ErrorKind::WouldBlock),
        Step::Take(3),
        Step::Fail(ErrorKind::WouldBlock),
        Step::Fail(ErrorKind::Interrupted),
    ]);
    let missing = Drain::new(&stream).write(b"abcdef\n", &Count::default());
    assert!(missing.is_none());
    assert_eq!(text(&stream), "abcdef\n");
    assert_eq!(
        *stream.locked.borrow(),
        [0, 0],
        "not in the middle of a line"
    );
}

#[test]
fn a_closed_pipe_loses_lines_and_a_torn_one_is_ended() {
    let stream = stream(&[
        Step::Take(8),
        Step::Fail(ErrorKind::BrokenPipe),
        Step::Fail(ErrorKind::BrokenPipe),
    ]);
    let mut drain = Drain::new(&stream);
    let count = Count::default();
    let of_three = drain.write(b"first\nsecond\nthird\n", &count);
    assert_eq!(of_three, lost(Loss::Closed, 2));
    assert_eq!(count.0.get(), 1);
    assert_eq!(drain.write(b"gone\n", &count), lost(Loss::Closed, 1));
    assert!(drain.write(b"again\n", &count).is_none());
    assert_eq!(text(&stream), "first\nse\nagain\n");
}

#[test]
fn other_failures_lose_lines_too() {
    for step in [Step::Take(0), Step::Fail(ErrorKind::PermissionDenied)] {
        let stream = stream(&[step]);
        let missing = Drain::new(&stream).write(b"a\nb\n", &Count::default());
        assert_eq!(missing, lost(Loss::Failed, 2));
    }
}

#[test]
fn a_full_disk_is_waited_for() {
    let stream = stream(&[Step::Fail(ErrorKind::StorageFull), Step::Take(9)]);
    assert!(
        Drain::new(&stream)
            .write(b"a\nb\n", &Count::default())
            .is_none()
    );
    assert_eq!(text(&stream), "a\nb\n");
}

/// What can happen to one write, now and then.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_usize..5_000).prop_map(Step::Take),
        1 => Just(Step::Fail(ErrorKind::Interrupted)),
        1 => Just(Step::Fail(ErrorKind::BrokenPipe)),
        1 => Just(Step::Fail(ErrorKind::Other)),
    ];
    proptest::collection::vec(step, 0..20)
}

proptest! {
    #[test]
    fn every_line_is_written_whole_or_counted(
        script in steps(),
        lengths in proptest::collection::vec(0_usize..3_000, 1..40),
        blocks in 1_usize..4,
    ) {
        let stream = stream(&script);
        let mut drain = Drain::new(&stream);
        let count = Count::default();
        let lines: Vec<String> = lengths.iter().enumerate()
            .map(|(n, length)| format!("<{n}{}>\n", "x".repeat(*length)))
            .collect();
        let mut missing = 0;
        for block in lines.chunks(lines.len().div_ceil(blocks)) {
            missing += drain.write(block.concat().as_bytes(), &count).total();
        }
        let total = lines.len() as u64;
        prop_assert_eq!(count.0.get() + missing, total);
        let text = text(&stream);
        let whole = text.lines().filter(|line| lines.contains(&format!("{line}\n"))).count() as u64;
        // A line that lacks nothing but its end counts as missing, and the next write ends it.
        let ended_late = whole.checked_sub(count.0.get());
        prop_assert!(ended_late.is_some_and(|late| late <= missing));
        let torn = text.lines().filter(|line| !line.ends_with('>'));
        prop_assert!(torn.count() as u64 <= missing);
    }
}
