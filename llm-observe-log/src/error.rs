//! Why a log file could not be opened.

use std::{fmt, io, path::PathBuf};

use crate::system;

/// Why a log file could not be opened, and what to do about it.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    error: io::Error,
}

impl OpenError {
    pub(crate) fn new(path: PathBuf, error: io::Error) -> OpenError {
        OpenError { path, error }
    }

    /// Returns what kind of error it is: [`ResourceBusy`](io::ErrorKind::ResourceBusy) when this or
    /// another process has the file open, [`InvalidInput`](io::ErrorKind::InvalidInput) when `file` is
    /// no plain name, and otherwise the kind of the system's error.
    pub fn kind(&self) -> io::ErrorKind {
        self.error.kind()
    }
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
                f.write_str("; let this user write there, or set another `dir`")
            }
            _ if system::is_refused_symlink(&self.error) => {
                f.write_str("; set `follow_symlinks = true` to write where it leads")
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
