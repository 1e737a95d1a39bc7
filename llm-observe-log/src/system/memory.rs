//! Memory that outlives the process: a file mapped as a slice of atomic words.
//!
//! The only module of the log with `unsafe`. It hands out atomics only, so that whatever another
//! thread or process does to the same memory, no read or write is a data race.

#![allow(unsafe_code, reason = "mapping memory has no safe interface")]

use std::{
    fs::File,
    io,
    ops::{Deref, Range},
    ptr::NonNull,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use rustix::mm::{MapFlags, ProtFlags};

/// A shared mapping of the first `words * 8` bytes of a file.
pub(crate) struct Mapping {
    start: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: the mapping is plain memory, not tied to a thread, and is only reached through atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared access is what atomics are for.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `file`, which must be at least `words * 8` bytes long and have its blocks allocated:
    /// touching a page that cannot be backed raises SIGBUS.
    pub(crate) fn of_file(file: &File, words: usize) -> io::Result<Self> {
        if file.metadata()?.len() < bytes(words)? as u64 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the spool is shorter than its header says",
            ));
        }
        // SAFETY: a null address lets the kernel choose an unused range, so no memory of this
        // program is replaced; nothing but the atomics of this `Mapping` refers to it.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                bytes(words)?,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                file,
                0,
            )
        }?;
        Self::new(start.cast(), words)
    }

    /// Maps memory of this process alone, which is lost with it.
    pub(crate) fn anonymous(words: usize) -> io::Result<Self> {
        // SAFETY: as in `of_file`.
        let start = unsafe {
            rustix::mm::mmap_anonymous(
                std::ptr::null_mut(),
                bytes(words)?,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        Self::new(start.cast(), words)
    }

    /// Asks the system to back these words with memory now. Otherwise it does so at the first touch of
    /// each page, at a caller's cost; so too before Linux 5.14.
    pub(crate) fn prepare(&self, words: Range<usize>) {
        let (from, to) = (
            words.start.saturating_mul(8) / LARGEST_PAGE * LARGEST_PAGE,
            words.end.min(self.words).saturating_mul(8),
        );
        populate(self, from, to);
    }

    fn new(start: *mut AtomicU64, words: usize) -> io::Result<Self> {
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, words })
    }
}

impl Deref for Mapping {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: `start` is page-aligned and valid for `words` words until `drop`; any bit pattern
        // is a valid `AtomicU64`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is exactly what `mmap` returned, and no reference outlives `self`.
        let _ =
            unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.words.saturating_mul(8)) };
    }
}

/// The beginning of a range has to be the beginning of a page, however large pages are.
const LARGEST_PAGE: usize = 64 << 10;

#[cfg(target_os = "linux")]
fn populate(map: &Mapping, from: usize, to: usize) {
    let Some(length) = to.checked_sub(from).filter(|&length| length > 0) else {
        return;
    };
    // SAFETY: the range lies in the mapping, since `to` is at most its length, and the advice does
    // not change what is in it.
    let _ = unsafe {
        rustix::mm::madvise(
            map.start.as_ptr().byte_add(from).cast(),
            length,
            rustix::mm::Advice::LinuxPopulateWrite,
        )
    };
}

#[cfg(not(target_os = "linux"))]
fn populate(_map: &Mapping, _from: usize, _to: usize) {}

fn bytes(words: usize) -> io::Result<usize> {
    words
        .checked_mul(8)
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Distinguishes a process from its parent after a fork, for the price of one load.
pub(crate) struct ForkGuard {
    marked: Option<Mapping>,
    /// Where memory cannot be wiped.
    valid: AtomicBool,
}

impl ForkGuard {
    /// Returns a guard that is valid in this process and not in its forks. Where the system cannot wipe
    /// memory on fork (before Linux 4.14), it is valid in both.
    pub(crate) fn new() -> Self {
        let marked = Mapping::anonymous(PAGE_WORDS).ok().filter(wipe_on_fork);
        if let Some(word) = marked.as_ref().and_then(|map| map.first()) {
            word.store(1, Ordering::Relaxed);
        }
        Self {
            marked,
            valid: AtomicBool::new(true),
        }
    }

    /// Returns whether this process created the guard, and nobody has invalidated it.
    #[inline]
    pub(crate) fn is_valid(&self) -> bool {
        match self.marked.as_ref().and_then(|map| map.first()) {
            Some(word) => word.load(Ordering::Relaxed) == 1,
            None => self.valid.load(Ordering::Relaxed),
        }
    }

    /// Returns whether a fork is noticed.
    pub(crate) fn notices_forks(&self) -> bool {
        self.marked.is_some()
    }

    /// Makes the guard invalid everywhere.
    pub(crate) fn invalidate(&self) {
        self.valid.store(false, Ordering::Release);
        if let Some(word) = self.marked.as_ref().and_then(|map| map.first()) {
            word.store(0, Ordering::Release);
        }
    }
}

const PAGE_WORDS: usize = 512;

#[cfg(target_os = "linux")]
fn wipe_on_fork(map: &Mapping) -> bool {
    // SAFETY: the advice changes what a fork sees of this private mapping, and the only thing in it
    // is an atomic for which 0 is valid.
    unsafe {
        rustix::mm::madvise(
            map.start.as_ptr().cast(),
            map.words.saturating_mul(8),
            rustix::mm::Advice::LinuxWipeOnFork,
        )
    }
    .is_ok()
}

#[cfg(not(target_os = "linux"))]
fn wipe_on_fork(_map: &Mapping) -> bool {
    true
}
