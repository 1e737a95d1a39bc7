//! A pipeline whose file cannot be opened yet: it takes lines into memory, and another one that has the
//! file takes over from it.

use std::{
    io,
    sync::{Arc, Weak, atomic::Ordering},
    time::{Instant, SystemTime},
};

use super::{Parts, Pipeline, lock};
use crate::{
    disk::Disk, hooks::Hooks, options::LogOptions, spool::Spool, stats::Health,
    writer_thread::WriterThread,
};

impl Pipeline {
    /// Returns a pipeline without a file; `why` it has none.
    ///
    /// # Errors
    /// When there is no memory for its lines.
    pub(crate) fn detached(
        options: LogOptions,
        hooks: Hooks,
        why: String,
        thread: Arc<WriterThread>,
    ) -> io::Result<Arc<Self>> {
        let parts = Parts {
            work: None,
            spool: Spool::in_memory_of(options.buffer_bytes)?,
            counters: Arc::default(),
            predecessor: Weak::new(),
            exposed: false,
        };
        let pipeline = Self::over(options, hooks, thread, parts);
        *lock(&pipeline.health) = Health::Waiting {
            since: SystemTime::now(),
            error: why,
        };
        // Nothing moves until there is a file: no caller waits for room.
        pipeline.refused.store(true, Ordering::Relaxed);
        *lock(&pipeline.wait_deadline) = Some(Instant::now());
        Ok(Arc::new(pipeline))
    }

    /// Lets a pipeline that has a file take over, which writes the lines of this one first. Called once.
    pub(crate) fn attach(
        self: &Arc<Self>,
        options: LogOptions,
        disk: Arc<dyn Disk>,
    ) -> io::Result<()> {
        let attached = Self::build(
            options,
            self.hooks.clone(),
            disk,
            Arc::clone(&self.thread),
            Arc::clone(&self.counters),
            Arc::downgrade(self),
        )?;
        if self.successor.set(Some(Arc::clone(&attached))).is_err() {
            return Ok(());
        }
        self.fork_guard.invalidate();
        attached.run_pass();
        attached.thread.add(attached.clone());
        Ok(())
    }

    /// Returns the live file's name.
    pub(crate) fn file_name(&self) -> String {
        self.current().options.file.clone()
    }
}
