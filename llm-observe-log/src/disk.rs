//! The few file operations that the log needs, behind a trait, so that tests can make each of them
//! fail.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

pub(crate) use crate::system::{FileId, LockMode, allocate, keeps_pages, lock, unlock, user};

use crate::{system, trust};

/// One file as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) len: u64,
    pub(crate) id: FileId,
}

/// File operations in one folder.
pub(crate) trait Disk: Send + Sync {
    fn dir(&self) -> &Path;
    /// Creates the folder if it is missing. An error when it has become a symlink meanwhile.
    fn attach(&self) -> io::Result<()>;
    /// Opens a file for appending, and creates it with `mode` if it is missing.
    fn open(&self, name: &str, mode: u32) -> io::Result<File>;
    /// Appends as much as fits. Returns how many bytes that was.
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize>;
    /// Renames a file, never over an existing one.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn id_of(&self, name: &str) -> io::Result<FileId>;
    fn list(&self) -> io::Result<Vec<FileEntry>>;
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// The file system itself.
pub(crate) struct RealDisk {
    dir: PathBuf,
    follow: bool,
}

impl RealDisk {
    /// Opens the folder `dir`, and creates it (0700) if it is missing. If it is a symlink now, it is
    /// followed.
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
        let path = self.dir.join(name);
        let file = options.open(&path)?;
        // Who allows symlinks has said where to write.
        match self.follow {
            true => trust::check_regular(&file, &path)?,
            false => trust::check(&file, &path)?,
        }
        Ok(file)
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

    fn list(&self) -> io::Result<Vec<FileEntry>> {
        let entries = fs::read_dir(&self.dir)?.filter_map(Result::ok);
        Ok(entries.filter_map(|entry| file_entry(&entry)).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }
}

fn file_entry(entry: &fs::DirEntry) -> Option<FileEntry> {
    let meta = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    Some(FileEntry {
        name: entry.file_name().into_string().ok()?,
        len: meta.len(),
        id: system::id(&meta),
    })
}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    system::restrict_dir(builder.recursive(true));
    builder.create(dir)
}

/// Returns the identity of an open file.
pub(crate) fn id_of_open(file: &File) -> io::Result<FileId> {
    file.metadata().map(|meta| system::id(&meta))
}

/// Returns the identity of the file at `path`, without following a symlink at its end.
pub(crate) fn id_of_path(path: &Path) -> io::Result<FileId> {
    fs::symlink_metadata(path).map(|meta| system::id(&meta))
}

/// Creates a folder that only this user can enter. An error when it exists and others can.
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

/// Creates a new private file. An error when the name is taken, also by a symlink.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    system::restrict(&mut options, mode, false);
    options.open(path)
}

/// Opens a private file for reading and writing, and creates it if `create` says so. An error when it
/// is a symlink, no regular file, another user's, or known by another name too.
pub(crate) fn open_private(path: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create);
    system::restrict(&mut options, 0o600, false);
    let file = options.open(path)?;
    trust::check_private(&file, path)?;
    Ok(file)
}

/// Opens a file for reading, whoever it belongs to. An error when it is no regular file.
#[cfg(feature = "read")]
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    system::restrict(options.read(true), 0, true);
    let file = options.open(path)?;
    trust::check_regular(&file, path)?;
    Ok(file)
}

/// Opens a file for reading. An error when it is a symlink, no regular file, or another user's.
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    system::restrict(options.read(true), 0, false);
    let file = options.open(path)?;
    trust::check(&file, path)?;
    Ok(file)
}
