//! The state of alerts over a restart, or the end of a process that is killed: a file beside the
//! outbox's parcels. An incident is in it within moments of its first call, so one that waits for
//! its group when the process dies is told by the next.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::policy::{Policy, Saved};
use crate::outbox::{Outbox, private};

const FILE: &str = "alerts.json";

/// Writes the state; a failure costs a message told twice, or never, and is logged.
pub(super) fn save(outbox: &Outbox, policy: &Policy) {
    let Some(folder) = outbox.folder() else {
        return;
    };
    if let Err(error) = write(&folder, policy) {
        tracing::debug!(target: "llm_observe::outbox", %error, "the state of alerts cannot be saved");
    }
}

fn write(folder: &Path, policy: &Policy) -> io::Result<()> {
    let bytes = serde_json::to_vec(&policy.saved())?;
    let new = folder.join("alerts.new");
    let mut options = private::options();
    let mut file = options.write(true).create(true).truncate(true).open(&new)?;
    file.write_all(&bytes)?;
    drop(file);
    fs::rename(new, folder.join(FILE))
}

/// Takes up what this process's folder has from an earlier one. What cannot be read is told anew.
pub(super) fn restore(outbox: &Outbox, policy: &mut Policy, now: u64) {
    if let Some(folder) = outbox.folder() {
        take_up(&folder.join(FILE), outbox, policy, now);
    }
    adopt(outbox, policy, now);
}

/// Takes up what others left that are gone, before this process began or since.
pub(super) fn adopt(outbox: &Outbox, policy: &mut Policy, now: u64) {
    let Some(Ok(left)) = outbox.left().map(fs::read_dir) else {
        return;
    };
    let paths = left.flatten().map(|entry| entry.path());
    let (states, others): (Vec<_>, Vec<_>) = paths.partition(|path| is_state(path));
    states
        .iter()
        .for_each(|path| take_up(path, outbox, policy, now));
    if policy.take_changed() {
        save(outbox, policy);
    }
    // Saved as this process's own now.
    for path in states.iter().chain(&others) {
        let _ = fs::remove_file(path);
    }
}

/// Whole ones only: one that was being written is of no use.
fn is_state(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(FILE))
}

fn take_up(path: &Path, outbox: &Outbox, policy: &mut Policy, now: u64) {
    if let Ok(bytes) = fs::read(path) {
        let saved: Saved = serde_json::from_slice(&bytes).unwrap_or_default();
        policy.take_up(saved, now, |key| outbox.has_inherited(key));
    }
}
