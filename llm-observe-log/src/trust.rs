//! Whom a folder and its files belong to. In a folder that others can write, a file may be theirs: it
//! is not opened, and a warning says that they can.

use std::{
    fs::{self, File, Metadata},
    io,
    path::Path,
};

use crate::system;

/// Refuses a file that is not a regular one: a FIFO or a device could block whoever opens it.
pub(crate) fn check_regular(file: &File, path: &Path) -> io::Result<()> {
    regular(file, path).map(drop)
}

/// Refuses a file that is not a regular one, or that belongs to a user who could not have replaced it.
pub(crate) fn check(file: &File, path: &Path) -> io::Result<()> {
    trusted(file, path).map(drop)
}

/// Refuses a file as [`check`] does, and one that has other names: what is written to it would be
/// written to whatever somebody has linked there.
pub(crate) fn check_private(file: &File, path: &Path) -> io::Result<()> {
    match system::has_other_names(&trusted(file, path)?) {
        true => Err(refused(path, "is a hard link to another file; remove it")),
        false => Ok(()),
    }
}

fn regular(file: &File, path: &Path) -> io::Result<Metadata> {
    let meta = file.metadata()?;
    match meta.is_file() {
        true => Ok(meta),
        false => Err(refused(path, "is not a regular file")),
    }
}

fn trusted(file: &File, path: &Path) -> io::Result<Metadata> {
    let meta = regular(file, path)?;
    let folder = fs::metadata(path.parent().unwrap_or(path))?;
    match system::is_trusted(&meta, &folder) {
        true => Ok(meta),
        false => Err(refused(path, "belongs to another user; remove it")),
    }
}

fn refused(path: &Path, why: &str) -> io::Error {
    let name = path.file_name().unwrap_or(path.as_os_str());
    io::Error::other(format!("{} {why}", name.display()))
}

/// Returns what to warn of when other users can write in `dir`; `None` when they cannot.
pub(crate) fn exposure(dir: &Path) -> Option<String> {
    let of_folder = fs::metadata(dir)
        .ok()
        .and_then(|meta| system::exposure(&meta));
    let why = of_folder.or_else(|| {
        let above = dir.ancestors().skip(1);
        let open = |folder: &&Path| {
            fs::metadata(folder).is_ok_and(|meta| system::lets_anybody_rename(&meta))
        };
        let open = above.into_iter().find(open)?;
        Some(format!("anybody can replace it in {}", open.display()))
    })?;
    Some(format!(
        "WARNING: other users can change what is in this folder: {why}; use one that only you can write"
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;
    use crate::disk;

    struct TestDir(std::path::PathBuf);

    impl TestDir {
        fn new() -> Self {
            let name = format!("llm-observe-trust-{:016x}", fastrand::u64(..));
            let dir = std::env::temp_dir().join(name);
            fs::create_dir(&dir).unwrap();
            Self(dir)
        }

        fn mode(&self, mode: u32) -> Option<String> {
            fs::set_permissions(&self.0, fs::Permissions::from_mode(mode)).unwrap();
            exposure(&self.0)
        }
    }

    impl Drop for TestDir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_folder_is_exposed_when_others_can_change_what_is_in_it() {
        let dir = TestDir::new();
        for mode in [0o700, 0o755, 0o750, 0o1777] {
            assert_eq!(dir.mode(mode), None, "{mode:o}");
        }
        let text = dir.mode(0o777).unwrap();
        assert!(text.contains("0777") && text.contains("WARNING"), "{text}");
        let inner = dir.0.join("inner");
        fs::create_dir(&inner).unwrap();
        let text = exposure(&inner).unwrap();
        assert!(text.contains("can replace it in"), "{text}");
        if chown(&dir.0, Some(12_345), Some(12_345)).is_err() {
            println!("skipped: only root can give a folder away");
            return;
        }
        assert!(dir.mode(0o700).unwrap().contains("belongs to user 12345"));
        chown(&dir.0, Some(0), Some(12_345)).unwrap();
        assert!(dir.mode(0o770).unwrap().contains("0770"));
        chown(&dir.0, Some(0), Some(0)).unwrap();
        assert_eq!(dir.mode(0o775), None);
    }

    #[test]
    fn links_fifos_and_files_of_others_are_not_opened() {
        let dir = TestDir::new();
        let (own, name) = (dir.0.join("own"), dir.0.join("name"));
        fs::write(&own, "mine").unwrap();
        assert!(disk::open_private(&own, true).is_ok());
        symlink(&own, &name).unwrap();
        assert!(disk::open_private(&name, true).is_err());
        assert!(disk::open_existing(&name).is_err());
        fs::remove_file(&name).unwrap();
        fs::hard_link(&own, &name).unwrap();
        let error = disk::open_private(&name, true).unwrap_err().to_string();
        assert!(error.contains("hard link"), "{error}");
        fs::remove_file(&name).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(&name).unwrap();
        assert!(disk::open_private(&name, true).is_err());
        drop(socket);
        fs::remove_file(&name).unwrap();
        fs::create_dir(&name).unwrap();
        let error = disk::open_existing(&name).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
        if chown(&own, Some(12_345), None).is_err() {
            println!("skipped: only root can give a file away");
            return;
        }
        // Nobody else can have put it into a folder like this.
        assert!(disk::open_private(&own, true).is_ok());
        dir.mode(0o777);
        for result in [disk::open_private(&own, true), disk::open_existing(&own)] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("another user"), "{error}");
        }
        // The folder's owner could have replaced it anyway.
        chown(&dir.0, Some(12_345), None).unwrap();
        assert!(disk::open_private(&own, true).is_ok());
    }
}
