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

/// Takes up what earlier processes told of. What cannot be read is told anew.
pub(super) fn restore(outbox: &Outbox, policy: &mut Policy, now: u64) {
    let own = outbox.folder();
    for folder in outbox.folders() {
        let path = folder.join(FILE);
        let Ok(bytes) = fs::read(&path) else { continue };
        let saved: Saved = serde_json::from_slice(&bytes).unwrap_or_default();
        policy.take_up(saved, now, |key| outbox.waits(key));
        if own.as_ref() != Some(&folder) {
            // Ours from now on; the folder may get another owner.
            let _ = fs::remove_file(path);
        }
    }
}
