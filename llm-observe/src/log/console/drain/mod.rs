//! Writes lines to a stream that may be slow, full, non-blocking or closed, without tearing one.

use std::{
    io::{self, ErrorKind, Write},
    thread,
    time::Duration,
};

use super::loss::{Loss, Missing, count_lines};

/// The most that one write takes, unless a line is longer: as much as a pipe of Linux takes in one
/// piece (`PIPE_BUF`, pipe(7)). Other processes that write to it cannot get in between.
const PIECE: usize = 4_096;

/// The pauses while a stream takes nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// A stream that others write to as well.
pub(super) trait Target {
    /// Calls `f` with the stream, while nobody else in this process can write to it.
    fn with_lock<T>(&self, f: impl FnOnce(&mut dyn Write) -> T) -> T;
}

/// Who waits for the lines.
pub(super) trait Progress {
    /// Takes note that so many lines are written.
    fn written(&self, lines: u64);

    /// Returns whether nobody waits any more.
    fn is_over(&self) -> bool;
}

/// Writes whole lines to a target.
pub(super) struct Drain<T> {
    target: T,
    /// Whether the stream ends in the middle of a line, since writing failed there.
    torn: bool,
}

impl<T: Target> Drain<T> {
    pub(super) const fn new(target: T) -> Drain<T> {
        Drain {
            target,
            torn: false,
        }
    }

    /// Writes lines, for as long as it takes or until nobody waits any more. Returns what was not
    /// written.
    pub(super) fn write(&mut self, lines: &[u8], progress: &impl Progress) -> Missing {
        let mut missing = Missing::default();
        let mut rest = lines;
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(piece_length(rest));
            let in_piece = count_lines(piece);
            let Err(failure) = self.write_piece(piece, progress) else {
                progress.written(in_piece);
                rest = others;
                continue;
            };
            progress.written(in_piece.saturating_sub(failure.lines));
            // Later lines are tried again; these are not, or each piece would cost an error.
            missing.add(failure.loss, failure.lines + count_lines(others));
            break;
        }
        missing
    }

    fn write_piece(&mut self, piece: &[u8], progress: &impl Progress) -> Result<(), Failure> {
        // A line that writing failed in is ended first.
        let after_torn = self.torn.then(|| [b"\n", piece].concat());
        let whole = after_torn.as_deref().unwrap_or(piece);
        let mut written = 0;
        let mut pause = FIRST_PAUSE;
        let result = loop {
            let push = |out: &mut dyn Write| push(out, whole, &mut written, progress);
            match self.target.with_lock(push) {
                Err(error) if written == 0 && is_temporary(&error) && !progress.is_over() => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                result => break result,
            }
        };
        let done = whole.get(..written).unwrap_or(whole);
        if !done.is_empty() {
            self.torn = !done.ends_with(b"\n");
        }
        let left = piece.len().min(whole.len() - done.len());
        let left = piece.get(piece.len() - left..).unwrap_or_default();
        result.map_err(|error| Failure {
            // What standard output could not flush is part of a line.
            lines: count_lines(left).max(1),
            loss: match error.kind() {
                ErrorKind::BrokenPipe => Loss::Closed,
                _ => Loss::Failed,
            },
        })
    }
}

/// A write that ended early.
struct Failure {
    /// How many lines are not written.
    lines: u64,
    loss: Loss,
}

/// Writes the rest of `piece`. Returns a temporary error only between two lines: in the middle of
/// one, the stream stays locked until it takes the rest.
fn push(
    out: &mut dyn Write,
    piece: &[u8],
    written: &mut usize,
    progress: &impl Progress,
) -> io::Result<()> {
    let mut pause = FIRST_PAUSE;
    loop {
        let rest = piece.get(*written..).unwrap_or_default();
        let result = match rest {
            // What standard output keeps in its own buffer comes before all later lines.
            [] => out.flush(),
            rest => out.write(rest).and_then(|taken| match taken {
                0 => Err(ErrorKind::WriteZero.into()),
                taken => {
                    *written += taken;
                    pause = FIRST_PAUSE;
                    Ok(())
                }
            }),
        };
        match result {
            Ok(()) if rest.is_empty() => return Ok(()),
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if *written > 0 && is_temporary(&error) && !progress.is_over() => {
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Returns whether the stream may take the same bytes later: a full non-blocking pipe, or a file on a
/// full disk.
fn is_temporary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

/// Returns the length of the longest run of whole lines within [`PIECE`], and at least one line.
fn piece_length(lines: &[u8]) -> usize {
    let is_end = |byte: &u8| *byte == b'\n';
    let within = lines.get(..PIECE).unwrap_or(lines);
    if let Some(last) = within.iter().rposition(is_end) {
        return last + 1;
    }
    let first = lines.iter().position(is_end);
    first.map_or(lines.len(), |end| end + 1)
}

#[cfg(test)]
mod tests;
