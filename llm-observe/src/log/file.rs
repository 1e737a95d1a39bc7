//! A log file as the rest of the program sees it: a cheap handle that takes finished lines.

use std::{
    collections::BTreeSet,
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    core::{Core, Stats},
    disk::{self, Disk, RealDisk, Share},
    settings::{Hooks, Priority, Settings},
    writer::Writer,
};

/// How long dropping the last handle waits for the disk.
const CLOSE: Duration = Duration::from_secs(5);

/// A log file that is open. Clones are handles to the same one; the last to go writes what is left
/// and closes it.
#[derive(Clone)]
pub(crate) struct LogFile(Arc<Handle>);

struct Handle {
    core: Arc<Core>,
    _owner: Owner,
}

/// What [`LogFile::flush`] left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlushReport {
    /// Bytes of lines that are not in the file yet.
    pub(crate) pending_bytes: u64,
}

impl LogFile {
    /// Opens the log file, first writing what an earlier process left. `name` is the logger's.
    ///
    /// # Errors
    /// When the folder cannot be made or written, when the file is a symlink and those are not
    /// followed, and when another process has it open and it is not shared.
    pub(crate) fn open(
        mut settings: Settings,
        name: &str,
        hooks: Hooks,
    ) -> Result<Self, OpenError> {
        let path = settings.dir.join(&settings.file);
        let fail = |error| OpenError {
            path: path.clone(),
            error,
        };
        let disk = Arc::new(RealDisk::new(&settings.dir, settings.follow_symlinks).map_err(fail)?);
        // A fork may have changed its working directory.
        settings.dir = disk.dir().to_path_buf();
        // Tells at once what would otherwise only show when the first line is written.
        drop(disk.open(&settings.file, settings.mode).map_err(fail)?);
        let owner = Owner::claim(disk.dir(), &settings).map_err(fail)?;
        let core = Core::open(settings, name, hooks, disk, Writer::global()).map_err(fail)?;
        core.pump();
        Writer::global().add(Arc::clone(&core));
        Ok(Self(Arc::new(Handle {
            core,
            _owner: owner,
        })))
    }

    /// Takes a line, which ends in `\n`. Never fails: a line that cannot be kept is counted, and
    /// said in the log.
    #[inline]
    pub(crate) fn write(&self, priority: Priority, line: &[u8]) {
        self.0.core.write(priority, line);
    }

    /// Waits until every line taken before is in the file, at most `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> FlushReport {
        FlushReport {
            pending_bytes: self.0.core.flush(limit),
        }
    }

    /// Writes what was taken, waiting at most `limit`, and closes the file: for a program that
    /// ends while others still hold handles.
    pub(crate) fn close(&self, limit: Duration) {
        self.0.core.close(limit);
    }

    pub(crate) fn stats(&self) -> Stats {
        self.0.core.stats()
    }
}

impl fmt::Debug for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFile").finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.close(CLOSE);
    }
}

/// Why a log file could not be opened.
#[derive(Debug)]
pub(crate) struct OpenError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot open the log file {}: {}",
            self.path.display(),
            self.error
        )?;
        match self.error.kind() {
            io::ErrorKind::PermissionDenied => {
                f.write_str("; let this user write there, or set `dir` in [log]")
            }
            _ if disk::is_refused_symlink(&self.error) => {
                f.write_str("; set `follow_symlinks = true` in [log] to write where it leads")
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// The right of this process to write a log file: alone, or together with others that share it.
struct Owner {
    _lock: File,
    key: PathBuf,
}

/// Record locks do not keep a process from itself.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

impl Owner {
    fn claim(dir: &Path, settings: &Settings) -> io::Result<Self> {
        let key = dir.join(&settings.file);
        if !OPEN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone())
        {
            return Err(io::Error::other(
                "this process has it open already; give each logger its own `file`",
            ));
        }
        lock_file(dir, settings)
            .map(|file| Self {
                _lock: file,
                key: key.clone(),
            })
            .inspect_err(|_| forget(&key))
    }
}

/// Takes the lock that keeps other processes from the log file, alone or together with those that
/// share it.
pub(super) fn lock_file(dir: &Path, settings: &Settings) -> io::Result<File> {
    let mut file = disk::open_private(&dir.join(format!(".{}.lock", settings.file)), true)?;
    let share = match settings.shared {
        true => Share::Together,
        false => Share::Alone,
    };
    if !disk::lock(&file, share)? {
        return Err(taken(&mut file));
    }
    let _ = file
        .set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

fn taken(file: &mut File) -> io::Error {
    let mut pid = String::new();
    let _ = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.take(20).read_to_string(&mut pid));
    io::Error::other(format!(
        "process {pid} has it open; stop that, choose another `file`, or set `shared = true` in [log] of both"
    ))
}

fn forget(key: &Path) {
    OPEN.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(key);
}

impl Drop for Owner {
    fn drop(&mut self) {
        forget(&self.key);
    }
}
