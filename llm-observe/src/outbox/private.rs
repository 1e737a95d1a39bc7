//! Files and folders that only their owner can read, since the outbox contains internals of a
//! service. The platform-specific code of the outbox is here.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// Returns options that create files of mode 0600. An existing file is opened without waiting, so that
/// a FIFO of that name blocks nobody, and not through a symlink.
#[cfg(unix)]
pub(crate) fn options() -> OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    options
}

/// Returns options that create files with the permissions of their folder.
#[cfg(not(unix))]
pub(crate) fn options() -> OpenOptions {
    OpenOptions::new()
}

/// Opens a file, and refuses one that is no regular file, or that a user has put into the folder who
/// could not have replaced what is there anyway.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let file = options.open(path)?;
    let meta = file.metadata()?;
    let folder = fs::metadata(path.parent().unwrap_or(path))?;
    match meta.is_file() && is_trusted(&meta, &folder) {
        true => Ok(file),
        false => Err(not_ours(path, "it is no regular file, or another user's")),
    }
}

/// Reads a file of at most `most` bytes, as [`open`] opens it. Returns `None` when it is another kind of
/// file, another user's, or longer: it is not what was written here.
///
/// # Errors
///
/// When it cannot be read now.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match open(path, options().read(true)) {
        Ok(file) => file,
        Err(error) if is_not_ours(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok((length <= most).then_some(bytes))
}

/// Refuses what is no folder, such as a symlink to one, and a folder of another user.
pub(crate) fn check_folder(path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    let above = fs::metadata(path.parent().unwrap_or(path))?;
    match meta.is_dir() && is_trusted(&meta, &above) {
        true => Ok(()),
        false => Err(not_ours(path, "it is no folder, or another user's")),
    }
}

fn not_ours(path: &Path, why: &str) -> io::Error {
    let refused = format!("{} is not used: {why}", path.display());
    io::Error::new(io::ErrorKind::InvalidData, refused)
}

/// Returns whether an error is a refusal of [`open`], or of the system to follow a symlink or to open
/// a FIFO that nobody reads.
fn is_not_ours(error: &io::Error) -> bool {
    let refused = error.kind() == io::ErrorKind::InvalidData;
    #[cfg(unix)]
    let refused = refused
        || [rustix::io::Errno::LOOP, rustix::io::Errno::NXIO]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    refused
}

/// Whoever may write in the folder, or owns it, can replace what is in it. A file is refused that
/// somebody else has put there: where others may write, one that is neither this user's nor root's.
#[cfg(unix)]
fn is_trusted(meta: &Metadata, folder: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owners = [rustix::process::geteuid().as_raw(), 0, folder.uid()];
    owners.contains(&meta.uid()) || folder.mode() & 0o022 == 0
}

/// Elsewhere, permissions are those of the folder.
#[cfg(not(unix))]
fn is_trusted(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Returns why other users can change what is in this folder; `None` when they cannot. By the same rule
/// as for the folder of log files.
#[cfg(unix)]
pub(super) fn exposure(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).ok()?;
    let (owner, group, mode) = (meta.uid(), meta.gid(), meta.mode());
    let own = owner == rustix::process::geteuid().as_raw();
    if !own && owner != 0 {
        return Some(format!("it belongs to user {owner}"));
    }
    let others = mode & 0o002 != 0 || (mode & 0o020 != 0 && group != 0 && group != owner);
    let sticky = own && mode & 0o1000 != 0;
    (others && !sticky).then(|| format!("its mode {:04o} lets other users write", mode & 0o7777))
}

/// Unknown elsewhere.
#[cfg(not(unix))]
pub(super) fn exposure(_: &Path) -> Option<String> {
    None
}

/// Creates a folder of mode 0700, and its parents.
#[cfg(unix)]
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a folder and its parents.
#[cfg(not(unix))]
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

/// Syncs the names in a folder to the disk.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Does nothing: folders cannot be synced everywhere.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn only_the_owner_can_read() {
        let folder =
            std::env::temp_dir().join(format!("llm-observe-private-{}", std::process::id()));
        super::make_folder(&folder).unwrap();
        let file = folder.join("f");
        super::options()
            .write(true)
            .create(true)
            .open(&file)
            .unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        fs::remove_dir_all(folder).unwrap();
    }
}
