//! Compresses rotated files in the background. An interrupted run leaves either the file or its
//! complete `.gz`, never a part of one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};

use crate::{
    disk::{self, LockMode},
    hooks::Warn,
    options::LogOptions,
    rotation::parse_backup,
};

/// Runs one compression at a time over the folder of a log file.
pub(crate) struct Compressor {
    job: Job,
    /// Whether another run is to follow.
    rerun: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Job {
    dir: PathBuf,
    file: String,
    /// When `false`, only the partial files of an interrupted run are removed.
    compress: bool,
    warn: Warn,
}

impl Compressor {
    /// Finishes what an earlier process left unfinished. From then on it does nothing unless
    /// compression is on.
    pub(crate) fn new(options: &LogOptions, dir: &Path, warn: &Warn) -> Self {
        let job = Job {
            dir: dir.to_path_buf(),
            file: options.file.clone(),
            compress: options.compress,
            warn: Arc::clone(warn),
        };
        let mut compressor = Self {
            job,
            rerun: Arc::default(),
            running: None,
        };
        if options.compress || compressor.job.has_partial_files() {
            compressor.run();
        }
        compressor
    }

    /// Compresses what was rotated. If a run is in progress, another one follows it.
    pub(crate) fn start(&mut self) {
        if self.job.compress {
            self.run();
        }
    }

    fn is_running(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    fn run(&mut self) {
        self.rerun.store(true, Ordering::SeqCst);
        if self.is_running() {
            return;
        }
        let (job, rerun) = (self.job.clone(), Arc::clone(&self.rerun));
        let run = move || {
            while rerun.swap(false, Ordering::SeqCst) {
                job.run();
            }
        };
        self.running = thread::Builder::new()
            .name(String::from("llm-observe-gzip"))
            .spawn(run)
            .ok();
    }

    /// Waits for the run in progress, until `deadline`.
    pub(crate) fn wait(&mut self, deadline: Instant) {
        if self.rerun.load(Ordering::SeqCst) {
            self.run();
        }
        while self.is_running() && Instant::now() < deadline {
            thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Job {
    fn run(&self) {
        let path = self.dir.join(format!(".{}.gzip", self.file));
        // One process at a time. Whoever holds the lock may remove partial files.
        let Ok(lock) = disk::open_private(&path, true) else {
            return;
        };
        if disk::lock(&lock, LockMode::Exclusive).unwrap_or(false) {
            self.remove_partial_files();
            if self.compress {
                self.compress_all(self.rotated());
            }
            let _ = fs::remove_file(&path);
        }
    }

    /// Retention, here or in another process, may delete a file that was listed: that is no fault.
    fn compress_all(&self, names: Vec<String>) {
        for name in names {
            if let Err(error) = self.compress(&name)
                && error.kind() != io::ErrorKind::NotFound
            {
                (self.warn)(&format!(
                    "cannot compress {}: {error}",
                    self.dir.join(name).display()
                ));
            }
        }
    }

    fn rotated(&self) -> Vec<String> {
        let plain = |name: &String| {
            parse_backup(&self.file, name, 0).is_some_and(|backup| !backup.compressed)
        };
        self.names().filter(plain).collect()
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
    }

    /// Returns whether `name` is a partly compressed file.
    fn is_partial(&self, name: &str) -> bool {
        let rotated = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(".part"));
        rotated.is_some_and(|name| {
            parse_backup(&self.file, name, 0).is_some_and(|backup| backup.compressed)
        })
    }

    fn has_partial_files(&self) -> bool {
        self.names().any(|name| self.is_partial(&name))
    }

    fn remove_partial_files(&self) {
        for name in self.names().filter(|name| self.is_partial(name)) {
            let _ = fs::remove_file(self.dir.join(name));
        }
    }

    fn compress(&self, name: &str) -> io::Result<()> {
        let (plain, temp, done) = (
            self.dir.join(name),
            self.dir.join(format!(".{name}.gz.part")),
            self.dir.join(format!("{name}.gz")),
        );
        if !done.exists() {
            let mut from = disk::open_existing(&plain)?;
            let meta = from.metadata()?;
            let _ = fs::remove_file(&temp);
            let into = disk::create_new(&temp, 0o600)?;
            let mut encoder = GzEncoder::new(io::BufWriter::new(into), Compression::fast());
            io::copy(&mut from, &mut encoder)?;
            let into = encoder
                .finish()?
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            into.set_permissions(meta.permissions())?;
            into.set_modified(meta.modified()?)?;
            into.sync_all()?;
            fs::rename(&temp, &done)?;
        }
        fs::remove_file(&plain)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_file_that_retention_deletes_first_is_no_warning() {
        let dir = std::env::temp_dir().join(format!("llm-observe-gzip-{:016x}", fastrand::u64(..)));
        fs::create_dir(&dir).unwrap();
        let name = |number: u32| format!("app.log.2026-01-01T00-00-00Z.{number}");
        (1..4).for_each(|number| fs::write(dir.join(name(number)), "line\n").unwrap());
        fs::create_dir(dir.join(name(4))).unwrap();
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let warn = {
            let warnings = Arc::clone(&warnings);
            move |text: &str| warnings.lock().unwrap().push(text.to_owned())
        };
        let job = Job {
            dir: dir.clone(),
            file: "app.log".to_owned(),
            compress: true,
            warn: Arc::new(warn),
        };
        let listed = job.rotated();
        assert_eq!(listed.len(), 4);
        fs::remove_file(dir.join(name(2))).unwrap();
        job.compress_all(listed);
        let left: Vec<_> = job.names().filter(|name| name.ends_with("gz")).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        // Any other fault is one.
        let warnings = warnings.lock().unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(&name(4)), "{warnings:?}");
        fs::remove_dir_all(dir).unwrap();
    }
}
