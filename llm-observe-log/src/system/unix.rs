//! Permissions, locks, file identities and renames on Unix.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::{CWD, FallocateFlags, FlockOperation, OFlags, RenameFlags};

use super::types::{FileId, LockMode};

/// Sets the mode of a new file. An existing one is opened without waiting, so that a FIFO of that name
/// blocks nobody, and through a symlink only with `follow`.
pub(crate) fn restrict(options: &mut OpenOptions, mode: u32, follow: bool) {
    let flags = match follow {
        true => OFlags::NONBLOCK,
        false => OFlags::NONBLOCK | OFlags::NOFOLLOW,
    };
    options.mode(mode);
    options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
}

pub(crate) fn restrict_dir(builder: &mut DirBuilder) {
    builder.mode(0o700);
}

/// Returns whether a file was not opened because it is a symlink.
pub(crate) fn is_refused_symlink(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Returns the user who runs this process.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(crate) fn is_private(meta: &Metadata) -> bool {
    meta.uid() == user() && meta.mode() & 0o077 == 0
}

/// Returns whether nobody can have put the file into its folder who could not replace it anyway: it
/// belongs to this user, to root, or to the owner of the folder, or nobody else can write there. The
/// owner of the folder is also that of all files where a file system knows one user only (NFS with
/// `all_squash`, CIFS).
pub(crate) fn is_trusted(meta: &Metadata, folder: &Metadata) -> bool {
    let owners = [user(), 0, folder.uid()];
    owners.contains(&meta.uid()) || folder.mode() & 0o022 == 0
}

/// Returns whether the file has other names.
pub(crate) fn has_other_names(meta: &Metadata) -> bool {
    meta.nlink() > 1
}

/// Returns why others than this user and root can write this folder; `None` when they cannot. A sticky
/// folder keeps them from the files that are not theirs. A group that has the user's own number is
/// the user's own, by the convention of most distributions.
pub(crate) fn exposure(folder: &Metadata) -> Option<String> {
    let (owner, group, mode) = (folder.uid(), folder.gid(), folder.mode());
    if owner != user() && owner != 0 {
        return Some(format!("it belongs to user {owner}"));
    }
    let others = mode & 0o002 != 0;
    let of_group = mode & 0o020 != 0 && group != 0 && group != owner;
    let sticky = mode & 0o1000 != 0 && owner == user();
    ((others || of_group) && !sticky)
        .then(|| format!("its mode {:04o} lets other users write", mode & 0o7777))
}

/// Returns whether anybody can rename what is in this folder.
pub(crate) fn lets_anybody_rename(folder: &Metadata) -> bool {
    folder.mode() & 0o1002 == 0o002
}

pub(crate) fn id(meta: &Metadata) -> FileId {
    FileId {
        dev: meta.dev(),
        ino: meta.ino(),
    }
}

pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system supports the flag.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            std::fs::hard_link(from, to)?;
            std::fs::remove_file(from)
        }
        other => Ok(other?),
    }
}

/// Locks the whole file for this process. Returns `false` when another process holds the lock.
///
/// A POSIX record lock: it ends with the process and is not inherited by forks. Closing *any*
/// descriptor of the file ends it too, so each locked file is opened once.
pub(crate) fn lock(file: &File, mode: LockMode) -> io::Result<bool> {
    let operation = match mode {
        LockMode::Exclusive => FlockOperation::NonBlockingLockExclusive,
        LockMode::Shared => FlockOperation::NonBlockingLockShared,
    };
    match rustix::fs::fcntl_lock(file, operation) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn unlock(file: &File) {
    let _ = rustix::fs::fcntl_lock(file, FlockOperation::Unlock);
}

/// Reserves the blocks of the first `len` bytes, so that no later write to them can find the
/// disk full.
pub(crate) fn allocate(file: &File, len: u64) -> io::Result<()> {
    Ok(rustix::fs::fallocate(
        file,
        FallocateFlags::empty(),
        0,
        len,
    )?)
}

/// Returns whether every allocated page of a file in this folder can be written at any time.
/// Elsewhere the system ends the process that touches such a page (SIGBUS): btrfs and other
/// copy-on-write file systems need room for the copy, which a full disk or a quota denies; XFS refuses
/// all writes after a disk error. ext4 and tmpfs keep their pages.
#[cfg(target_os = "linux")]
pub(crate) fn keeps_pages(dir: &Path) -> bool {
    /// From `linux/magic.h`: ext2 to ext4, tmpfs, and overlayfs, which uses the pages of another file
    /// system, most often ext4.
    const KEEPING: [u64; 3] = [0xEF53, 0x0102_1994, 0x794C_7630];
    rustix::fs::statfs(dir)
        .is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| KEEPING.contains(&kind)))
}

/// Unknown for other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keeps_pages(_dir: &Path) -> bool {
    true
}
