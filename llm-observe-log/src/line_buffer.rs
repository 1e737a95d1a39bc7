//! Whole lines out of pieces of bytes.

/// The most bytes that a line may have before it is passed on without its end.
const LONGEST: usize = 1 << 20;

/// Joins pieces to lines. Whole lines pass through without a copy.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    partial: Vec<u8>,
}

impl LineBuffer {
    /// Takes `bytes`, and calls `line` with each line that is complete.
    pub(crate) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (piece, after) = rest.split_at(end.saturating_add(1));
            if self.partial.is_empty() {
                line(piece);
            } else {
                self.partial.extend_from_slice(piece);
                self.pass_on(&mut line);
            }
            rest = after;
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > LONGEST {
            self.finish(line);
        }
    }

    /// Ends the line that was begun, if there is one.
    pub(crate) fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.partial.is_empty() {
            self.partial.push(b'\n');
            self.pass_on(&mut line);
        }
    }

    fn pass_on(&mut self, line: &mut impl FnMut(&[u8])) {
        line(&self.partial);
        self.partial.clear();
    }
}
