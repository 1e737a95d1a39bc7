//! Parcels on disk: one file each, written under another name and then renamed, so that a file is
//! complete or does not exist. Knows neither destinations nor time.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::{
    owner::{self, LEFT, Slot},
    parcel::{self, Parcel},
    private,
};

const FINISHED: &str = "parcel";
const UNFINISHED: &str = "part";

/// Where a pending parcel is stored.
#[derive(Clone, Debug)]
pub(super) enum StoredParcel {
    /// In memory only: there is no folder, or the write failed.
    Memory(Arc<Parcel>),
    /// In that file, of that many bytes.
    File(PathBuf, u64),
}

/// The folder, or none.
#[derive(Debug)]
pub(super) struct ParcelStore {
    /// `None` for memory alone.
    dir: Option<PathBuf>,
    /// Empty while the folder cannot be used.
    owned: OnceLock<Slot>,
    /// The longest file that can be a parcel: a longer one would not be kept.
    most: u64,
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub(super) struct FoundParcels {
    /// The parcels, without their bodies, and their files.
    pub(super) parcels: Vec<(Parcel, u64, PathBuf)>,
    /// How many files were torn or corrupt. They are removed.
    pub(super) corrupt: u64,
}

impl FoundParcels {
    fn sorted(mut self) -> FoundParcels {
        self.parcels
            .sort_by(|(a, _, at), (b, _, bt)| (a.created, at).cmp(&(b.created, bt)));
        self
    }
}

impl ParcelStore {
    /// Opens the folder. Without one, or when it cannot be used, everything stays in memory. No file
    /// of more than `most` bytes is read.
    pub(super) fn open(dir: Option<&Path>, most: u64) -> (ParcelStore, io::Result<()>) {
        let store = ParcelStore {
            dir: dir.map(PathBuf::from),
            owned: OnceLock::new(),
            most,
        };
        let opened = dir.map_or(Ok(()), |dir| {
            // It has none yet.
            owner::claim(dir).map(|slot| drop(store.owned.set(slot)))
        });
        (store, opened)
    }

    /// Takes a slot of the folder where that was not possible before, and returns the parcels in it. Called
    /// by one thread at a time, while others write.
    pub(super) fn reclaim(&self) -> io::Result<FoundParcels> {
        let mut found = FoundParcels::default();
        if let (Some(dir), None) = (&self.dir, self.owned.get()) {
            let slot = owner::claim(dir)?;
            // Before others write there.
            set_aside(&slot.own);
            load_slot(&slot.own, self.most, &mut found);
            // It has none yet.
            let _ = self.owned.set(slot);
        }
        Ok(found.sorted())
    }

    /// Returns the folder that this process writes in.
    pub(super) fn own(&self) -> Option<&Path> {
        self.owned.get().map(|owned| owned.own.as_path())
    }

    /// Reads what is in the folder of this process, oldest first; removes what is corrupt.
    pub(super) fn load(&self) -> FoundParcels {
        let mut found = FoundParcels::default();
        if let Some(own) = self.own() {
            load_slot(own, self.most, &mut found);
        }
        found.sorted()
    }

    /// Moves what dead processes left into the folder of this one, and reads it.
    pub(super) fn adopt(&self) -> FoundParcels {
        let mut found = FoundParcels::default();
        if let Some(owned) = self.owned.get() {
            owned.each_left(|file| adopt_file(file, &owned.own, self.most, &mut found));
        }
        found.sorted()
    }

    /// Writes a parcel. When that fails, it is kept in memory and the error is returned.
    pub(super) fn write(&self, parcel: Parcel) -> (StoredParcel, u64, io::Result<()>) {
        let Some(slot) = self.own() else {
            let size = weight(&parcel);
            return (StoredParcel::Memory(Arc::new(parcel)), size, Ok(()));
        };
        match write_file(slot, &parcel) {
            Ok((path, size)) => (StoredParcel::File(path, size), size, Ok(())),
            Err(error) => {
                let size = weight(&parcel);
                (StoredParcel::Memory(Arc::new(parcel)), size, Err(error))
            }
        }
    }
}

impl StoredParcel {
    /// Reads the parcel; `None` when its file is gone or corrupt.
    pub(super) fn read(&self) -> Option<Arc<Parcel>> {
        match self {
            StoredParcel::Memory(parcel) => Some(parcel.clone()),
            StoredParcel::File(path, size) => {
                let bytes = private::read(path, *size).ok().flatten()?;
                parcel::decode(&bytes).map(Arc::new)
            }
        }
    }

    /// Removes the parcel from disk.
    pub(super) fn remove(&self) {
        if let StoredParcel::File(path, _) = self {
            // It may have been removed already.
            let _ = fs::remove_file(path);
        }
    }

    /// Returns whether it is lost when the process ends.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self, StoredParcel::Memory(_))
    }
}

/// Returns the approximate size of a parcel in memory.
fn weight(parcel: &Parcel) -> u64 {
    let bytes = parcel.body().len() + parcel.key.len() + parcel.destination.len() + 64;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn load_slot(slot: &Path, most: u64, found: &mut FoundParcels) {
    let Ok(entries) = fs::read_dir(slot) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        match extension(&path) {
            Some(FINISHED) => load_file(path, most, found),
            Some(UNFINISHED) => discard(&path, found),
            _ => {}
        }
    }
}

/// Moves what is no parcel to what dead processes left: those who keep it look there while they run.
fn set_aside(slot: &Path) {
    let files = fs::read_dir(slot).into_iter().flatten().flatten();
    let files = files.map(|entry| entry.path()).filter(|path| {
        let parcel = [Some(FINISHED), Some(UNFINISHED)].contains(&extension(path));
        path.is_file() && !owner::is_lock(path) && !parcel
    });
    files.for_each(|file| leave(&file, slot));
}

/// Moves one file of another slot. One that cannot be moved is found again later.
fn adopt_file(file: &Path, own: &Path, most: u64, found: &mut FoundParcels) {
    let name = file.file_name().unwrap_or_default();
    match extension(file) {
        Some(UNFINISHED) => discard(file, found),
        Some(FINISHED) if fs::rename(file, own.join(name)).is_ok() => {
            load_file(own.join(name), most, found);
        }
        Some(FINISHED) => {}
        _ => leave(file, own),
    }
}

/// Moves a file that is no parcel to what dead processes left.
fn leave(file: &Path, own: &Path) {
    let name = file.file_name().unwrap_or_default();
    let left = own.join(LEFT);
    let unique = format!("{:016x}-{}", fastrand::u64(..), name.display());
    let moved = private::make_folder(&left).and_then(|()| fs::rename(file, left.join(unique)));
    if let Err(error) = moved {
        tracing::debug!(target: "llm_observe::outbox", %error, "what a process left cannot be taken up yet");
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|e| e.to_str())
}

fn load_file(path: PathBuf, most: u64, found: &mut FoundParcels) {
    let bytes = match private::read(&path, most) {
        Ok(bytes) => bytes.unwrap_or_default(),
        // Out of file descriptors, for one: the next start finds it again.
        Err(error) => {
            tracing::warn!(target: "llm_observe::outbox", %error, path = %path.display(), "what an earlier process left cannot be read yet");
            return;
        }
    };
    match parcel::decode(&bytes) {
        Some(parcel) => {
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            found.parcels.push((parcel.without_body(), size, path));
        }
        None => discard(&path, found),
    }
}

fn discard(path: &Path, found: &mut FoundParcels) {
    found.corrupt += 1;
    let _ = fs::remove_file(path);
}

fn write_file(slot: &Path, parcel: &Parcel) -> io::Result<(PathBuf, u64)> {
    let bytes = parcel::encode(parcel);
    let name = format!("{:020}-{:016x}", parcel.created, fastrand::u64(..));
    let unfinished = slot.join(&name).with_extension(UNFINISHED);
    let finished = slot.join(&name).with_extension(FINISHED);
    let sync = !parcel.key.is_empty();
    let written =
        write_all(&unfinished, &bytes, sync).and_then(|()| fs::rename(&unfinished, &finished));
    if let Err(error) = written {
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    if sync {
        // The parcel is written; a name that is not synced yet is no failure.
        let _ = private::sync_folder(slot);
    }
    Ok((finished, u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
}

/// Writes a file that only its owner can read. `sync` makes it survive a power failure, which costs
/// milliseconds: alerts, which are few, are synced.
fn write_all(path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let mut file = private::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    if sync { file.sync_data() } else { Ok(()) }
}
