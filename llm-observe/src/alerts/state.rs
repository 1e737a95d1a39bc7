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

/// The most bytes of a state that are read: far more than all incidents of a process take.
const MOST: u64 = 64 << 20;

/// Writes the state. A failure is logged: it may cost a message that is sent twice or never.
pub(super) fn save(outbox: &Outbox, policy: &IncidentPolicy) {
    let Some(folder) = outbox.folder() else {
        return;
    };
    let written = serde_json::to_vec(&policy.saved())
        .map_err(io::Error::from)
        .and_then(|bytes| write(&folder, &bytes));
    if let Err(error) = written {
        tracing::debug!(target: "llm_observe::outbox", %error, "the state of alerts cannot be saved");
    }
}

fn write(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = folder.join("alerts.new");
    // Whatever has that name is removed, not written through: it may be a link. Mostly there is nothing.
    let _ = fs::remove_file(&new);
    let mut file = private::options().write(true).create_new(true).open(&new)?;
    file.write_all(bytes)?;
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
    if let Ok(Some(bytes)) = private::read(path, MOST) {
        let saved: SavedState = serde_json::from_slice(&bytes).unwrap_or_default();
        policy.restore(saved, now, |key| outbox.has_inherited(key));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix::fs::symlink, path::PathBuf};

    use super::*;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let name = format!("llm-observe-state-{:016x}", fastrand::u64(..));
        let folder = Folder(std::env::temp_dir().join(name));
        fs::create_dir(&folder.0).unwrap();
        let (valuable, new) = (folder.0.join("valuable"), folder.0.join("alerts.new"));
        for hard in [false, true] {
            fs::write(&valuable, "precious").unwrap();
            match hard {
                true => fs::hard_link(&valuable, &new).unwrap(),
                false => symlink(&valuable, &new).unwrap(),
            }
            write(&folder.0, b"state").unwrap();
            assert_eq!(fs::read_to_string(&valuable).unwrap(), "precious");
            let written = fs::symlink_metadata(folder.0.join(FILE)).unwrap();
            assert!(written.is_file() && written.len() == 5);
        }
    }
}
