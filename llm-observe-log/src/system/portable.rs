//! Systems other than Unix: lines wait in memory of this process alone, so that a kill loses the last
//! of them. Files have the permissions of their folder.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io,
    ops::{Deref, Range},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::types::{FileId, LockMode};

/// Memory for a ring.
pub(crate) struct Mapping(Box<[AtomicU64]>);

impl Mapping {
    /// Always an error: there are no mappings without unsafe code, and a ring goes to memory then.
    pub(crate) fn of_file(_file: &File, _words: usize) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn anonymous(words: usize) -> io::Result<Self> {
        Ok(Self((0..words).map(|_| AtomicU64::new(0)).collect()))
    }

    pub(crate) fn prepare(&self, _words: Range<usize>) {}
}

impl Deref for Mapping {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        &self.0
    }
}

/// Valid until it is invalidated: there are no forks.
pub(crate) struct ForkGuard(AtomicBool);

impl ForkGuard {
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(true))
    }

    #[inline]
    pub(crate) fn is_valid(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn notices_forks(&self) -> bool {
        false
    }

    pub(crate) fn invalidate(&self) {
        self.0.store(false, Ordering::Release);
    }
}

pub(crate) fn restrict(_options: &mut OpenOptions, _mode: u32, _follow: bool) {}

pub(crate) fn restrict_dir(_builder: &mut DirBuilder) {}

pub(crate) fn is_refused_symlink(_error: &io::Error) -> bool {
    false
}

pub(crate) fn user() -> u32 {
    0
}

pub(crate) fn is_private(_meta: &Metadata) -> bool {
    true
}

pub(crate) fn is_trusted(_meta: &Metadata, _folder: &Metadata) -> bool {
    true
}

pub(crate) fn has_other_names(_meta: &Metadata) -> bool {
    false
}

/// Unknown here: permissions are those of the folder.
pub(crate) fn exposure(_folder: &Metadata) -> Option<String> {
    None
}

pub(crate) fn lets_anybody_rename(_folder: &Metadata) -> bool {
    false
}

/// The time of creation stands for the file's identity: the standard library has no other.
pub(crate) fn id(meta: &Metadata) -> FileId {
    let made = meta.created().ok();
    let since = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
    let nanos = since.map_or(0, |since| since.as_nanos());
    FileId {
        dev: 0,
        ino: u64::try_from(nanos).unwrap_or_default(),
    }
}

/// Not atomic: between the two steps another program could take the name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match to.try_exists()? {
        true => Err(io::ErrorKind::AlreadyExists.into()),
        false => fs::rename(from, to),
    }
}

pub(crate) fn lock(file: &File, mode: LockMode) -> io::Result<bool> {
    let locked = match mode {
        LockMode::Exclusive => file.try_lock(),
        LockMode::Shared => file.try_lock_shared(),
    };
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

pub(crate) fn unlock(file: &File) {
    let _ = file.unlock();
}

/// There are no mappings here.
pub(crate) fn keeps_pages(_dir: &Path) -> bool {
    true
}

pub(crate) fn allocate(file: &File, len: u64) -> io::Result<()> {
    file.set_len(len)
}
