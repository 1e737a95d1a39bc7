//! A core's successor: in a fork, where ring and writer belong to the parent, and when the folder
//! with the ring's file was deleted, so that what is in the ring would not outlive a kill.

use std::{
    io,
    sync::{Arc, Weak, atomic::Ordering},
};

use super::{
    super::{
        disk::RealDisk,
        file::lock_file,
        settings::{Priority, Settings},
        writer::Writer,
    },
    Core,
    state::{Counts, Reason},
};

impl Core {
    /// Takes a line where this core's mark does not hold. In a fork the heir is made at the first.
    #[cold]
    pub(super) fn write_to_heir(&self, priority: Priority, line: &[u8]) {
        match self.heir() {
            Some(heir) => heir.write(priority, line),
            // The ring is shared with the parent, which says in the log that the line is missing.
            None => self.lose(Reason::Fork),
        }
    }

    fn heir(&self) -> Option<&Arc<Core>> {
        let fork = || {
            let cannot = |error: &io::Error| {
                let path = self.path();
                (self.hooks.say)(&format!("{path}: cannot log in this fork: {error}"));
            };
            self.open_heir(Writer::start(), Arc::default(), Weak::new())
                .inspect_err(cannot)
                .ok()
        };
        self.heir.get_or_init(fork).as_ref()
    }

    fn open_heir(
        &self,
        writer: Arc<Writer>,
        counts: Arc<Counts>,
        before: Weak<Core>,
    ) -> io::Result<Arc<Core>> {
        let disk = RealDisk::new(&self.settings.dir, self.settings.follow_symlinks)?;
        let core = Self::build(
            self.settings.clone(),
            &self.name,
            self.hooks.clone(),
            Arc::new(disk),
            writer,
            counts,
            before,
        )?;
        core.writer.add(Arc::clone(&core));
        Ok(core)
    }

    /// The core that takes lines in this process: this one, or its heir.
    pub(super) fn live(&self) -> &Core {
        match self.mark.holds() {
            true => self,
            false => self.heir().map_or(self, |heir| heir.live()),
        }
    }

    /// Lets an heir with a ring of its own take over when the folder was deleted or replaced. This
    /// core's last lines are written by the heir, before its own.
    pub(super) fn succeed_if_homeless(self: &Arc<Self>) {
        if self.heir.get().is_some() || !self.mark.can_be_wiped() || self.is_at_home() {
            return;
        }
        let heir = self.open_heir(
            Arc::clone(&self.writer),
            Arc::clone(&self.counts),
            Arc::downgrade(self),
        );
        let Ok(heir) = heir else { return };
        if self.heir.set(Some(Arc::clone(&heir))).is_err() {
            return;
        }
        self.mark.wipe();
        if let Err(error) = heir.claim_again() {
            (self.hooks.say)(&format!("{}: {error}", self.path()));
        }
        self.closed.store(true, Ordering::Release);
    }

    fn is_at_home(&self) -> bool {
        let Settings { dir, file, .. } = &self.settings;
        self.spool.is_in_place(dir, file)
    }

    /// The lock that keeps other processes away was deleted with the folder.
    fn claim_again(&self) -> io::Result<()> {
        let file = lock_file(&self.settings.dir, &self.settings)?;
        let _ = self.claim.set(file);
        Ok(())
    }

    /// Deletes the file of this ring and of those before it: nothing in them is missing from the log.
    pub(super) fn remove_spools(&self) {
        self.spool.remove();
        if let Some(before) = self.before() {
            before.remove_spools();
        }
    }

    /// The core this one took over from, as long as there is one.
    pub(super) fn before(&self) -> Option<Arc<Core>> {
        self.before.upgrade()
    }
}
