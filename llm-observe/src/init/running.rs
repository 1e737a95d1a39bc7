//! What an observer runs, shared by its value, the program's functions and signals. Whoever ends it first
//! ends it; for the others nothing is left to do.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Condvar, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use super::{FlushReport, Part, SendTestResult};
use crate::{
    kernel::{
        dispatch,
        fork_mutex::{ForkMutex, is_fork},
    },
    observer::Dispatcher,
    own_thread::{deadline, left},
    probes::PROGRAM,
    warn::warn,
};

/// The program's observer, from its start on.
static INSTALLED: OnceLock<Arc<Running>> = OnceLock::new();

/// What each part leaves of the limit to those that stop after it.
const LEAVE: Duration = Duration::from_millis(400);

/// The parts and threads of an observer.
pub(super) struct Running {
    dispatcher: Arc<Dispatcher>,
    /// In the order they were started. Flushed and stopped last to first: delivering writes lines.
    parts: Vec<Box<dyn Part>>,
    /// Threads that end when dropped.
    threads: ForkMutex<Vec<Box<dyn Send + Sync>>>,
    /// Empty while there is no server.
    listening: Arc<OnceLock<SocketAddr>>,
    phase: ForkMutex<Phase>,
    ended: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Ending,
    Ended,
}

/// Returns the program's observer, running or ended.
pub(super) fn installed() -> Option<&'static Arc<Running>> {
    INSTALLED.get()
}

impl Running {
    /// Makes these parts those of the program's observer.
    pub(super) fn install(
        dispatcher: Arc<Dispatcher>,
        parts: Vec<Box<dyn Part>>,
        threads: Vec<Box<dyn Send + Sync>>,
        listening: Arc<OnceLock<SocketAddr>>,
    ) -> Arc<Running> {
        let pipeline = dispatcher.pipeline().clone();
        PROGRAM.set_metrics(move || pipeline.metrics.render());
        let running = Arc::new(Running {
            dispatcher,
            parts,
            threads: ForkMutex::new(threads),
            listening,
            phase: ForkMutex::new(Phase::Running),
            ended: Condvar::new(),
        });
        // Set once: a program has one observer.
        let _ = INSTALLED.set(running.clone());
        running
    }

    pub(super) fn listening(&self) -> Option<SocketAddr> {
        self.listening.get().copied()
    }

    pub(super) fn metrics(&self) -> Option<String> {
        self.dispatcher.pipeline().metrics.render()
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.parts.iter().flat_map(|part| part.files()).collect()
    }

    pub(super) fn send_test(&self, limit: Duration) -> Vec<SendTestResult> {
        self.parts
            .iter()
            .flat_map(|part| part.send_test(limit))
            .collect()
    }

    /// Hands on all that is held back, within `limit`; nothing once it is being ended.
    pub(super) fn flush(&self, limit: Duration) -> FlushReport {
        let mut report = FlushReport::default();
        if !self.is_running() {
            return report;
        }
        let deadline = deadline(limit);
        self.dispatcher.flush(left(deadline) / 4, false);
        self.dispatcher.pipeline().metrics.publish();
        for part in self.parts.iter().rev() {
            part.flush(left(deadline), &mut report);
        }
        report
    }

    fn is_running(&self) -> bool {
        let phase = self.phase.lock();
        phase.is_some_and(|phase| *phase == Phase::Running)
    }

    /// Ends it within `limit`: no call comes to it any more, what is held back is handed on, and its
    /// threads end. The second time it waits for the first to be over, and returns an empty report.
    pub(super) fn end(&self, limit: Duration) -> FlushReport {
        let deadline = deadline(limit);
        if !self.begin() {
            self.await_end(deadline);
            return FlushReport::default();
        }
        let _ending = Ending(self);
        PROGRAM.stop();
        dispatch::uninstall();
        let report = match is_fork() {
            true => self.stop_in_fork(deadline),
            false => self.stop(deadline),
        };
        say_what_is_left(&report);
        report
    }

    /// Returns whether this is the first to end it.
    fn begin(&self) -> bool {
        let phase = self.phase.lock();
        let Some(mut phase) = phase.filter(|phase| **phase == Phase::Running) else {
            return false;
        };
        *phase = Phase::Ending;
        true
    }

    fn await_end(&self, deadline: Instant) {
        // In a fork, who is ending it may be a thread of the parent.
        let Some(phase) = self.phase.lock().filter(|_| !is_fork()) else {
            return;
        };
        let ending = |phase: &mut Phase| *phase != Phase::Ended;
        drop(
            self.ended
                .wait_timeout_while(phase, left(deadline), ending)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn stop(&self, deadline: Instant) -> FlushReport {
        let mut report = FlushReport::default();
        // Before the outlets: it may alert.
        self.dispatcher.flush(left(deadline) / 4, true);
        self.dispatcher.pipeline().metrics.publish();
        let share = LEAVE.min(left(deadline) / 8);
        let mut later = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        // Outlets may still log while they stop: the loggers stop last.
        for part in self.parts.iter().rev() {
            later = later.saturating_sub(1);
            let limit = left(deadline).saturating_sub(share.saturating_mul(later));
            part.stop(limit, &mut report);
        }
        if let Some(mut threads) = self.threads.lock() {
            threads.clear();
        }
        PROGRAM.end_metrics();
        report
    }

    /// The threads are the parent's, and so is what waits for them: the parent delivers it.
    fn stop_in_fork(&self, deadline: Instant) -> FlushReport {
        let mut report = FlushReport::default();
        let ours = self.parts.iter().filter(|part| part.works_in_fork());
        ours.for_each(|part| part.stop(left(deadline), &mut report));
        report
    }
}

/// Notes the end of the one that ends it, by a panic too.
struct Ending<'a>(&'a Running);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let Some(mut phase) = self.0.phase.lock() {
            *phase = Phase::Ended;
        }
        self.0.ended.notify_all();
    }
}

/// Says on standard error what could not be handed on.
fn say_what_is_left(left: &FlushReport) {
    let parcels = |count| match count {
        1 => "1 report or alert".to_owned(),
        count => format!("{count} reports and alerts"),
    };
    let saved = left.kept.saturating_sub(left.unsaved);
    if saved > 0 {
        warn(&format!(
            "{} could not be delivered yet; the next start tries again",
            parcels(saved)
        ));
    }
    if left.unsaved > 0 {
        warn(&format!(
            "{} could not be delivered and {} lost: the outbox's folder cannot be written",
            parcels(left.unsaved),
            if left.unsaved == 1 { "is" } else { "are" },
        ));
    }
    if left.pending_bytes > 0 {
        warn(&format!(
            "{} bytes of log lines could not be written yet; the next start writes them",
            left.pending_bytes
        ));
    }
}
