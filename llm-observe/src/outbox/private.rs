//! Files and folders that only their owner can read, since the outbox contains internals of a
//! service. The platform-specific code of the outbox is here.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    path::Path,
};

/// Returns options that create files of mode 0600.
#[cfg(unix)]
pub(crate) fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Returns options that create files with the permissions of their folder.
#[cfg(not(unix))]
pub(crate) fn options() -> OpenOptions {
    OpenOptions::new()
}

/// Creates a folder of mode 0700, and its parents.
#[cfg(unix)]
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a folder and its parents.
#[cfg(not(unix))]
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
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
