//! Ctrl-C, Ctrl-Break, and the end of the console or session.

use std::{future::poll_fn, io, process, task::Poll};

use tokio::{
    runtime::{Builder, Runtime},
    signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
    },
};

/// What a process exits with that Ctrl-C ends: `STATUS_CONTROL_C_EXIT`.
const ENDED: i32 = 0xC000_013A_u32.cast_signed();

/// The signals of this process.
pub(super) struct Signals {
    runtime: Runtime,
    c: CtrlC,
    stop: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Signals> {
        Ok(Signals {
            runtime: Builder::new_current_thread().build()?,
            c: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the next signal, and returns its name.
    pub(super) fn wait(&mut self) -> &'static str {
        let next = poll_fn(|cx| {
            if self.c.poll_recv(cx).is_ready() {
                return Poll::Ready("Ctrl-C");
            }
            if self.stop.poll_recv(cx).is_ready() {
                return Poll::Ready("Ctrl-Break");
            }
            if self.close.poll_recv(cx).is_ready() {
                return Poll::Ready("end of the console");
            }
            match self.shutdown.poll_recv(cx) {
                Poll::Ready(_) => Poll::Ready("end of the session"),
                Poll::Pending => Poll::Pending,
            }
        });
        self.runtime.block_on(next)
    }

    /// Lets the next signal end the process.
    pub(super) fn end_at_next(mut self) {
        self.wait();
        process::exit(ENDED);
    }
}
