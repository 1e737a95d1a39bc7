//! Spools of dead processes: opened to recover their lines, set aside when they are damaged, deleted
//! when they are empty.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    file::{LEAST, MOST, Spool, words_of},
    names::{fallback_dir, files, id_of, set_aside, spools_of},
    own::Own,
};
use crate::{
    disk::{self, LockMode},
    hooks::{Warn, warn_once},
    ring::{HEADER_WORDS, NoRing, Ring, is_empty_header},
    system::Mapping,
};

/// How old a file is when the process that was making a spool of it must be dead.
const ABANDONED: Duration = Duration::from_secs(60);

/// What dead processes left of one log file.
pub(crate) struct Orphans {
    /// Their rings, the oldest first.
    pub(crate) spools: Vec<Spool>,
    /// How many of their spools hold no valid ring. They have been set aside.
    pub(crate) damaged: u64,
}

/// Opens every ring of that log file whose process is gone.
pub(crate) fn orphans(dir: &Path, file: &str, warn: &Warn) -> Orphans {
    let mut spools = Vec::new();
    let mut damaged = 0;
    for path in spools_of(dir, file) {
        match adopt(&path) {
            Ok(Adopted::Ring(at, spool)) => spools.push((at, spool)),
            Ok(Adopted::InUse) => {}
            Ok(Adopted::No(NoRing::OtherVersion)) => warn_once(
                warn,
                &path,
                "another version of llm-observe-log left lines here, and can recover them",
            ),
            Ok(Adopted::No(NoRing::Damaged)) => {
                damaged += 1;
                set_aside(&path, warn);
            }
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
            Err(error) => warn_once(
                warn,
                &path,
                &format!("its lines are not recovered: {error}"),
            ),
        }
    }
    spools.sort_by_key(|(at, _)| *at);
    let spools = spools.into_iter().map(|(_, spool)| spool).collect();
    Orphans { spools, damaged }
}

/// What a file under the name of a spool is.
enum Adopted {
    /// What a dead process left, and since when.
    Ring(SystemTime, Spool),
    /// Another process has locked it: its own one, or one that adopted it first. Or this one has it.
    InUse,
    No(NoRing),
}

fn adopt(path: &Path) -> io::Result<Adopted> {
    let Some(own) = id_of(path).and_then(Own::of) else {
        return Ok(Adopted::InUse);
    };
    let open = disk::open_private(path, false)?;
    if !disk::lock(&open, LockMode::Exclusive)?
        || disk::id_of_open(&open)? != disk::id_of_path(path)?
    {
        return Ok(Adopted::InUse);
    }
    let meta = open.metadata()?;
    let Some(words) = words_in(meta.len()) else {
        return Ok(Adopted::No(NoRing::Damaged));
    };
    // A hole would be filled when it is touched, and a full disk would end the process then.
    disk::allocate(&open, meta.len())?;
    Ok(match Ring::adopt(Mapping::of_file(&open, words)?) {
        Ok(ring) => {
            let spool = Spool::over(ring, path.to_path_buf(), open, own);
            Adopted::Ring(meta.modified()?, spool)
        }
        Err(no_ring) => Adopted::No(no_ring),
    })
}

/// Returns how many words a file of that length has; `None` when no ring has that length.
pub(super) fn words_in(len: u64) -> Option<usize> {
    let words = usize::try_from(len / 8).ok()?;
    let possible = (words_of(LEAST)..=words_of(MOST)).contains(&words);
    (possible && len.is_multiple_of(8)).then_some(words)
}

/// Deletes the empty spools of dead processes, whatever log they belong to: nobody may ever open that
/// log again. Those with lines in them are left to whoever does.
pub(crate) fn remove_empty(dir: &Path) {
    let fallback = fallback_dir().ok();
    for dir in std::iter::once(dir).chain(fallback.as_deref()) {
        for path in files(dir, None, ".spool") {
            if looks_empty(&path).unwrap_or(false)
                && let Ok(Adopted::Ring(_, spool)) = adopt(&path)
                && spool.ring.is_empty()
            {
                spool.remove();
            }
        }
        for path in files(dir, None, ".new") {
            let _ = remove_abandoned(&path);
        }
    }
}

/// Reads the header without the lock, so that nobody who wants to recover lines finds it taken.
fn looks_empty(path: &Path) -> io::Result<bool> {
    let Some(_own) = id_of(path).and_then(Own::of) else {
        return Ok(false);
    };
    let mut header = [0; HEADER_WORDS * 8];
    disk::open_existing(path)?.read_exact(&mut header)?;
    Ok(is_empty_header(&header))
}

/// Deletes a spool that was never completed.
fn remove_abandoned(path: &Path) -> io::Result<()> {
    let Some(_own) = id_of(path).and_then(Own::of) else {
        return Ok(());
    };
    let open = disk::open_private(path, false)?;
    if is_old(&open)? && disk::lock(&open, LockMode::Exclusive)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn is_old(file: &File) -> io::Result<bool> {
    let age = file.metadata()?.modified()?.elapsed();
    Ok(age.is_ok_and(|age| age >= ABANDONED))
}
