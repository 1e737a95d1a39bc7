//! SIGTERM and SIGINT.

use std::{
    io::{self, Read},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag, low_level,
};

/// Which signals are listened to: their names, and the numbers that `seen` has for them.
const SIGNALS: [(i32, usize, &str); 2] = [(SIGTERM, 1, "SIGTERM"), (SIGINT, 2, "SIGINT")];

/// The signals of this process.
pub(super) struct Signals {
    /// Has a byte for each signal.
    pipe: UnixStream,
    /// The latest signal; 0 before the first. In a fork it is that of the fork.
    seen: Arc<AtomicUsize>,
    /// Whether the next signal ends the process.
    last: Arc<AtomicBool>,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Signals> {
        let (pipe, write) = UnixStream::pair()?;
        let signals = Signals {
            pipe,
            seen: Arc::default(),
            last: Arc::default(),
        };
        for (signal, number, _) in SIGNALS {
            // In this order: one that ends the process does nothing else.
            flag::register_conditional_default(signal, signals.last.clone())?;
            flag::register_usize(signal, signals.seen.clone(), number)?;
            low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(signals)
    }

    /// Waits for the next signal, and returns its name.
    pub(super) fn wait(&mut self) -> &'static str {
        loop {
            // A forked process has the same pipe: a byte may be of a signal that was sent to it.
            let read = self.pipe.read(&mut [0]);
            let seen = self.seen.load(Ordering::SeqCst);
            let name = SIGNALS.iter().find(|(_, number, _)| *number == seen);
            match (name, read) {
                (Some((_, _, name)), _) => return name,
                (None, Ok(0)) => std::thread::park(),
                (None, _) => {}
            }
        }
    }

    /// Lets the next signal end the process, as if nobody listened.
    pub(super) fn end_at_next(self) {
        self.last.store(true, Ordering::SeqCst);
    }
}
