//! A pipeline that takes over from another: in a fork, where the ring and the writer thread belong
//! to the parent, and when the folder with the spool was deleted, so that the lines in it would not
//! survive a kill.

use std::{
    io,
    sync::{Arc, Weak, atomic::Ordering},
};

use super::Pipeline;
use crate::{
    claim::lock_file,
    disk::RealDisk,
    level::Level,
    options::LogOptions,
    stats::{Counters, LossReason},
    writer_thread::WriterThread,
};

impl Pipeline {
    /// Takes a line where this pipeline's fork guard is invalid. In a fork, the first line creates
    /// the successor.
    #[cold]
    pub(super) fn write_to_successor(&self, level: Level, line: &[u8]) {
        match self.successor() {
            Some(successor) => successor.write(level, line),
            // The ring is shared with the parent, which writes the notice of the missing line.
            None => self.count_lost(LossReason::Fork, 1),
        }
    }

    fn successor(&self) -> Option<&Arc<Pipeline>> {
        let fork = || {
            let cannot = |error: &io::Error| {
                let path = self.path();
                (self.hooks.warn)(&format!("{path}: cannot log in this fork: {error}"));
            };
            self.open_successor(WriterThread::start(), Arc::default(), Weak::new())
                .inspect_err(cannot)
                .ok()
        };
        self.successor.get_or_init(fork).as_ref()
    }

    fn open_successor(
        &self,
        thread: Arc<WriterThread>,
        counters: Arc<Counters>,
        predecessor: Weak<Pipeline>,
    ) -> io::Result<Arc<Pipeline>> {
        let disk = RealDisk::new(&self.options.dir, self.options.follow_symlinks)?;
        let pipeline = Self::build(
            self.options.clone(),
            self.hooks.clone(),
            Arc::new(disk),
            thread,
            counters,
            predecessor,
        )?;
        pipeline.thread.add(pipeline.clone());
        Ok(pipeline)
    }

    /// Returns the pipeline that takes lines in this process: this one, or its successor.
    pub(super) fn current(&self) -> &Pipeline {
        match self.fork_guard.is_valid() {
            true => self,
            false => self.successor().map_or(self, |next| next.current()),
        }
    }

    /// Lets a successor with a ring of its own take over when the folder was deleted or replaced.
    /// The successor writes this pipeline's last lines before its own.
    pub(super) fn hand_over_if_folder_gone(self: &Arc<Self>) {
        if self.successor.get().is_some() || !self.fork_guard.notices_forks() || self.is_in_place()
        {
            return;
        }
        let successor = self.open_successor(
            Arc::clone(&self.thread),
            Arc::clone(&self.counters),
            Arc::downgrade(self),
        );
        let Ok(successor) = successor else { return };
        if self.successor.set(Some(Arc::clone(&successor))).is_err() {
            return;
        }
        self.fork_guard.invalidate();
        if let Err(error) = successor.renew_claim() {
            (self.hooks.warn)(&format!("{}: {error}", self.path()));
        }
        self.closed.store(true, Ordering::Release);
    }

    fn is_in_place(&self) -> bool {
        let LogOptions { dir, file, .. } = &self.options;
        self.spool.is_in_place(dir, file)
    }

    /// The lock that keeps other processes away was deleted with the folder.
    fn renew_claim(&self) -> io::Result<()> {
        let file = lock_file(&self.options.dir, &self.options)?;
        let _ = self.claim.set(file);
        Ok(())
    }

    /// Deletes the file of this ring and of those before it, once everything in them is in the log.
    pub(super) fn remove_spools(&self) {
        self.spool.remove();
        if let Some(predecessor) = self.predecessor() {
            predecessor.remove_spools();
        }
    }

    /// Returns the pipeline that this one took over from, as long as it exists.
    pub(super) fn predecessor(&self) -> Option<Arc<Pipeline>> {
        self.predecessor.upgrade()
    }
}
