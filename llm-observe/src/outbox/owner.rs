//! Who owns which folder: one process at a time, found out through file locks, which the system
//! takes back when a process dies.
//!
//! The folder of an outbox has numbered slots. A process works in the first slot that no other
//! holds, and takes up what is left in every other free slot.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::private;

/// How many processes may share a folder. One more works in memory, and says so.
const SLOTS: u32 = 64;

const LOCK: &str = "owner.lock";

/// The slots that this process holds; given back when dropped.
#[derive(Debug)]
pub(super) struct Owned {
    /// Where this process writes.
    pub(super) own: PathBuf,
    /// The slots of processes that are gone, to be taken up.
    pub(super) left: Vec<PathBuf>,
    _locks: Vec<File>,
}

/// Takes a slot of `dir` to write in, and every free slot that has something in it.
pub(super) fn claim(dir: &Path) -> io::Result<Owned> {
    private::make_folder(dir)?;
    let mut locks = Vec::new();
    let mut held = Vec::new();
    for slot in 0..SLOTS {
        let path = dir.join(slot.to_string());
        if !held.is_empty() && !path.exists() {
            continue;
        }
        private::make_folder(&path)?;
        if let Some(lock) = try_lock(&path)? {
            locks.push(lock);
            held.push(path);
        }
    }
    let mut held = held.into_iter();
    let own = held.next().ok_or_else(|| {
        io::Error::other(format!("{SLOTS} processes use {} already", dir.display()))
    })?;
    Ok(Owned {
        own,
        left: held.collect(),
        _locks: locks,
    })
}

fn try_lock(slot: &Path) -> io::Result<Option<File>> {
    let lock = private::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(slot.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}
