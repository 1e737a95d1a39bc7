//! The live log file: opened by name, checked before each batch for what others did to it, appended
//! to in whole lines, rotated.
//!
//! Knows files and batches of whole lines, neither callers nor threads.

use std::{fmt, fs::File, io, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    append::{append_all, cut_back, ends_torn, read_range},
    disk::{self, Disk, FileEntry, FileId},
    hooks::Hooks,
    options::LogOptions,
    retention::{RetentionLimits, expired},
    ring::{Intent, Ring},
    rotation::{self, Backup, Period},
};

/// Bytes gathered for one write.
const BATCH: usize = 256 << 10;

/// How long after a failed rotation the next one is tried.
const ROTATION_RETRY: Duration = Duration::from_secs(1);

pub(crate) struct LiveFile {
    pub(crate) disk: Arc<dyn Disk>,
    options: LogOptions,
    hooks: Hooks,
    zone: TimeZone,
    open: Option<OpenFile>,
    /// Until when no rotation is tried, after one that failed.
    rotation_blocked_until: Option<Timestamp>,
    batch: Vec<u8>,
    ends: Vec<(usize, u64)>,
    /// Whether an incomplete line at the end may be closed with a newline.
    pub(crate) may_close_torn_line: bool,
    /// Lines and rotations that the pipeline has not counted yet.
    pub(crate) lines: u64,
    pub(crate) rotations: u64,
}

struct OpenFile {
    file: File,
    id: FileId,
    period: Period,
    /// The length after our last write. Any other length means that another program wrote or
    /// truncated the file.
    expected: Option<u64>,
}

impl LiveFile {
    pub(crate) fn new(disk: Arc<dyn Disk>, options: LogOptions, hooks: Hooks) -> Self {
        let zone = rotation::zone(options.timezone);
        let (batch, ends) = (Vec::with_capacity(BATCH + 4096), Vec::with_capacity(4096));
        Self {
            disk,
            options,
            hooks,
            zone,
            open: None,
            rotation_blocked_until: None,
            batch,
            ends,
            may_close_torn_line: false,
            lines: 0,
            rotations: 0,
        }
    }

    /// Moves the lines up to position `until` from the ring to the file. On an error, lines that were
    /// not written stay in the ring, whole. `freed` is called each time the ring has room again.
    pub(crate) fn drain(
        &mut self,
        ring: &Ring,
        until: u64,
        dead: bool,
        freed: impl Fn(),
    ) -> io::Result<()> {
        loop {
            let at = self.gather(ring, until, BATCH, dead);
            if self.ends.is_empty() {
                skip(ring, at);
                return Ok(());
            }
            self.write_batch(ring)?;
            freed();
        }
    }

    /// Fills the batch with lines of the ring, as [`Ring::gather`] does. Returns the position after them.
    fn gather(&mut self, ring: &Ring, until: u64, max: usize, dead: bool) -> u64 {
        self.batch.clear();
        self.ends.clear();
        ring.gather(until, max, dead, &mut self.batch, &mut self.ends)
    }

    fn write_batch(&mut self, ring: &Ring) -> io::Result<()> {
        let now = (self.hooks.clock)();
        let mut len = self.prepare(now)?;
        if len > 0
            && self
                .open
                .as_ref()
                .is_some_and(|open| open.period.is_over(now))
            && self.rotate(now)
        {
            len = self.prepare(now)?;
        }
        let mut count = rotation::fitting(len, self.options.max_bytes, &self.ends);
        if count == 0 && self.rotate(now) {
            len = self.prepare(now)?;
            count = rotation::fitting(len, self.options.max_bytes, &self.ends);
        }
        // A rotation that is blocked costs no line: the file grows over its limit instead.
        let count = if count == 0 { self.ends.len() } else { count };
        self.append(ring, len, count)
    }

    fn append(&mut self, ring: &Ring, len: u64, count: usize) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let bytes = count
            .checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .map_or(0, |end| end.0);
        let batch = self.batch.get(..bytes).unwrap_or_default();
        ring.set_intent(Intent {
            dev: open.id.dev,
            ino: open.id.ino,
            offset: len,
            bytes: bytes as u64,
        });
        let (written, error) = append_all(&*self.disk, &open.file, batch);
        let whole = self.ends.iter().take_while(|end| end.0 <= written).count();
        let (kept, position) = whole
            .checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .copied()
            .unwrap_or((0, ring.taken()));
        let torn = written > kept
            && cut_back(&open.file, len + written as u64, len + kept as u64).is_err();
        open.expected = (!torn).then_some(len + kept as u64);
        self.lines += whole as u64;
        ring.take(position);
        ring.free();
        error.map_or(Ok(()), Err)
    }

    /// Ensures that the open file is the one with the live file's name and ends in a whole line.
    /// Returns its length.
    fn prepare(&mut self, now: Timestamp) -> io::Result<u64> {
        self.disk.attach()?;
        let current = self.disk.id_of(&self.options.file).ok();
        if self
            .open
            .as_ref()
            .is_none_or(|open| Some(open.id) != current)
        {
            self.open = Some(self.open_now(now)?);
        }
        let Some(open) = &mut self.open else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let len = open.file.metadata()?.len();
        if open.period.is_far_ahead(now) || len == 0 && open.expected != Some(0) {
            open.period = Period::of(self.options.rotation, now, &self.zone);
        }
        if open.expected == Some(len) || !ends_torn(&open.file, len)? {
            return Ok(len);
        }
        if !self.may_close_torn_line {
            return Err(io::Error::other(Torn));
        }
        let (written, error) = append_all(&*self.disk, &open.file, b"\n");
        error.map_or(Ok(len + written as u64), Err)
    }

    fn open_now(&self, now: Timestamp) -> io::Result<OpenFile> {
        let file = self.disk.open(&self.options.file, self.options.mode)?;
        let meta = file.metadata()?;
        let last = meta
            .modified()
            .ok()
            .and_then(|time| Timestamp::try_from(time).ok())
            .filter(|_| meta.len() > 0);
        // An existing file belongs to the period of its last line, but never to a future one.
        let period = Period::of(
            self.options.rotation,
            last.map_or(now, |last| last.min(now)),
            &self.zone,
        );
        Ok(OpenFile {
            id: disk::id_of_open(&file)?,
            file,
            period,
            expected: None,
        })
    }

    /// Renames the live file. Returns `false` when that is not possible now.
    fn rotate(&mut self, now: Timestamp) -> bool {
        if self.rotation_blocked_until.is_some_and(|until| {
            now < until
                && now
                    .checked_add(ROTATION_RETRY)
                    .is_ok_and(|far| until <= far)
        }) {
            return false;
        }
        match self.rename_live_file(now) {
            Ok(()) => {
                self.open = None;
                self.rotation_blocked_until = None;
                self.rotations += 1;
                self.delete_expired(now);
                true
            }
            // Another program has moved it a moment ago: the next one is new.
            Err(moved) if moved.kind() == io::ErrorKind::NotFound => {
                self.open = None;
                true
            }
            Err(error) => {
                if self.rotation_blocked_until.is_none() {
                    let path = self.disk.dir().join(&self.options.file);
                    (self.hooks.warn)(&format!(
                        "cannot rotate {}: {error}; it grows until that is possible",
                        path.display()
                    ));
                }
                self.rotation_blocked_until = now.checked_add(ROTATION_RETRY).ok();
                false
            }
        }
    }

    fn rename_live_file(&self, now: Timestamp) -> io::Result<()> {
        let first = rotation::next_sequence(&self.backups(&self.disk.list()?));
        let mut result = Err(io::ErrorKind::AlreadyExists.into());
        for sequence in first..first.saturating_add(8) {
            let name = rotation::backup_name(&self.options.file, now, &self.zone, sequence);
            result = self.disk.rename(&self.options.file, &name);
            if !matches!(&result, Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists) {
                break;
            }
        }
        result
    }

    fn backups(&self, entries: &[FileEntry]) -> Vec<Backup> {
        entries
            .iter()
            .filter_map(|entry| rotation::parse_backup(&self.options.file, &entry.name, entry.len))
            .collect()
    }

    /// Deletes the rotated files beyond the limits of retention.
    pub(crate) fn delete_expired(&self, now: Timestamp) {
        let entries = self.disk.list().unwrap_or_default();
        let live = entries
            .iter()
            .find(|entry| entry.name == self.options.file)
            .map_or(0, |entry| entry.len);
        let limits = RetentionLimits {
            backups: self.options.backups,
            max_age: self.options.max_age,
            max_total_bytes: self.options.max_total_bytes,
        };
        for backup in expired(&self.backups(&entries), &limits, live, now) {
            // Another process that shares the files, or a user, may have deleted it first.
            let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
            if let Err(error) = self.disk.remove(&backup.name)
                && !gone(&error)
            {
                (self.hooks.warn)(&format!(
                    "cannot delete the old log file {}: {error}",
                    self.disk.dir().join(&backup.name).display()
                ));
            }
        }
    }

    /// Determines how much of a dead process's last append reached its file and removes that from its
    /// ring. Cuts off an incomplete last line, since the ring has the whole one.
    pub(crate) fn recover_append(&mut self, ring: &Ring) -> io::Result<()> {
        let intent = ring.intent();
        let Some(name) = self
            .file_of(&intent)?
            .filter(|_| intent.bytes <= ring.capacity())
        else {
            return Ok(());
        };
        let file = self.disk.open(&name, self.options.mode)?;
        let len = file.metadata()?.len();
        let found = read_range(
            &file,
            intent.offset,
            len.saturating_sub(intent.offset).min(intent.bytes),
        )?;
        let most = usize::try_from(intent.bytes).unwrap_or(usize::MAX);
        self.gather(ring, ring.tail(), most, true);
        let same = self
            .batch
            .iter()
            .zip(&found)
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        let whole = self
            .ends
            .iter()
            .take_while(|end| end.0 <= same)
            .last()
            .copied();
        let (kept, position) = whole.unwrap_or((0, ring.taken()));
        if same > kept && same == found.len() {
            cut_back(
                &file,
                intent.offset + same as u64,
                intent.offset + kept as u64,
            )?;
        }
        ring.take(position);
        Ok(())
    }

    fn file_of(&self, intent: &Intent) -> io::Result<Option<String>> {
        if intent.bytes == 0 {
            return Ok(None);
        }
        let id = FileId {
            dev: intent.dev,
            ino: intent.ino,
        };
        Ok(self
            .disk
            .list()?
            .into_iter()
            .find(|entry| entry.id == id && entry.name.starts_with(&self.options.file))
            .map(|entry| entry.name))
    }
}

/// Skips padding and what a dead process did not finish.
fn skip(ring: &Ring, at: u64) {
    if at > ring.taken() {
        ring.take(at);
        ring.free();
    }
}

/// The file ends in an incomplete line, which may belong to a process that died in a write.
#[derive(Debug)]
struct Torn;

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the log file ends in an incomplete line")
    }
}

impl std::error::Error for Torn {}

pub(crate) fn is_torn(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Torn>())
}
