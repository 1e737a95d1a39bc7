//! An open log file: a cheap handle that takes finished lines.

use std::{
    ffi::OsStr,
    fmt, io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    claim::Claim,
    disk::{Disk, RealDisk},
    error::OpenError,
    hooks::Hooks,
    level::Level,
    options::LogOptions,
    pipeline::Pipeline,
    stats::WriterStats,
    writer_thread::WriterThread,
};

/// How long dropping the last handle waits for the disk.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// A log file that is open. Clones are handles to the same one; dropping the last one writes what
/// is left and closes the file.
#[derive(Clone)]
pub(crate) struct LogFile(Arc<OpenLog>);

struct OpenLog {
    pipeline: Arc<Pipeline>,
    /// `None` while the file could not be opened.
    claim: Mutex<Option<Claim>>,
}

impl LogFile {
    /// Opens the log file, first writing what an earlier process left.
    ///
    /// # Errors
    /// When `file` is not a plain name, when the folder cannot be created or written, when the file is
    /// a symlink and those are not followed, and when another process has it open and it is not
    /// shared.
    pub(crate) fn open(mut options: LogOptions, hooks: Hooks) -> Result<Self, OpenError> {
        let path = options.dir.join(&options.file);
        let fail = |error| OpenError::new(path.clone(), error);
        let (disk, claim) = claim(&mut options).map_err(fail)?;
        let thread = WriterThread::global();
        let pipeline = Pipeline::open(options, hooks, disk, thread.clone()).map_err(fail)?;
        pipeline.run_pass();
        thread.add(pipeline.clone());
        Ok(Self::over(pipeline, Some(claim)))
    }

    /// Returns a handle that takes lines into memory until [`attach`](Self::attach) opens the file;
    /// `why` it is not open.
    ///
    /// # Errors
    /// When there is no memory for its lines.
    pub(crate) fn detached(options: LogOptions, hooks: Hooks, why: String) -> io::Result<Self> {
        let pipeline = Pipeline::detached(options, hooks, why, WriterThread::global())?;
        Ok(Self::over(pipeline, None))
    }

    /// Opens the file of a detached handle, and writes the lines that wait. Does nothing when a file is
    /// open.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn attach(&self, mut options: LogOptions) -> Result<(), OpenError> {
        let path = options.dir.join(&options.file);
        let fail = |error| OpenError::new(path.clone(), error);
        let mut held = self.0.claim.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            let (disk, claim) = claim(&mut options).map_err(fail)?;
            self.0.pipeline.attach(options, disk).map_err(fail)?;
            *held = Some(claim);
        }
        drop(held);
        Ok(())
    }

    fn over(pipeline: Arc<Pipeline>, claim: Option<Claim>) -> Self {
        Self(Arc::new(OpenLog {
            pipeline,
            claim: Mutex::new(claim),
        }))
    }

    /// Starts the thread that writes the files, if that was not possible before.
    pub(crate) fn start_thread(&self) -> io::Result<()> {
        WriterThread::global().ensure_started()
    }

    /// Returns the live file's name.
    pub(crate) fn name(&self) -> String {
        self.0.pipeline.file_name()
    }

    /// Takes a line, which ends in `\n`. Never fails: a line that cannot be kept is counted, and a
    /// notice in the log says so.
    #[inline]
    pub(crate) fn write(&self, level: Level, line: &[u8]) {
        self.0.pipeline.write(level, line);
    }

    /// Waits until every line taken before is in the file, at most `limit`. Returns how many bytes
    /// are not.
    pub(crate) fn flush(&self, limit: Duration) -> u64 {
        self.0.pipeline.write_without_thread();
        self.0.pipeline.flush(limit)
    }

    /// Writes what was taken, waiting at most `limit`, and closes the file, even while there are
    /// other handles.
    pub(crate) fn close(&self, limit: Duration) {
        self.0.pipeline.close(limit);
    }

    pub(crate) fn stats(&self) -> WriterStats {
        self.0.pipeline.stats()
    }
}

/// Opens the folder and takes the right to write the file.
fn claim(options: &mut LogOptions) -> io::Result<(Arc<RealDisk>, Claim)> {
    check_name(&options.file)?;
    let disk = Arc::new(RealDisk::new(&options.dir, options.follow_symlinks)?);
    // A fork may have changed its working directory.
    options.dir = disk.dir().to_path_buf();
    // Fails now instead of at the first line.
    drop(disk.open(&options.file, options.mode)?);
    let claim = Claim::new(disk.dir(), options)?;
    Ok((disk, claim))
}

fn check_name(file: &str) -> io::Result<()> {
    match Path::new(file).file_name() == Some(OsStr::new(file)) {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "`file` must be the name of a file; `dir` is for its folder",
        )),
    }
}

impl fmt::Debug for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFile").finish_non_exhaustive()
    }
}

impl Drop for OpenLog {
    fn drop(&mut self) {
        self.pipeline.close(CLOSE_LIMIT);
    }
}
