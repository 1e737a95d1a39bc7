//! What other programs or users put under the names of the outbox: it neither hangs, nor fills the
//! memory, nor is followed to other places.

use std::os::unix::fs::{PermissionsExt, symlink};

use std::process::Command;

use super::*;
use crate::{kernel::metrics_table as names, outbox::private};

/// Returns whether that was possible.
fn make_fifo(path: &Path) -> bool {
    let made = Command::new("mkfifo").arg(path).status();
    let made = made.is_ok_and(|status| status.success());
    if !made {
        skipped("mkfifo is not installed");
    }
    made
}

/// Leaves one parcel for `a`, and returns the slot.
fn left(folder: &Folder) -> PathBuf {
    let outbox = open(folder, &ScriptedDestination::down("a"), &Arc::default());
    outbox.put(parcel("a", "ours"));
    outbox.folder().unwrap()
}

#[test]
fn fifos_links_and_huge_files_are_counted_and_never_read() {
    let folder = Folder::new();
    let slot = left(&folder);
    let valuable = folder.path().join("valuable");
    fs::write(&valuable, "precious").unwrap();
    let fifo = make_fifo(&slot.join("1.parcel"));
    symlink(&valuable, slot.join("2.parcel")).unwrap();
    let huge = fs::File::create(slot.join("3.parcel")).unwrap();
    huge.set_len(1_500_000_000).unwrap();
    let (stats, destination) = (Arc::default(), ScriptedDestination::taking("a"));
    let start = Instant::now();
    let outbox = open(&folder, &destination, &stats);
    assert_eq!(outbox.flush(LONG).kept(), 0);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(destination.texts(), ["ours"]);
    assert_eq!(count(&stats, "unknown", "corrupt"), 2 + u64::from(fifo));
    assert_eq!(fs::read_to_string(valuable).unwrap(), "precious");
    assert!(files(&folder.path()).is_empty());
}

/// Between its writing and its delivery.
#[test]
fn a_parcel_that_became_a_fifo_or_grew_is_lost_and_counted() {
    for grows in [false, true] {
        let (folder, stats) = (Folder::new(), Arc::default());
        let destination = ScriptedDestination::taking("a").first([Delivery::Retry {
            after: Some(Duration::from_millis(300)),
            reason: "busy".into(),
        }]);
        let outbox = open(&folder, &destination, &stats);
        outbox.put(parcel("a", "ours"));
        let tried = || !destination.attempts.lock().unwrap().is_empty();
        let deadline = Instant::now() + LONG;
        while !tried() {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        let file = files(&folder.path()).pop().unwrap();
        match grows {
            true => fs::OpenOptions::new()
                .write(true)
                .open(&file)
                .unwrap()
                .set_len(1_500_000_000)
                .unwrap(),
            false => {
                fs::remove_file(&file).unwrap();
                if !make_fifo(&file) {
                    return;
                }
            }
        }
        assert_eq!(outbox.flush(LONG).kept(), 0);
        assert!(destination.texts().is_empty());
        assert_eq!(count(&stats, "a", "corrupt"), 1);
    }
}

#[test]
fn a_slot_whose_names_are_taken_is_passed_over() {
    let folder = Folder::new();
    let valuable = folder.path().join("valuable");
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::write(&valuable, "precious").unwrap();
    fs::write(elsewhere.join("1.parcel"), "theirs").unwrap();
    fs::write(elsewhere.join("diary"), "theirs").unwrap();
    let slot = |number: u32| folder.path().join(number.to_string());
    fs::create_dir(slot(0)).unwrap();
    symlink(&valuable, slot(0).join("owner.lock")).unwrap();
    fs::create_dir(slot(1)).unwrap();
    // A folder where there is no program for a FIFO.
    if !make_fifo(&slot(1).join("owner.lock")) {
        fs::create_dir(slot(1).join("owner.lock")).unwrap();
    }
    symlink(&elsewhere, slot(2)).unwrap();
    fs::write(slot(3), "no folder").unwrap();
    let (stats, destination) = (Arc::default(), ScriptedDestination::taking("a"));
    let to = vec![destination.clone() as Arc<dyn Destination>];
    let outbox = Outbox::open(options(Some(folder.path())), to, stats).unwrap();
    assert_eq!(outbox.folder().unwrap(), slot(4));
    outbox.put(parcel("a", "ours"));
    outbox.flush(LONG);
    assert_eq!(destination.texts(), ["ours"]);
    assert_eq!(fs::read_to_string(valuable).unwrap(), "precious");
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 2);
}

#[test]
fn a_folder_that_others_can_write_is_shown_and_used() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let shown = |stats: &Arc<Stats>| stats.gauge(names::OUTBOX_EXPOSED, &[]).get();
    fs::create_dir(folder.path()).unwrap();
    for (mode, exposed) in [(0o700, 0), (0o755, 0), (0o777, 1)] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let destination = ScriptedDestination::taking("a");
        let outbox = open(&folder, &destination, &stats);
        assert_eq!(shown(&stats), exposed, "{mode:o}");
        outbox.put(parcel("a", "ours"));
        outbox.flush(LONG);
        assert_eq!(destination.texts(), ["ours"]);
    }
}

#[test]
fn files_of_others_are_not_read_where_others_can_write() {
    use std::os::unix::fs::chown;
    let folder = Folder::new();
    let slot = left(&folder);
    let file = files(&folder.path()).pop().unwrap();
    if chown(&file, Some(12_345), None).is_err() {
        println!("skipped: only root can give a file away");
        return;
    }
    assert!(private::read(&file, 1_000).unwrap().is_some());
    fs::set_permissions(&slot, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(private::read(&file, 1_000).unwrap(), None);
}
