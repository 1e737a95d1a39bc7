//! The real disk, with operations that fail when a test asks for it.

use std::{
    fs::File,
    io,
    path::Path,
    sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering},
};

use crate::disk::{Disk, FileEntry, FileId, RealDisk};

/// The errors of a disk that takes no more, by their numbers on Linux.
pub(crate) const ERRORS: [(&str, i32); 4] =
    [("full", 28), ("quota", 122), ("read-only", 30), ("I/O", 5)];

pub(crate) struct FaultyDisk {
    real: RealDisk,
    /// Bytes that the disk still takes; negative: no limit.
    pub(crate) room: AtomicI64,
    /// The error after that.
    pub(crate) error: AtomicI32,
    pub(crate) no_rename: AtomicBool,
    /// Another program moves each file away just before it is renamed.
    pub(crate) moves_first: AtomicBool,
    pub(crate) no_open: AtomicBool,
}

impl FaultyDisk {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            real: RealDisk::new(dir, false).unwrap(),
            room: AtomicI64::new(-1),
            error: AtomicI32::new(28),
            no_rename: AtomicBool::default(),
            moves_first: AtomicBool::default(),
            no_open: AtomicBool::default(),
        }
    }
}

fn unless(fault: &AtomicBool) -> io::Result<()> {
    match fault.load(Ordering::Relaxed) {
        true => Err(io::ErrorKind::PermissionDenied.into()),
        false => Ok(()),
    }
}

impl Disk for FaultyDisk {
    fn dir(&self) -> &Path {
        self.real.dir()
    }
    fn attach(&self) -> io::Result<()> {
        self.real.attach()
    }
    fn open(&self, name: &str, mode: u32) -> io::Result<File> {
        unless(&self.no_open)?;
        self.real.open(name, mode)
    }
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.load(Ordering::Relaxed);
        if room < 0 {
            return self.real.append(file, bytes);
        }
        if room == 0 {
            return Err(io::Error::from_raw_os_error(
                self.error.load(Ordering::Relaxed),
            ));
        }
        let part = bytes.len().min(room as usize);
        let written = self.real.append(file, &bytes[..part])?;
        self.room.fetch_sub(written as i64, Ordering::Relaxed);
        Ok(written)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        unless(&self.no_rename)?;
        if self.moves_first.load(Ordering::Relaxed) {
            let moved = format!("moved-{:016x}", fastrand::u64(..));
            self.real.rename(from, &moved)?;
        }
        self.real.rename(from, to)
    }
    fn id_of(&self, name: &str) -> io::Result<FileId> {
        self.real.id_of(name)
    }
    fn list(&self) -> io::Result<Vec<FileEntry>> {
        self.real.list()
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.real.remove(name)
    }
}
