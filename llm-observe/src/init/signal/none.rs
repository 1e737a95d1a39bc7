//! A system without signals: none comes.

use std::{io, thread};

/// The signals of this process.
pub(super) struct Signals;

impl Signals {
    pub(super) fn listen() -> io::Result<Signals> {
        Ok(Signals)
    }

    pub(super) fn wait(&mut self) -> &'static str {
        loop {
            thread::park();
        }
    }

    pub(super) fn end_at_next(self) {}
}
