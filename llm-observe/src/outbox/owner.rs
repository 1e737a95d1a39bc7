//! Slots: which process writes where, and what dead processes left.
//!
//! The folder of an outbox has numbered slots. A process works in the first slot that no other
//! holds. It moves the files of slots that nobody holds into its own, at its start and at
//! intervals: a process that died may never be started again.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::private;

/// How many processes may share a folder. A further one works in memory, and logs so.
const SLOTS: u32 = 64;

const LOCK: &str = "owner.lock";

/// The folder, in a slot, of files from other slots that are no parcels.
pub(super) const LEFT: &str = "left";

/// The slot that this process holds; released when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    dir: PathBuf,
    /// Where this process writes.
    pub(super) own: PathBuf,
    _lock: File,
}

/// Returns whether it is the file that keeps others out of a slot.
pub(super) fn is_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == LOCK)
}

/// Takes a slot of `dir` to write in.
pub(super) fn claim(dir: &Path) -> io::Result<Slot> {
    private::make_folder(dir)?;
    let mut unusable = None;
    for slot in 0..SLOTS {
        let own = dir.join(slot.to_string());
        match private::make_folder(&own).and_then(|()| try_lock(&own)) {
            Ok(Some(lock)) => {
                return Ok(Slot {
                    dir: dir.to_owned(),
                    own,
                    _lock: lock,
                });
            }
            Ok(None) => {}
            // Another one may be usable: a name in it can be taken by something else.
            Err(error) => {
                unusable.get_or_insert(error);
            }
        }
    }
    let full = || io::Error::other(format!("{SLOTS} processes use {} already", dir.display()));
    Err(unusable.unwrap_or_else(full))
}

impl Slot {
    /// Calls `take` with each file in the slots that nobody holds; a slot stays locked while its
    /// files are taken, so no two processes take the same.
    pub(super) fn each_left(&self, mut take: impl FnMut(&Path)) {
        let slots = (0..SLOTS).map(|slot| self.dir.join(slot.to_string()));
        for slot in slots.filter(|slot| *slot != self.own) {
            let left = files(&slot);
            if left.is_empty() {
                continue;
            }
            // One that another process holds is its own.
            if let Ok(Some(_lock)) = try_lock(&slot) {
                // Listed again: its owner may have written until now.
                files(&slot).iter().for_each(|file| take(file));
            }
        }
    }
}

/// Returns the files of a slot without its lock, with those that its owner had adopted. A symlink in
/// the place of one of its folders is not followed: what it leads to would be moved.
fn files(slot: &Path) -> Vec<PathBuf> {
    let folders = [slot.to_owned(), slot.join(LEFT)];
    let folders = folders
        .into_iter()
        .take_while(|folder| private::check_folder(folder).is_ok());
    let entries = folders.filter_map(|folder| fs::read_dir(folder).ok());
    let files = entries.flatten().flatten().filter(|entry| {
        entry.file_name() != LOCK && entry.file_type().is_ok_and(|kind| kind.is_file())
    });
    files.map(|entry| entry.path()).collect()
}

fn try_lock(slot: &Path) -> io::Result<Option<File>> {
    private::check_folder(slot)?;
    let mut options = private::options();
    options.create(true).truncate(false).write(true);
    let lock = private::open(&slot.join(LOCK), &options)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}
