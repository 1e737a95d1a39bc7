//! Compresses rotated files in the background, so that an interrupted run leaves either the file or
//! its finished `.gz`, never half of one.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};

use super::{
    disk::{self, Share},
    rotation::parse_backup,
    settings::Settings,
};

/// Runs one pass over a log file's folder at a time.
pub(super) struct Worker {
    job: Job,
    again: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Job {
    dir: PathBuf,
    file: String,
    /// Whether to do more than remove what an interrupted run left.
    compress: bool,
    say: fn(&str),
}

impl Worker {
    /// A worker that does nothing unless compression is on; what an earlier process left half done
    /// is done now.
    pub(super) fn new(settings: &Settings, dir: &Path, say: fn(&str)) -> Self {
        let job = Job {
            dir: dir.to_path_buf(),
            file: settings.file.clone(),
            compress: settings.compress,
            say,
        };
        let mut worker = Self {
            job,
            again: Arc::default(),
            running: None,
        };
        if settings.compress || worker.job.has_rests() {
            worker.run();
        }
        worker
    }

    /// Compresses what has been rotated, unless a pass is under way: then one more follows it.
    pub(super) fn start(&mut self) {
        if self.job.compress {
            self.run();
        }
    }

    fn run(&mut self) {
        let job = self.job.clone();
        self.again.store(true, Ordering::SeqCst);
        if self
            .running
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
        {
            return;
        }
        let again = Arc::clone(&self.again);
        let run = move || {
            while again.swap(false, Ordering::SeqCst) {
                job.pass()
            }
        };
        self.running = thread::Builder::new()
            .name(String::from("llm-observe-gzip"))
            .spawn(run)
            .ok();
    }

    /// Waits for the pass that is under way, until `deadline`.
    pub(super) fn wait(&mut self, deadline: Instant) {
        if self.again.load(Ordering::SeqCst) {
            self.run();
        }
        while self
            .running
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
            && Instant::now() < deadline
        {
            thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Job {
    fn pass(&self) {
        let path = self.dir.join(format!(".{}.gzip", self.file));
        // One process at a time; the temporary file of one that died is ours then.
        let Ok(turn) = disk::open_private(&path, true) else {
            return;
        };
        if disk::lock(&turn, Share::Alone).unwrap_or(false) {
            self.sweep();
            for name in self.rotated() {
                if let Err(error) = self.compress(&name) {
                    (self.say)(&format!(
                        "cannot compress {}: {error}",
                        self.dir.join(name).display()
                    ));
                }
            }
            let _ = fs::remove_file(&path);
        }
    }

    fn rotated(&self) -> Vec<String> {
        let plain = |name: &String| {
            parse_backup(&self.file, name, 0).is_some_and(|backup| !backup.compressed)
        };
        self.names()
            .filter(|name| self.compress && plain(name))
            .collect()
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
    }

    /// Whether `name` is a half compressed file.
    fn is_rest(&self, name: &str) -> bool {
        let rotated = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(".part"));
        rotated.is_some_and(|name| {
            parse_backup(&self.file, name, 0).is_some_and(|backup| backup.compressed)
        })
    }

    fn has_rests(&self) -> bool {
        self.names().any(|name| self.is_rest(&name))
    }

    fn sweep(&self) {
        for name in self.names().filter(|name| self.is_rest(name)) {
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
            let mut from = File::open(&plain)?;
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
