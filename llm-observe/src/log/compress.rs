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
    job: Option<Job>,
    again: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Job {
    dir: PathBuf,
    file: String,
    say: fn(&str),
}

impl Worker {
    /// A worker that does nothing unless compression is on; what an earlier process left half done
    /// is done now.
    pub(super) fn new(settings: &Settings, dir: &Path, say: fn(&str)) -> Self {
        let job = Job {
            dir: dir.to_path_buf(),
            file: settings.file.clone(),
            say,
        };
        let mut worker = Self {
            job: settings.compress.then_some(job),
            again: Arc::default(),
            running: None,
        };
        worker.start();
        worker
    }

    /// Compresses what has been rotated, unless a pass is under way: then one more follows it.
    pub(super) fn start(&mut self) {
        let Some(job) = self.job.clone() else { return };
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
            self.start();
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
        let Ok(partial) = disk::open_private(&path, true) else {
            return;
        };
        if disk::lock(&partial, Share::Alone).unwrap_or(false) {
            for name in self.rotated() {
                if let Err(error) = self.compress(&name, &partial) {
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
        let names = fs::read_dir(&self.dir)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names
            .filter(|name| {
                parse_backup(&self.file, name, 0).is_some_and(|backup| !backup.compressed)
            })
            .collect()
    }

    fn compress(&self, name: &str, _turn: &File) -> io::Result<()> {
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
