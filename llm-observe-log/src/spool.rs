//! The file under a ring, and how the ones that dead processes left are found.
//!
//! The file is in the log's own folder. If that has no room, or is on a file system that may take
//! mapped pages away, it is in the system's memory folder.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    disk::{self, LockMode},
    hooks::Warn,
    ring::{HEADER_WORDS, Ring},
    system::Mapping,
};

/// A ring and the file under it, locked while this process lives.
pub(crate) struct Spool {
    pub(crate) ring: Ring,
    path: Option<PathBuf>,
    _lock: Option<File>,
}

impl Spool {
    /// Creates a ring for the log file `file` in `dir`, or in the fallback folder when `dir` has no room
    /// or when touching memory that is mapped from there could end the process.
    pub(crate) fn create(dir: &Path, file: &str, bytes: u64, warn: &Warn) -> io::Result<Self> {
        let own = (dir.to_path_buf(), format!(".{file}."));
        let fallback = fallback_dir()
            .ok()
            .map(|fallback| (fallback, fallback_prefix(dir, file)));
        let mut folders: Vec<_> = std::iter::once(own).chain(fallback).collect();
        folders.retain(|(folder, _)| disk::keeps_pages(folder));
        let first = folders.first().map(|(folder, _)| folder.clone());
        let spool = Self::in_first(folders, words_of(bytes))?;
        if spool.path.is_none()
            || spool.path.as_ref().and_then(|path| path.parent()) != first.as_deref()
        {
            let kept = match &spool.path {
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

    /// Creates a ring that is lost with the process.
    pub(crate) fn in_memory(words: usize) -> io::Result<Self> {
        let ring = Ring::create(Mapping::anonymous(words)?).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self {
            ring,
            path: None,
            _lock: None,
        })
    }

    fn in_file(dir: &Path, prefix: &str, words: usize) -> io::Result<Self> {
        let id = unique();
        let (new, path) = (
            dir.join(format!("{prefix}{id:016x}.new")),
            dir.join(format!("{prefix}{id:016x}.spool")),
        );
        let file = disk::create_new(&new, 0o600)?;
        // Locked and complete before it gets the name under which others look for orphans.
        let made = Self::fill(&file, words).and_then(|ring| fs::rename(&new, &path).map(|()| ring));
        made.map(|ring| Self {
            ring,
            path: Some(path),
            _lock: Some(file),
        })
        .inspect_err(|_| drop(fs::remove_file(&new)))
    }

    fn fill(file: &File, words: usize) -> io::Result<Ring> {
        disk::lock(file, LockMode::Exclusive)?;
        disk::allocate(file, words as u64 * 8)?;
        Ring::create(Mapping::of_file(file, words)?)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Opens every ring of that log file whose process is gone, except those already `held`: opening
    /// and closing them again would end their locks.
    pub(crate) fn orphans(dir: &Path, file: &str, held: &[Spool]) -> Vec<Spool> {
        let mut orphans: Vec<_> = others_of(dir, file)
            .into_iter()
            .filter(|path| held.iter().all(|spool| spool.path.as_ref() != Some(path)))
            .filter_map(|path| Self::adopt(path).ok().flatten())
            .collect();
        orphans.sort_by_key(|(made, _)| *made);
        orphans.into_iter().map(|(_, spool)| spool).collect()
    }

    fn adopt(path: PathBuf) -> io::Result<Option<(std::time::SystemTime, Spool)>> {
        let file = disk::open_private(&path, false)?;
        // Locked by its own living process, or by another that adopted it first.
        if !disk::lock(&file, LockMode::Exclusive)?
            || disk::id_of_open(&file)? != disk::id_of_path(&path)?
        {
            return Ok(None);
        }
        let meta = file.metadata()?;
        let words = usize::try_from(meta.len() / 8).unwrap_or(usize::MAX);
        let Some(ring) = Ring::adopt(Mapping::of_file(&file, words)?) else {
            return Ok(None);
        };
        Ok(Some((
            meta.modified()?,
            Spool {
                ring,
                path: Some(path),
                _lock: Some(file),
            },
        )))
    }

    /// Deletes the file, once nothing in it is missing from the log.
    pub(crate) fn remove(&self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }

    /// Returns whether the file, and what protects the log file `file` in `dir`, are still where the
    /// next process looks for them.
    pub(crate) fn is_in_place(&self, dir: &Path, file: &str) -> bool {
        let own = self
            .path
            .as_deref()
            .filter(|path| path.parent() == Some(dir));
        match own {
            Some(path) => path.exists(),
            None => dir.join(format!(".{file}.write-lock")).exists(),
        }
    }

    /// Returns whether the lines in it survive this process.
    pub(crate) fn survives_process(&self) -> bool {
        self.path.is_some()
    }
}

pub(crate) fn words_of(bytes: u64) -> usize {
    let bytes = bytes.clamp(64 << 10, 1 << 30).next_power_of_two();
    usize::try_from(bytes / 8).unwrap_or(1 << 13) + HEADER_WORDS
}

/// Counts the lines that wait in the rings of other processes, living or dead. Reads copies, so that
/// their locks are untouched.
#[cfg(feature = "read")]
pub(crate) fn waiting_lines(dir: &Path, file: &str) -> u64 {
    // Spools in the fallback folder are named after the real path.
    let Ok(dir) = fs::canonicalize(dir) else {
        return 0;
    };
    let rings = others_of(&dir, file).into_iter();
    rings
        .filter_map(|path| copy(&path).ok().flatten())
        .map(|ring| ring.count())
        .sum()
}

#[cfg(feature = "read")]
fn copy(path: &Path) -> io::Result<Option<Ring>> {
    let bytes = fs::read(path)?;
    let (words, _) = bytes.as_chunks::<8>();
    let map = Mapping::anonymous(words.len())?;
    for (to, from) in map.iter().zip(words) {
        to.store(u64::from_ne_bytes(*from), Ordering::Relaxed);
    }
    Ok(Ring::adopt(map))
}

/// Returns the spools of that log file, except this process's own.
fn others_of(dir: &Path, file: &str) -> Vec<PathBuf> {
    let mut files = spools_of(dir, file);
    files.retain(|path| !is_own(path));
    files
}

/// Returns all spools of that log file.
pub(crate) fn spools_of(dir: &Path, file: &str) -> Vec<PathBuf> {
    let own = candidates(dir, &format!(".{file}."));
    let fallback = fallback_dir()
        .map(|fallback| candidates(&fallback, &fallback_prefix(dir, file)))
        .unwrap_or_default();
    own.into_iter().chain(fallback).collect()
}

fn candidates(dir: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let ours = entries.filter(|entry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| is_spool(name, prefix))
    });
    ours.map(|entry| entry.path()).collect()
}

fn is_spool(name: &str, prefix: &str) -> bool {
    let id = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(".spool"));
    id.is_some_and(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Opening and closing a file that this process has locked would end the lock.
fn is_own(path: &Path) -> bool {
    let pid = std::process::id();
    let id = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .and_then(|stem| stem.get(stem.len().checked_sub(16)?..));
    let id = id.and_then(|id| u64::from_str_radix(id, 16).ok());
    OWN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .iter()
        .any(|own| Some(own.0) == id && own.1 == pid)
}

static OWN: std::sync::Mutex<Vec<(u64, u32)>> = std::sync::Mutex::new(Vec::new());

fn unique() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = fastrand::u64(..)
        ^ (u64::from(std::process::id()) << 32)
        ^ COUNT.fetch_add(1, Ordering::Relaxed);
    OWN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .push((id, std::process::id()));
    id
}

/// Returns a prefix that no other log file has: FNV-1a over the path.
fn fallback_prefix(dir: &Path, file: &str) -> String {
    let path = dir.join(file);
    let hash = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
    format!("{hash:016x}.")
}

/// Returns a folder that no other user can write, in memory or else among the temporary files.
fn fallback_dir() -> io::Result<PathBuf> {
    let root = Path::new("/dev/shm");
    let root = if root.is_dir() {
        root.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    let dir = root.join(format!("llm-observe-{}", disk::user()));
    disk::private_dir(&dir)?;
    Ok(dir)
}
