//! The right of a process to write a log file: alone, or together with others that share it.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{
    disk::{self, LockMode},
    options::LogOptions,
};

/// Held while this process has a log file open.
pub(crate) struct Claim {
    _lock: File,
    key: PathBuf,
}

/// Record locks do not keep a process from itself.
static OPEN_FILES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

impl Claim {
    /// Claims the log file in `dir`, for this process and within it.
    pub(crate) fn new(dir: &Path, options: &LogOptions) -> io::Result<Self> {
        let key = dir.join(&options.file);
        if !OPEN_FILES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone())
        {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "this process has it open already; give each logger its own `file`",
            ));
        }
        lock_file(dir, options)
            .map(|file| Self {
                _lock: file,
                key: key.clone(),
            })
            .inspect_err(|_| release(&key))
    }
}

/// Takes the lock that keeps other processes from the log file, alone or together with those that
/// share it.
pub(crate) fn lock_file(dir: &Path, options: &LogOptions) -> io::Result<File> {
    let mut file = disk::open_private(&dir.join(format!(".{}.lock", options.file)), true)?;
    let mode = match options.shared {
        true => LockMode::Shared,
        false => LockMode::Exclusive,
    };
    if !disk::lock(&file, mode)? {
        return Err(claimed(&mut file));
    }
    let _ = file
        .set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

fn claimed(file: &mut File) -> io::Error {
    let mut pid = String::new();
    let _ = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.take(20).read_to_string(&mut pid));
    let text = format!(
        "process {pid} has it open; stop that process, choose another `file`, or set \
         `shared = true` in both"
    );
    io::Error::new(io::ErrorKind::ResourceBusy, text)
}

fn release(key: &Path) {
    OPEN_FILES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(key);
}

impl Drop for Claim {
    fn drop(&mut self) {
        release(&self.key);
    }
}
