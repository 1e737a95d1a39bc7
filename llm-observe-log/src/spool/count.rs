//! How many lines wait in spools, for who reads the log.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::atomic::Ordering,
};

use super::{
    names::{id_of, spools_of},
    orphans::words_in,
    own::Own,
};
use crate::{disk, ring::Ring, system::Mapping};

/// Counts the lines that wait in the rings of other processes, living or dead. Reads copies, so that
/// their locks are untouched.
pub(crate) fn waiting_lines(dir: &Path, file: &str) -> u64 {
    // Spools in the fallback folder are named after the real path.
    let Ok(dir) = fs::canonicalize(dir) else {
        return 0;
    };
    let rings = spools_of(&dir, file).into_iter();
    rings
        .filter_map(|path| copy(&path).ok().flatten())
        .map(|ring| ring.count())
        .sum()
}

fn copy(path: &Path) -> io::Result<Option<Ring>> {
    let Some(_own) = id_of(path).and_then(Own::of) else {
        return Ok(None);
    };
    let file = disk::open_to_read(path)?;
    let len = file.metadata()?.len();
    let Some(words) = words_in(len) else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    let (copied, _) = bytes.as_chunks::<8>();
    let map = Mapping::anonymous(words)?;
    for (to, from) in map.iter().zip(copied) {
        to.store(u64::from_ne_bytes(*from), Ordering::Relaxed);
    }
    Ok(Ring::adopt(map).ok())
}
