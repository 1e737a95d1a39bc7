//! The state of alerts across a restart or a kill: a file beside the outbox's parcels. It contains
//! an incident within moments of its first call: the next process sends the message of one whose
//! group was still open.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::policy::{IncidentPolicy, SavedState};
use crate::outbox::{Outbox, private};

const FILE: &str = "alerts.json";

/// Writes the state. A failure is logged: it may cost a message that is sent twice or never.
pub(super) fn save(outbox: &Outbox, policy: &IncidentPolicy) {
    let Some(folder) = outbox.folder() else {
        return;
    };
    if let Err(error) = write(&folder, policy) {
        tracing::debug!(target: "llm_observe::outbox", %error, "the state of alerts cannot be saved");
    }
}

fn write(folder: &Path, policy: &IncidentPolicy) -> io::Result<()> {
    let bytes = serde_json::to_vec(&policy.saved())?;
    let new = folder.join("alerts.new");
    let mut options = private::options();
    let mut file = options.write(true).create(true).truncate(true).open(&new)?;
    file.write_all(&bytes)?;
    drop(file);
    fs::rename(new, folder.join(FILE))
}

/// Restores what an earlier process left in this one's folder.
pub(super) fn restore(outbox: &Outbox, policy: &mut IncidentPolicy, now: u64) {
    if let Some(folder) = outbox.folder() {
        load(&folder.join(FILE), outbox, policy, now);
    }
    adopt(outbox, policy, now);
}

/// Restores what other processes left that have died, before this one started or since.
pub(super) fn adopt(outbox: &Outbox, policy: &mut IncidentPolicy, now: u64) {
    let Some(Ok(orphans)) = outbox.orphans().map(fs::read_dir) else {
        return;
    };
    let paths = orphans.flatten().map(|entry| entry.path());
    let (states, others): (Vec<_>, Vec<_>) = paths.partition(|path| is_state(path));
    states
        .iter()
        .for_each(|path| load(path, outbox, policy, now));
    if policy.take_changed() {
        save(outbox, policy);
    }
    // Saved as the state of this process now.
    for path in states.iter().chain(&others) {
        let _ = fs::remove_file(path);
    }
}

/// Returns whether it is a whole state, not one that was being written.
fn is_state(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(FILE))
}

fn load(path: &Path, outbox: &Outbox, policy: &mut IncidentPolicy, now: u64) {
    if let Ok(bytes) = fs::read(path) {
        let saved: SavedState = serde_json::from_slice(&bytes).unwrap_or_default();
        policy.restore(saved, now, |key| outbox.has_inherited(key));
    }
}
