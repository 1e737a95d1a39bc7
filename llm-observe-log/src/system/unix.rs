//! Permissions, locks, identities and renames as Unix has them.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::{CWD, FallocateFlags, FlockOperation, OFlags, RenameFlags};

use super::super::disk::{FileId, Share};

pub(crate) fn restrict(options: &mut OpenOptions, mode: u32, follow: bool) {
    options.mode(mode);
    if !follow {
        options.custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default());
    }
}

pub(crate) fn private(builder: &mut DirBuilder) {
    builder.mode(0o700);
}

/// Whether a file was not opened because it is a symlink.
pub(crate) fn is_refused_symlink(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Who runs this process.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(crate) fn is_private(meta: &Metadata) -> bool {
    meta.uid() == user() && meta.mode() & 0o077 == 0
}

pub(crate) fn id(meta: &Metadata) -> FileId {
    FileId {
        dev: meta.dev(),
        ino: meta.ino(),
    }
}

pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            std::fs::hard_link(from, to)?;
            std::fs::remove_file(from)
        }
        other => Ok(other?),
    }
}

/// Locks the whole file for this process; `false` when another has it. A POSIX record lock: it
/// ends with the process and is not inherited by forks, but closing *any* descriptor of the
/// file ends it too, so each locked file is opened once.
pub(crate) fn lock(file: &File, share: Share) -> io::Result<bool> {
    let operation = match share {
        Share::Alone => FlockOperation::NonBlockingLockExclusive,
        Share::Together => FlockOperation::NonBlockingLockShared,
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

/// Whether every page that a file in this folder has blocks for can be written at any time: else
/// the system ends the process that touches it (SIGBUS). btrfs and others that copy on write need
/// room for the copy, which a full disk or a quota denies; XFS refuses all once it has met an error
/// of the disk. ext4 and tmpfs are known to hold.
#[cfg(target_os = "linux")]
pub(crate) fn keeps_pages(dir: &Path) -> bool {
    /// As in `linux/magic.h`: ext2 to ext4, tmpfs, and overlayfs, which has the pages of another,
    /// most often of ext4.
    const KEEPING: [u64; 3] = [0xEF53, 0x0102_1994, 0x794C_7630];
    rustix::fs::statfs(dir)
        .is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| KEEPING.contains(&kind)))
}

/// Not known of other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keeps_pages(_dir: &Path) -> bool {
    true
}
