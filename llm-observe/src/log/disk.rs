//! The few operations on files the log needs, behind a trait so that tests can make each of them
//! fail. What is particular to a system is here, with a portable form beside it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// One file as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) len: u64,
    pub(crate) id: FileId,
}

/// Which file it is, whatever its name: device and inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

/// File operations in one folder.
pub(crate) trait Disk: Send + Sync {
    fn dir(&self) -> &Path;
    /// Makes the folder if it is missing. An error when it has become a symlink meanwhile.
    fn attach(&self) -> io::Result<()>;
    /// Opens for appending, making the file with `mode` if it is missing.
    fn open(&self, name: &str, mode: u32) -> io::Result<File>;
    /// Appends as much as fits; returns how much that was.
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize>;
    /// Renames, never over an existing file.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn id_of(&self, name: &str) -> io::Result<FileId>;
    fn list(&self) -> io::Result<Vec<Entry>>;
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// The file system itself.
pub(crate) struct RealDisk {
    dir: PathBuf,
    follow: bool,
}

impl RealDisk {
    /// The folder `dir`, made (0700) if it is missing. A symlink that is there now is followed.
    pub(crate) fn new(dir: &Path, follow: bool) -> io::Result<Self> {
        make_dir(dir)?;
        Ok(Self {
            dir: fs::canonicalize(dir)?,
            follow,
        })
    }
}

impl Disk for RealDisk {
    fn dir(&self) -> &Path {
        &self.dir
    }

    fn attach(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.dir) {
            Ok(meta) if meta.is_symlink() && !self.follow => Err(io::Error::other(format!(
                "{} has become a symlink; set `follow_symlinks = true` to write where it leads",
                self.dir.display()
            ))),
            Ok(_) => Ok(()),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => make_dir(&self.dir),
            Err(error) => Err(error),
        }
    }

    fn open(&self, name: &str, mode: u32) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).read(true).create(true);
        system::restrict(&mut options, mode, self.follow);
        options.open(self.dir.join(name))
    }

    fn append(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        system::rename_new(&self.dir.join(from), &self.dir.join(to))
    }

    fn id_of(&self, name: &str) -> io::Result<FileId> {
        fs::metadata(self.dir.join(name)).map(|meta| system::id(&meta))
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        let entries = fs::read_dir(&self.dir)?.filter_map(Result::ok);
        Ok(entries.filter_map(|entry| to_entry(&entry)).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }
}

fn to_entry(entry: &fs::DirEntry) -> Option<Entry> {
    let meta = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    Some(Entry {
        name: entry.file_name().into_string().ok()?,
        len: meta.len(),
        id: system::id(&meta),
    })
}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    system::private(builder.recursive(true));
    builder.create(dir)
}

/// Which file an open one is.
pub(crate) fn id_of_open(file: &File) -> io::Result<FileId> {
    file.metadata().map(|meta| system::id(&meta))
}

/// Which file a path leads to, without following a symlink at its end.
pub(crate) fn id_of_path(path: &Path) -> io::Result<FileId> {
    fs::symlink_metadata(path).map(|meta| system::id(&meta))
}

/// Makes a folder that only this user can enter; an error when it is there and is not.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    make_dir(dir)?;
    let meta = fs::symlink_metadata(dir)?;
    match meta.is_dir() && system::is_private(&meta) {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "{} belongs to, or is open to, another user",
            dir.display()
        ))),
    }
}

/// Makes a new private file; an error when the name is taken.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    system::restrict(&mut options, mode, false);
    options.open(path)
}

/// Opens a private file for reading and writing, made if it is missing.
pub(crate) fn open_private(path: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create);
    system::restrict(&mut options, 0o600, false);
    options.open(path)
}

pub(crate) use system::{allocate, is_refused_symlink, lock, unlock, user};

/// Whether a lock is asked for alone or together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    Alone,
    Together,
}

#[cfg(unix)]
mod system {
    use std::{
        fs::{DirBuilder, File, Metadata, OpenOptions},
        io,
        os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
        path::Path,
    };

    use rustix::fs::{CWD, FallocateFlags, FlockOperation, OFlags, RenameFlags};

    use super::{FileId, Share};

    pub(super) fn restrict(options: &mut OpenOptions, mode: u32, follow: bool) {
        options.mode(mode);
        if !follow {
            options.custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default());
        }
    }

    pub(super) fn private(builder: &mut DirBuilder) {
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

    pub(super) fn is_private(meta: &Metadata) -> bool {
        meta.uid() == user() && meta.mode() & 0o077 == 0
    }

    pub(super) fn id(meta: &Metadata) -> FileId {
        FileId {
            dev: meta.dev(),
            ino: meta.ino(),
        }
    }

    pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
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
}
