//! The names and folders of spools.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    disk,
    hooks::{Warn, warn_once},
    options::numbered,
};

/// Damaged spools that are kept of each log file.
const DAMAGED_KEPT: usize = 4;

/// Returns how the names of a log's spools begin in the log's own folder.
pub(super) fn prefix(file: &str) -> String {
    format!(".{file}.")
}

/// Returns how they begin in the fallback folder, as those of no other log do: FNV-1a over the path.
pub(super) fn fallback_prefix(dir: &Path, file: &str) -> String {
    let path = dir.join(file);
    let hash = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
    format!("{hash:016x}.")
}

/// Returns a folder that no other user can write, in memory or else among the temporary files.
pub(super) fn fallback_dir() -> io::Result<PathBuf> {
    let root = Path::new("/dev/shm");
    let root = if root.is_dir() {
        root.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    let dir = root.join(format!("llm-observe-{}", disk::user()));
    disk::private_dir(&dir)?;
    Ok(dir)
}

/// Returns all spools of that log file.
pub(crate) fn spools_of(dir: &Path, file: &str) -> Vec<PathBuf> {
    let own = files(dir, Some(&prefix(file)), ".spool");
    let fallback = fallback_dir()
        .map(|fallback| files(&fallback, Some(&fallback_prefix(dir, file)), ".spool"))
        .unwrap_or_default();
    own.into_iter().chain(fallback).collect()
}

/// Returns the numbers from 2 to `most` whose numbered file of that log has a spool.
pub(crate) fn numbers_in_use(dir: &Path, file: &str, most: u32) -> Vec<u32> {
    // As the spools' names have it.
    let Ok(dir) = fs::canonicalize(dir) else {
        return Vec::new();
    };
    let prefixes = |dir: &Path| -> BTreeSet<String> {
        let spools = files(dir, None, ".spool");
        let prefixes = spools.iter().filter_map(|path| split(path, ".spool"));
        prefixes.map(|(prefix, _)| prefix.to_owned()).collect()
    };
    let own = prefixes(&dir);
    let fallback = fallback_dir().map(|dir| prefixes(&dir)).unwrap_or_default();
    let is_used = |number: &u32| {
        let file = numbered(file, *number);
        own.contains(&prefix(&file)) || fallback.contains(&fallback_prefix(&dir, &file))
    };
    (2..=most).filter(is_used).collect()
}

/// Returns the files of a folder that are named by `prefix`, or by any, an id and `suffix`.
pub(super) fn files(dir: &Path, prefix: Option<&str>, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let ours = entries.map(|entry| entry.path()).filter(|path| {
        split(path, suffix).is_some_and(|(found, _)| prefix.is_none_or(|prefix| found == prefix))
    });
    ours.collect()
}

/// Returns the id in the name of a spool.
pub(super) fn id_of(path: &Path) -> Option<u64> {
    let suffix = format!(".{}", path.extension()?.to_str()?);
    u64::from_str_radix(split(path, &suffix)?.1, 16).ok()
}

/// Splits a name into the prefix and the id.
fn split<'a>(path: &'a Path, suffix: &str) -> Option<(&'a str, &'a str)> {
    let name = path.file_name()?.to_str()?.strip_suffix(suffix)?;
    let (prefix, id) = name.split_at_checked(name.len().checked_sub(16)?)?;
    let hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && prefix.ends_with('.')).then_some((prefix, id))
}

/// Renames a damaged spool, so that it is reported once and can be looked at. Deletes the oldest of
/// many.
pub(super) fn set_aside(path: &Path, warn: &Warn) {
    let aside = path.with_extension("damaged");
    let done = match fs::rename(path, &aside) {
        Ok(()) => format!("it is kept as {}", aside.display()),
        Err(error) => format!("it cannot be renamed: {error}"),
    };
    let message = format!("the buffer is damaged, and lines in it are lost; {done}");
    warn_once(warn, path, &message);
    let (Some(dir), Some((prefix, _))) = (path.parent(), split(path, ".spool")) else {
        return;
    };
    let mut kept = files(dir, Some(prefix), ".damaged");
    let changed = |path: &PathBuf| fs::symlink_metadata(path).and_then(|meta| meta.modified());
    kept.sort_by_key(|path| changed(path).ok());
    let many = kept.len().saturating_sub(DAMAGED_KEPT);
    for oldest in kept.iter().take(many) {
        let _ = fs::remove_file(oldest);
    }
}
