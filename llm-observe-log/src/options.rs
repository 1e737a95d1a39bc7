//! How one log file is written, rotated and kept. Plain data.

use std::{path::PathBuf, time::Duration};

/// How one log file is written, rotated and kept.
///
/// ```
/// use llm_observe_log::{LogOptions, Rotation};
/// # let dir = std::env::temp_dir().join(format!("llm-observe-log-options-{}", std::process::id()));
///
/// let writer = LogOptions::new(&dir, "app.log")
///     .max_bytes(50_000_000)
///     .rotation(Rotation::Daily)
///     .backups(14)
///     .compress(true)
///     .open()?;
/// # drop(writer);
/// # std::fs::remove_dir_all(dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LogOptions {
    pub(crate) dir: PathBuf,
    pub(crate) file: String,
    pub(crate) max_bytes: u64,
    pub(crate) rotation: Rotation,
    pub(crate) timezone: Timezone,
    pub(crate) backups: u32,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_total_bytes: Option<u64>,
    pub(crate) compress: bool,
    pub(crate) mode: u32,
    pub(crate) shared: bool,
    pub(crate) follow_symlinks: bool,
    pub(crate) buffer_bytes: u64,
    pub(crate) max_wait: Duration,
}

impl LogOptions {
    /// Returns the default options for the live file `file` in the folder `dir`. `file` is a name
    /// without a folder.
    pub fn new(dir: impl Into<PathBuf>, file: impl Into<String>) -> LogOptions {
        LogOptions {
            dir: dir.into(),
            file: file.into(),
            max_bytes: 10_000_000,
            rotation: Rotation::Never,
            timezone: Timezone::Utc,
            backups: 5,
            max_age: None,
            max_total_bytes: None,
            compress: false,
            mode: 0o600,
            shared: false,
            follow_symlinks: false,
            buffer_bytes: 8 << 20,
            max_wait: Duration::from_secs(1),
        }
    }

    /// Returns the same options for another live file: that of the process with this number, where
    /// several processes of one program each write a file of their own. `app.log` becomes `app.2.log`
    /// for 2; for 0 and 1 it stays `app.log`.
    ///
    /// The file has its own rotated files and its own buffer. None of them is taken for one of
    /// `app.log`.
    pub fn numbered(mut self, number: u32) -> LogOptions {
        self.file = numbered(&self.file, number);
        self
    }

    /// Sets the largest size of the live file, in bytes; 0 for no limit. Default: 10,000,000.
    pub fn max_bytes(mut self, bytes: u64) -> LogOptions {
        self.max_bytes = bytes;
        self
    }

    /// Sets when the file is rotated whatever its size. Default: [`Rotation::Never`].
    pub fn rotation(mut self, rotation: Rotation) -> LogOptions {
        self.rotation = rotation;
        self
    }

    /// Sets whose hours and days count, and which offset the names of rotated files have. Default:
    /// [`Timezone::Utc`].
    pub fn timezone(mut self, timezone: Timezone) -> LogOptions {
        self.timezone = timezone;
        self
    }

    /// Sets how many rotated files are kept. Default: 5.
    pub fn backups(mut self, count: u32) -> LogOptions {
        self.backups = count;
        self
    }

    /// Sets how old a rotated file may become. Default: no limit.
    pub fn max_age(mut self, age: impl Into<Option<Duration>>) -> LogOptions {
        self.max_age = age.into();
        self
    }

    /// Sets the largest size of the live file and all rotated ones together, in bytes. Default: no
    /// limit.
    pub fn max_total_bytes(mut self, bytes: impl Into<Option<u64>>) -> LogOptions {
        self.max_total_bytes = bytes.into();
        self
    }

    /// Sets whether rotated files are compressed (gzip). Default: `false`.
    pub fn compress(mut self, compress: bool) -> LogOptions {
        self.compress = compress;
        self
    }

    /// Sets the permissions of new files, on Unix. Default: `0o600`.
    pub fn mode(mut self, mode: u32) -> LogOptions {
        self.mode = mode;
        self
    }

    /// Sets whether several processes may write this file; each of them has to set it. Default:
    /// `false`.
    pub fn shared(mut self, shared: bool) -> LogOptions {
        self.shared = shared;
        self
    }

    /// Sets whether the file, or a folder that is replaced while the program runs, may be a
    /// symlink. Default: `false`.
    pub fn follow_symlinks(mut self, follow: bool) -> LogOptions {
        self.follow_symlinks = follow;
        self
    }

    /// Sets the size of the buffer for lines that wait for the disk, in bytes: rounded up to a
    /// power of two, between 64 KiB and 1 GiB. Default: 8 MiB.
    pub fn buffer_bytes(mut self, bytes: u64) -> LogOptions {
        self.buffer_bytes = bytes;
        self
    }

    /// Sets how long a caller waits at most when the buffer is full and the disk takes nothing.
    /// Default: one second.
    pub fn max_wait(mut self, limit: Duration) -> LogOptions {
        self.max_wait = limit;
        self
    }
}

/// Returns the name of the live file of the process with that number.
pub(crate) fn numbered(file: &str, number: u32) -> String {
    if number <= 1 {
        return file.to_owned();
    }
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}.{number}.{extension}"),
        _ => format!("{file}.{number}"),
    }
}

/// When a file is rotated whatever its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// By size only.
    #[default]
    Never,
    /// At the first line of a new hour.
    Hourly,
    /// At the first line of a new day.
    Daily,
}

/// Whose hours and days count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timezone {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// The system's zone, with its daylight saving time.
    Local,
}

#[cfg(test)]
mod tests {
    use super::numbered;
    use crate::rotation::parse_backup;

    #[test]
    fn a_numbered_file_is_no_rotated_one() {
        for (file, second) in [
            ("app.log", "app.2.log"),
            ("app", "app.2"),
            (".app", ".app.2"),
            ("a.b.json", "a.b.2.json"),
        ] {
            assert_eq!(numbered(file, 0), file);
            assert_eq!(numbered(file, 1), file);
            assert_eq!(numbered(file, 2), second);
            let rotated = format!("{second}.2026-11-23T07-17-09Z.42");
            assert!(parse_backup(second, &rotated, 0).is_some());
            for name in [second.to_owned(), rotated.clone(), rotated + ".gz"] {
                assert_eq!(parse_backup(file, &name, 0), None, "{name} of {file}");
            }
        }
    }
}
