//! The file under a ring: created and locked by its process, and looked after while it lives.
//!
//! It is in the log's own folder. If that has no room, or is on a file system that may take mapped
//! pages away, it is in the system's memory folder.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    names::{self, set_aside},
    own::Own,
};
use crate::{
    disk::{self, LockMode},
    hooks::Warn,
    ring::{HEADER_WORDS, Ring},
    system::Mapping,
};

/// The bytes of a ring's buffer, at least and at most.
pub(super) const LEAST: u64 = 64 << 10;
pub(super) const MOST: u64 = 1 << 30;

/// A ring and the file under it, locked while this process lives.
pub(crate) struct Spool {
    pub(crate) ring: Ring,
    file: Option<SpoolFile>,
}

/// In this order: the lock ends before another thread of this process may open the file.
struct SpoolFile {
    path: PathBuf,
    open: File,
    _own: Own,
}

impl Spool {
    /// Creates a ring for the log file `file` in `dir`, or in the fallback folder when `dir` has no room
    /// or when touching memory that is mapped from there could end the process.
    pub(crate) fn create(dir: &Path, file: &str, bytes: u64, warn: &Warn) -> io::Result<Self> {
        let own = (dir.to_path_buf(), names::prefix(file));
        let fallback = names::fallback_dir()
            .ok()
            .map(|fallback| (fallback, names::fallback_prefix(dir, file)));
        let mut folders: Vec<_> = std::iter::once(own).chain(fallback).collect();
        folders.retain(|(folder, _)| disk::keeps_pages(folder));
        let first = folders.first().map(|(folder, _)| folder.clone());
        let spool = Self::in_first(folders, words_of(bytes))?;
        if spool.path().is_none() || spool.path().and_then(Path::parent) != first.as_deref() {
            let kept = match spool.path() {
                Some(path) => format!("they are kept in {}", path.display()),
                None => "a kill loses them".to_owned(),
            };
            warn(&format!(
                "{}: no room for lines that wait; {kept}",
                dir.display()
            ));
        }
        Ok(spool)
    }

    /// Creates a ring in the first of these folders that has room, or else in memory. Each folder
    /// comes with the prefix of the file's name.
    pub(crate) fn in_first(
        folders: impl IntoIterator<Item = (PathBuf, String)>,
        words: usize,
    ) -> io::Result<Self> {
        folders
            .into_iter()
            .find_map(|(dir, prefix)| Self::in_file(&dir, &prefix, words).ok())
            .map_or_else(|| Self::in_memory(words), Ok)
    }

    /// Creates a ring with a buffer of that many bytes, or the smallest one, that is lost with the process.
    pub(crate) fn in_memory_of(bytes: u64) -> io::Result<Self> {
        Self::in_memory(words_of(bytes)).or_else(|_| Self::in_memory(words_of(LEAST)))
    }

    /// Creates a ring that is lost with the process.
    pub(crate) fn in_memory(words: usize) -> io::Result<Self> {
        let ring = Ring::create(Mapping::anonymous(words)?).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { ring, file: None })
    }

    fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| &*file.path)
    }

    fn in_file(dir: &Path, prefix: &str, words: usize) -> io::Result<Self> {
        let own = Own::new();
        let (new, path) = (
            dir.join(format!("{prefix}{own}.new")),
            dir.join(format!("{prefix}{own}.spool")),
        );
        let open = disk::create_new(&new, 0o600)?;
        // Locked and complete before it gets the name under which others look for orphans.
        let made = Self::fill(&open, words).and_then(|ring| fs::rename(&new, &path).map(|()| ring));
        made.map(|ring| Self::over(ring, path, open, own))
            .inspect_err(|_| drop(fs::remove_file(&new)))
    }

    pub(super) fn over(ring: Ring, path: PathBuf, open: File, own: Own) -> Self {
        let file = Some(SpoolFile {
            path,
            open,
            _own: own,
        });
        Self { ring, file }
    }

    fn fill(file: &File, words: usize) -> io::Result<Ring> {
        disk::lock(file, LockMode::Exclusive)?;
        disk::allocate(file, words as u64 * 8)?;
        Ring::create(Mapping::of_file(file, words)?)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Keeps what is left in a ring that turned out to be damaged, under another name.
    pub(crate) fn set_aside(&self, warn: &Warn) {
        if let Some(path) = self.path() {
            set_aside(path, warn);
        }
    }

    /// Returns whether the file is as long as the ring, so that touching the ring is safe, and still
    /// begins with its header. Another program can truncate the file. The system then ends a process
    /// that touches what is missing.
    pub(crate) fn is_whole(&self) -> bool {
        let long = |file: &SpoolFile| {
            let meta = file.open.metadata();
            meta.is_ok_and(|meta| meta.len() >= self.ring.bytes())
        };
        self.file.as_ref().is_none_or(long) && self.ring.is_marked()
    }

    /// Gives a file that was truncated its length back, and empties the ring.
    pub(crate) fn mend(&self) -> io::Result<()> {
        if let Some(file) = &self.file {
            let bytes = self.ring.bytes();
            disk::allocate(&file.open, bytes).or_else(|_| file.open.set_len(bytes))?;
        }
        self.ring.restart();
        Ok(())
    }

    /// Deletes the file, once nothing in it is missing from the log.
    pub(crate) fn remove(&self) {
        if let Some(path) = self.path() {
            let _ = fs::remove_file(path);
        }
    }

    /// Returns whether the file, and what protects the log file `file` in `dir`, are still where the
    /// next process looks for them.
    pub(crate) fn is_in_place(&self, dir: &Path, file: &str) -> bool {
        let own = self.path().filter(|path| path.parent() == Some(dir));
        match own {
            Some(path) => path.exists(),
            None => dir.join(format!(".{file}.write-lock")).exists(),
        }
    }

    /// Returns whether the lines in it survive this process.
    pub(crate) fn survives_process(&self) -> bool {
        self.file.is_some()
    }
}

/// Returns how many words a ring with a buffer of that many bytes takes.
pub(crate) fn words_of(bytes: u64) -> usize {
    let bytes = bytes.clamp(LEAST, MOST).next_power_of_two();
    usize::try_from(bytes / 8).unwrap_or(1 << 13) + HEADER_WORDS
}
