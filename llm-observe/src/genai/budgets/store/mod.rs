//! A folder beside the outbox that processes share: what each has spent is in a file of its own, which
//! the others read.
//!
//! Each process works in the first numbered slot that no other holds, and continues with what is in it: a
//! process that starts again finds what it had spent. The files of dead processes count too.

mod file;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::account::Account;
use crate::{error::Error, outbox::private};

/// How many processes may share the folder. A further one counts in memory.
const SLOTS: u32 = 64;

const FOLDER: &str = "budgets";
/// Whoever alerts holds this: no two processes alert for the same threshold.
const ALERTS: &str = "alerts.lock";

/// The slot of this process; free again when dropped.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    slot: u32,
    _lock: File,
}

impl Store {
    /// Takes a slot in the folder of the outbox; returns it with what was spent in it by `now`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, or 64 processes use it.
    pub(super) fn open(outbox: &Path, now: u64) -> Result<(Store, Account), Error> {
        let folder = outbox.join(FOLDER);
        claim(&folder, now).map_err(|error| {
            let what = format!("the folder {} cannot be used", folder.display());
            Error::with(what, error)
        })
    }

    /// Writes what this process has spent.
    pub(super) fn write(&self, own: &Account) -> io::Result<()> {
        let new = self.folder.join(format!("{}.new", self.slot));
        // Whatever has that name is removed, not written through: it may be a link. Mostly there is nothing.
        let _ = fs::remove_file(&new);
        let mut file = private::options().write(true).create_new(true).open(&new)?;
        file.write_all(file::encode(own).as_bytes())?;
        drop(file);
        fs::rename(new, spent(&self.folder, self.slot))
    }

    /// Returns what the other processes have spent, and the dead ones.
    pub(super) fn others(&self, now: u64) -> Account {
        let mut all = Account::default();
        let others = (0..SLOTS).filter(|slot| *slot != self.slot);
        for account in others.filter_map(|slot| file::read(&spent(&self.folder, slot), now)) {
            all.join(&account);
        }
        all
    }

    /// Returns the right to alert until the file is closed; `None` while another process has it.
    pub(super) fn lock_alerts(&self) -> io::Result<Option<File>> {
        try_lock(&self.folder.join(ALERTS))
    }
}

fn claim(folder: &Path, now: u64) -> io::Result<(Store, Account)> {
    private::make_folder(folder)?;
    private::check_folder(folder)?;
    let mut own = None;
    let mut unusable = None;
    for slot in 0..SLOTS {
        match try_lock(&folder.join(format!("{slot}.lock"))) {
            Ok(Some(_lock)) if is_taken(&spent(folder, slot)) => {}
            Ok(Some(lock)) if own.is_none() => own = Some((slot, lock)),
            // Nobody's: a file with nothing of this period is removed.
            Ok(Some(_lock)) => remove_old(&spent(folder, slot), now),
            Ok(None) => {}
            Err(error) => {
                unusable.get_or_insert(error);
            }
        }
        // Slots are taken in order: behind one that never was, there is none.
        if own.is_some() && !folder.join(format!("{}.lock", slot + 1)).exists() {
            break;
        }
    }
    let full = || io::Error::other(format!("{SLOTS} processes use it already"));
    let (slot, lock) = own.ok_or_else(|| unusable.unwrap_or_else(full))?;
    let account = file::read(&spent(folder, slot), now).unwrap_or_default();
    let store = Store {
        folder: folder.to_owned(),
        slot,
        _lock: lock,
    };
    Ok((store, account))
}

fn spent(folder: &Path, slot: u32) -> PathBuf {
    folder.join(format!("{slot}.spent"))
}

/// Returns whether the name of a file stands for something else, which cannot be replaced by a file.
fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

fn remove_old(path: &Path, now: u64) {
    if file::read(path, now).is_none_or(|account| account.len() == 0) {
        // Mostly there is none.
        let _ = fs::remove_file(path);
    }
}

fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = private::options();
    options.create(true).truncate(false).write(true);
    let file = private::open(path, &options)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
